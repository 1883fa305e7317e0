//! BuildKit's messages → progress.

use std::collections::HashMap;

use bollard::moby::buildkit::v1::{StatusResponse, Vertex};

use crate::report::event::{Progress, Status, Step};

/// Bytes that have to be moved before a transfer's progress is told again.
const GRAIN: i64 = 1 << 20;

/// Lines of output kept for the case that their step fails.
const KEPT_LINES: usize = 20;

/// What is known of one build so far.
#[derive(Debug)]
pub(super) struct Trace {
    service: String,
    vertices: HashMap<String, State>,
    /// The step that failed.
    failed: Option<String>,
}

#[derive(Debug, Default)]
struct State {
    /// What it is called on the screen.
    id: String,
    started: bool,
    completed: bool,
    told: i64,
    /// Output without a line end yet.
    rest: Vec<u8>,
    lines: Vec<String>,
}

impl Trace {
    pub(super) fn new(service: &str) -> Self {
        Self {
            service: service.to_owned(),
            vertices: HashMap::new(),
            failed: None,
        }
    }

    /// Takes one message; what to tell because of it.
    pub(super) fn take(&mut self, message: StatusResponse) -> Vec<Step> {
        let mut steps = Vec::new();
        for vertex in message.vertexes {
            steps.extend(self.vertex(vertex));
        }
        for status in message.statuses {
            let Some(state) = self.vertices.get_mut(&status.vertex) else {
                continue;
            };
            let moved = (status.current - state.told).abs() >= GRAIN;
            if status.total <= 0 || !moved || state.completed {
                continue;
            }
            state.told = status.current;
            let mut step = Step::working(&state.id, "").part_of(&self.service);
            step.progress = Some(Progress {
                current: u64::try_from(status.current).unwrap_or(0),
                total: u64::try_from(status.total).unwrap_or(0),
            });
            steps.push(step);
        }
        for log in message.logs {
            if let Some(state) = self.vertices.get_mut(&log.vertex) {
                for line in state.output(&log.msg) {
                    let step = Step::working(&state.id, "").part_of(&self.service);
                    steps.push(step.detail(line));
                }
            }
        }
        for warning in message.warnings {
            let text = String::from_utf8_lossy(&warning.short).into_owned();
            let id = self.vertices.get(&warning.vertex).map(|state| &state.id);
            let id = id.map_or("build", String::as_str);
            steps.push(
                Step::warning(id, "Warning")
                    .part_of(&self.service)
                    .detail(text),
            );
        }
        steps
    }

    fn vertex(&mut self, vertex: Vertex) -> Option<Step> {
        let state = self.vertices.entry(vertex.digest.clone()).or_default();
        if state.id.is_empty() {
            state.id = name(&self.service, &vertex.name);
        }
        if vertex.completed.is_some() && !state.completed {
            state.completed = true;
            let (status, text) = outcome(&vertex);
            if status == Status::Error {
                self.failed = Some(vertex.digest);
            }
            let mut step = Step::new(&state.id, status, text).part_of(&self.service);
            if status == Status::Error {
                step.detail = Some(vertex.error);
            }
            return Some(step);
        }
        if vertex.started.is_some() && !state.started && !state.completed {
            state.started = true;
            return Some(Step::working(&state.id, "").part_of(&self.service));
        }
        None
    }

    /// The last output of the step that failed.
    pub(super) fn failure(&self) -> Option<String> {
        let state = self.vertices.get(self.failed.as_ref()?)?;
        if state.lines.is_empty() {
            return None;
        }
        let lines = state.lines.join("\n  ");
        Some(format!("{}\n  {lines}", state.id))
    }
}

impl State {
    /// Takes output and hands out the lines that it ended.
    fn output(&mut self, bytes: &[u8]) -> Vec<String> {
        self.rest.extend_from_slice(bytes);
        let Some(end) = self.rest.iter().rposition(|byte| *byte == b'\n') else {
            return Vec::new();
        };
        let rest = self.rest.split_off(end + 1);
        let whole = std::mem::replace(&mut self.rest, rest);
        let text = String::from_utf8_lossy(&whole);
        let lines: Vec<String> = text
            .lines()
            // A progress bar overwrites its line: what it looked like last is the line.
            .map(|line| {
                line.rsplit('\r')
                    .find(|part| !part.is_empty())
                    .unwrap_or("")
            })
            .map(str::to_owned)
            .collect();
        self.lines.extend(lines.iter().cloned());
        let surplus = self.lines.len().saturating_sub(KEPT_LINES);
        self.lines.drain(..surplus);
        lines
    }
}

