//! BuildKit's messages → progress.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bollard_buildkit_proto::google::protobuf::Timestamp;
use bollard_buildkit_proto::moby::buildkit::v1::{StatusResponse, Vertex, VertexStatus};

use crate::report::build::{BuildEvent, Change, Ending, Line, Part};

/// Bytes that have to be moved before a transfer's progress is told again.
const GRAIN: i64 = 1 << 20;

/// Lines of output kept for the case that their step fails.
pub(super) const KEPT_LINES: usize = 20;

/// Nanoseconds since 1970, where the builder told a time.
type Time = Option<i128>;

/// What is known of one build so far.
#[derive(Debug)]
pub(super) struct Trace {
    service: Arc<str>,
    vertices: HashMap<String, State>,
    /// The step that failed.
    failed: Option<String>,
}

#[derive(Debug)]
struct State {
    digest: Arc<str>,
    /// What it is called on the screen.
    name: Arc<str>,
    started: Time,
    completed: bool,
    /// How far parts were when that was told last; none for those that are over.
    told: HashMap<String, Option<i64>>,
    /// Output without a line end yet.
    rest: Vec<u8>,
    lines: Vec<String>,
}

/// The step that failed, and what it wrote last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failed {
    /// Its name as the builder tells it: `[stage 2/3] RUN x`.
    pub(super) name: String,
    /// The last lines of its output.
    pub(super) lines: Vec<String>,
}

fn time(time: Option<&Timestamp>) -> Time {
    time.map(|time| i128::from(time.seconds) * 1_000_000_000 + i128::from(time.nanos))
}

impl Trace {
    pub(super) fn new(service: &str) -> Self {
        Self {
            service: service.into(),
            vertices: HashMap::new(),
            failed: None,
        }
    }

    /// Takes one message; what to tell because of it.
    pub(super) fn take(&mut self, message: StatusResponse) -> Vec<BuildEvent> {
        let mut events = Vec::new();
        let mut ended = Vec::new();
        for vertex in message.vertexes {
            self.vertex(vertex, &mut events, &mut ended);
        }
        let service = Arc::clone(&self.service);
        for status in message.statuses {
            let Some(state) = self.vertices.get_mut(&status.vertex) else {
                continue;
            };
            if let Some(part) = state.part(status) {
                events.push(state.event(&service, Change::Part(part)));
            }
        }
        for log in message.logs {
            let Some(state) = self.vertices.get_mut(&log.vertex) else {
                continue;
            };
            let after = between(state.started, time(log.timestamp.as_ref()));
            for text in state.output(&log.msg) {
                let line = Line { text, after };
                events.push(state.event(&service, Change::Output(line)));
            }
        }
        for warning in message.warnings {
            let Some(state) = self.vertices.get(&warning.vertex) else {
                continue;
            };
            let text = String::from_utf8_lossy(&warning.short).into_owned();
            events.push(state.event(&service, Change::Warning(text)));
        }
        // The last output of a step may come with the news of its end.
        events.extend(ended);
        events
    }

    fn vertex(
        &mut self,
        vertex: Vertex,
        events: &mut Vec<BuildEvent>,
        ended: &mut Vec<BuildEvent>,
    ) {
        let state = self.vertices.entry(vertex.digest.clone());
        let state = state.or_insert_with(|| State::new(&self.service, &vertex));
        let started = time(vertex.started.as_ref());
        if state.completed {
            return;
        }
        if started.is_some() && state.started.is_none() {
            state.started = started;
            events.push(state.event(&self.service, Change::Started));
        }
        let completed = time(vertex.completed.as_ref());
        if completed.is_none() || is_only_looked_up(&vertex, between(started, completed)) {
            return;
        }
        state.completed = true;
        for text in state.output_left() {
            let after = between(started, completed);
            let line = Line { text, after };
            ended.push(state.event(&self.service, Change::Output(line)));
        }
        let ending = ending(&vertex, between(started, completed));
        if matches!(ending, Ending::Failed(_)) {
            self.failed = Some(vertex.digest);
        }
        ended.push(state.event(&self.service, Change::Ended(ending)));
    }

    /// The step that failed.
    pub(super) fn failed(&self) -> Option<Failed> {
        let state = self.vertices.get(self.failed.as_ref()?)?;
        let name = state.name.strip_prefix('[').and_then(|rest| {
            let rest = rest.strip_prefix(&*self.service)?;
            let rest = rest.strip_prefix(' ')?;
            Some(format!("[{rest}"))
        });
        Some(Failed {
            name: name.unwrap_or_else(|| state.name.to_string()),
            lines: state.lines.clone(),
        })
    }
}

impl State {
    fn new(service: &str, vertex: &Vertex) -> Self {
        Self {
            digest: vertex.digest.as_str().into(),
            name: name(service, &vertex.name).into(),
            started: None,
            completed: false,
            told: HashMap::new(),
            rest: Vec::new(),
            lines: Vec::new(),
        }
    }

    fn event(&self, service: &Arc<str>, change: Change) -> BuildEvent {
        BuildEvent {
            service: Arc::clone(service),
            step: Arc::clone(&self.digest),
            name: Arc::clone(&self.name),
            change,
        }
    }