/// How a step ended.
fn outcome(vertex: &Vertex) -> (Status, String) {
    if !vertex.error.is_empty() {
        let canceled = vertex.error.ends_with("context canceled");
        return if canceled {
            (Status::Warning, "CANCELED".to_owned())
        } else {
            (Status::Error, "ERROR".to_owned())
        };
    }
    if vertex.cached {
        return (Status::Done, "CACHED".to_owned());
    }
    let seconds = match (&vertex.started, &vertex.completed) {
        (Some(started), Some(completed)) => {
            let seconds = completed.seconds - started.seconds;
            let nanos = i64::from(completed.nanos) - i64::from(started.nanos);
            seconds as f64 + nanos as f64 / 1e9
        }
        _ => 0.0,
    };
    (Status::Done, format!("DONE {:.1}s", seconds.max(0.0)))
}

/// `[2/3] RUN x` of service web → `[web 2/3] RUN x`, as builds of several services go on side
/// by side.
fn name(service: &str, vertex: &str) -> String {
    match vertex.strip_prefix('[') {
        Some(rest) => format!("[{service} {rest}"),
        None => format!("[{service}] {vertex}"),
    }
}

#[cfg(test)]
#[expect(
    clippy::default_trait_access,
    reason = "the type of the times has no name outside the client library"
)]
mod tests {
    use super::*;
    use bollard::moby::buildkit::v1::VertexLog;

    fn vertex(digest: &str, name: &str) -> Vertex {
        Vertex {
            digest: digest.to_owned(),
            name: name.to_owned(),
            ..Vertex::default()
        }
    }

    fn message(vertices: Vec<Vertex>, logs: &[(&str, &str)]) -> StatusResponse {
        StatusResponse {
            vertexes: vertices,
            logs: logs
                .iter()
                .map(|(vertex, text)| VertexLog {
                    vertex: (*vertex).to_owned(),
                    msg: text.as_bytes().to_vec(),
                    ..VertexLog::default()
                })
                .collect(),
            ..StatusResponse::default()
        }
    }

    #[test]
    fn steps_start_write_and_end() {
        let mut trace = Trace::new("web");
        let started = Vertex {
            started: Some(Default::default()),
            ..vertex("d", "[2/2] RUN x")
        };
        let steps = trace.take(message(vec![started.clone()], &[("d", "one\ntw")]));
        assert_eq!(steps.len(), 2);
        assert_eq!(steps[0].id, "[web 2/2] RUN x");
        assert_eq!(steps[1].detail.as_deref(), Some("one"));
        let steps = trace.take(message(vec![], &[("d", "o\r\nthree\n")]));
        let lines: Vec<_> = steps
            .iter()
            .filter_map(|step| step.detail.as_deref())
            .collect();
        assert_eq!(lines, ["two", "three"]);
        let ended = Vertex {
            completed: Some(Default::default()),
            error: "exit code: 1".to_owned(),
            ..started
        };
        let steps = trace.take(message(vec![ended.clone()], &[]));
        assert_eq!(steps[0].status, Status::Error);
        assert!(trace.take(message(vec![ended], &[])).is_empty());
        let failure = trace.failure().unwrap_or_default();
        assert_eq!(failure, "[web 2/2] RUN x\n  one\n  two\n  three");
    }

    #[test]
    fn cached_steps_say_so() {
        let mut trace = Trace::new("web");
        let cached = Vertex {
            cached: true,
            completed: Some(Default::default()),
            ..vertex("d", "[1/1] COPY a b")
        };
        let steps = trace.take(message(vec![cached], &[]));
        assert_eq!(steps[0].text, "CACHED");
        assert_eq!(steps[0].parent.as_deref(), Some("web"));
    }
}