    /// How far a part is, where that is worth telling.
    fn part(&mut self, status: VertexStatus) -> Option<Part> {
        let ended = status.completed.is_some();
        let told = match self.told.get(&status.id) {
            Some(None) => return None,
            Some(Some(told)) => *told,
            None => 0,
        };
        if !ended && (status.current - told).abs() < GRAIN {
            return None;
        }
        let current = (!ended).then_some(status.current);
        self.told.insert(status.id.clone(), current);
        let until = if ended {
            time(status.completed.as_ref())
        } else {
            time(status.timestamp.as_ref())
        };
        let bytes = |count: i64| u64::try_from(count).unwrap_or(0);
        Some(Part {
            name: status.id,
            current: bytes(status.current),
            total: bytes(status.total),
            taken: between(time(status.started.as_ref()), until),
            ended,
        })
    }

    /// Takes output and hands out the lines that it ended.
    fn output(&mut self, bytes: &[u8]) -> Vec<String> {
        self.rest.extend_from_slice(bytes);
        let Some(end) = self.rest.iter().rposition(|byte| *byte == b'\n') else {
            return Vec::new();
        };
        let rest = self.rest.split_off(end + 1);
        let whole = std::mem::replace(&mut self.rest, rest);
        self.lines(&whole)
    }

    /// The output that no line end will follow.
    fn output_left(&mut self) -> Vec<String> {
        let rest = std::mem::take(&mut self.rest);
        self.lines(&rest)
    }

    fn lines(&mut self, bytes: &[u8]) -> Vec<String> {
        let text = String::from_utf8_lossy(bytes);
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

fn between(start: Time, end: Time) -> Duration {
    let (Some(start), Some(end)) = (start, end) else {
        return Duration::ZERO;
    };
    Duration::from_nanos(u64::try_from(end - start).unwrap_or(0))
}

/// How a step ended.
fn ending(vertex: &Vertex, taken: Duration) -> Ending {
    match vertex.error.as_str() {
        "" if vertex.cached => Ending::Cached,
        "" => Ending::Done(taken),
        error if error.ends_with("context canceled") => Ending::Canceled,
        error => Ending::Failed(error.to_owned()),
    }
}

/// Whether a local folder was only looked up: the builder tells that as the end of the step, and then goes on to transfer
/// it.
fn is_only_looked_up(vertex: &Vertex, taken: Duration) -> bool {
    let name = &vertex.name;
    let is_local = name.starts_with("[internal] load ") && !name.contains("load metadata");
    is_local && !vertex.cached && vertex.error.is_empty() && taken < Duration::from_millis(1)
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
mod tests {
    use super::*;
    use bollard_buildkit_proto::moby::buildkit::v1::VertexLog;

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

    fn changes(events: Vec<BuildEvent>) -> Vec<Change> {
        events.into_iter().map(|event| event.change).collect()
    }

    fn line(text: &str) -> Change {
        Change::Output(Line {
            text: text.to_owned(),
            after: Duration::ZERO,
        })
    }

    #[test]
    fn steps_start_write_and_end() {
        let mut trace = Trace::new("web");
        let started = Vertex {
            started: Some(Timestamp::default()),
            ..vertex("d", "[2/2] RUN x")
        };
        let events = trace.take(message(vec![started.clone()], &[("d", "one\ntw")]));
        assert_eq!(&*events[0].name, "[web 2/2] RUN x");
        assert_eq!(changes(events), [Change::Started, line("one")]);
        let events = trace.take(message(vec![], &[("d", "o\r\n10%\r20%\nthr")]));
        assert_eq!(changes(events), [line("two"), line("20%")]);
        let ended = Vertex {
            completed: Some(Timestamp::default()),
            error: "exit code: 1".to_owned(),
            ..started
        };
        let events = trace.take(message(vec![ended.clone()], &[]));
        let failed = Change::Ended(Ending::Failed("exit code: 1".to_owned()));
        assert_eq!(changes(events), [line("thr"), failed]);
        assert!(trace.take(message(vec![ended], &[])).is_empty());
        let expected = Failed {
            name: "[2/2] RUN x".to_owned(),
            lines: ["one", "two", "20%", "thr"].map(str::to_owned).to_vec(),
        };
        assert_eq!(trace.failed(), Some(expected));
    }

    #[test]
    fn cached_steps_say_so() {
        let mut trace = Trace::new("web");
        let cached = Vertex {
            cached: true,
            completed: Some(Timestamp::default()),
            ..vertex("d", "[1/1] COPY a b")
        };
        let events = trace.take(message(vec![cached], &[]));
        assert_eq!(changes(events), [Change::Ended(Ending::Cached)]);
    }

    #[test]
    fn parts_are_told_at_their_end_and_not_all_the_time() {
        let mut trace = Trace::new("web");
        trace.take(message(
            vec![vertex("d", "[internal] load build context")],
            &[],
        ));
        let mut tell = |current, completed: bool| {
            let status = VertexStatus {
                id: "transferring context:".to_owned(),
                vertex: "d".to_owned(),
                current,
                completed: completed.then(Timestamp::default),
                ..VertexStatus::default()
            };
            let message = StatusResponse {
                statuses: vec![status],
                ..StatusResponse::default()
            };
            trace.take(message).len()
        };
        let told = [
            tell(10, false),
            tell(2 << 20, false),
            tell(20, true),
            tell(20, true),
        ];
        assert_eq!(told, [0, 1, 1, 0]);
    }
}
