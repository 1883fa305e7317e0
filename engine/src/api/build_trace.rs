//! Progress of a build as BuildKit tells it: what `POST /build?version=2` answers with.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use bollard_buildkit_proto::google::protobuf::Timestamp;
use bollard_buildkit_proto::moby::buildkit::v1::{StatusResponse, Vertex, VertexLog, VertexStatus};
use prost::Message as _;
use serde_json::json;

use super::lines::Lines;
use crate::build::{Failure, Progress, Step};
use crate::identifier;
use crate::shim::Stream;

/// What a client calls the lines with progress.
const TRACE: &str = "moby.buildkit.trace";

/// Makes messages of what a build tells.
pub(super) struct Trace<'a> {
    lines: &'a Lines,
    /// No other build's steps have the same names.
    build: String,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// When steps began, and whether they were known, by id.
    steps: HashMap<usize, (Timestamp, bool)>,
    export: Option<Timestamp>,
    /// Whether a step was told to have failed.
    has_failed: bool,
}

impl<'a> Trace<'a> {
    pub(super) fn new(lines: &'a Lines) -> Self {
        Self {
            lines,
            build: identifier::new(),
            state: Mutex::default(),
        }
    }

    /// The context has come: so many bytes, since then.
    pub(super) fn context(&self, bytes: u64, started: SystemTime) {
        let mut vertex = self.vertex("context", "[internal] load build context");
        vertex.started = Some(timestamp(started));
        let status = VertexStatus {
            id: "transferring context:".to_owned(),
            vertex: vertex.digest.clone(),
            current: i64::try_from(bytes).unwrap_or(i64::MAX),
            timestamp: Some(now()),
            started: vertex.started,
            completed: Some(now()),
            ..VertexStatus::default()
        };
        self.send(&StatusResponse {
            vertexes: vec![vertex.clone()],
            statuses: vec![status],
            ..StatusResponse::default()
        });
        vertex.completed = Some(now());
        self.send_vertex(vertex);
    }

    /// Takes one thing that happened.
    pub(super) fn take(&self, progress: Progress<'_>) {
        match progress {
            Progress::StepStarted(step) => self.started(step),
            Progress::Cached(step) => {
                let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some((_, is_known)) = state.steps.get_mut(&step.id) {
                    *is_known = true;
                }
            }
            Progress::Output(step, stream, bytes) => self.log(step, stream, bytes),
            Progress::Message(step, text) => {
                self.log(step, Stream::Stdout, format!("{text}\n").as_bytes());
            }
            Progress::StepDone(step, _) => self.ended(step, ""),
            Progress::StepFailed(step, error) => self.ended(step, error),
            Progress::Built(image) => self.exporting(&format!("writing image {image}")),
            Progress::Tagged(name) => self.exporting(&format!("naming to {name}")),
            Progress::Running(..) | Progress::Removed(..) | Progress::StageDone(_) => {}
        }
    }

    /// The image is there, under all its names.
    pub(super) fn finish(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(started) = state.export.take() {
            let mut vertex = self.vertex("export", EXPORT);
            vertex.started = Some(started);
            vertex.completed = Some(now());
            self.send_vertex(vertex);
        }
    }

    /// A failure whose lines the client can find: those of a step that it was told of, or the first of the message.
    pub(super) fn located(&self, failure: Failure) -> Failure {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let line = failure.lines.map_or(0, |lines| lines.first);
        let mut error = failure.error;
        error.message = of_process(&error.message);
        if !state.has_failed && line > 0 && !error.message.contains(PARSE_ERROR) {
            error.message = format!("{PARSE_ERROR} on line {line}: {}", error.message);
        }
        Failure { error, ..failure }
    }

    fn started(&self, step: &Step) {
        let Some(mut vertex) = self.vertex_of(step) else {
            return;
        };
        let started = now();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.steps.insert(step.id, (started, false));
        vertex.started = Some(started);
        self.send_vertex(vertex);
    }

    fn ended(&self, step: &Step, error: &str) {
        let Some(mut vertex) = self.vertex_of(step) else {
            return;
        };
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((started, is_known)) = state.steps.remove(&step.id) else {
            return;
        };
        vertex.started = Some(started);
        vertex.completed = Some(now());
        vertex.cached = is_known;
        vertex.error = of_process(error);
        state.has_failed |= !error.is_empty();
        self.send_vertex(vertex);
    }

    fn log(&self, step: &Step, stream: Stream, bytes: &[u8]) {
        let Some(vertex) = self.vertex_of(step) else {
            return;
        };
        let log = VertexLog {
            vertex: vertex.digest,
            timestamp: Some(now()),
            stream: if stream == Stream::Stderr { 2 } else { 1 },
            msg: bytes.to_vec(),
        };
        self.send(&StatusResponse {
            logs: vec![log],
            ..StatusResponse::default()
        });
    }

    fn exporting(&self, what: &str) {
        let mut vertex = self.vertex("export", EXPORT);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        vertex.started = Some(*state.export.get_or_insert_with(now));
        let status = VertexStatus {
            id: what.to_owned(),
            vertex: vertex.digest.clone(),
            timestamp: Some(now()),
            started: Some(now()),
            completed: Some(now()),
            ..VertexStatus::default()
        };
        self.send(&StatusResponse {
            vertexes: vec![vertex],
            statuses: vec![status],
            ..StatusResponse::default()
        });
    }

    /// The step as BuildKit names it, `[stage 2/4] RUN make`; none for one that it does not show.
    fn vertex_of(&self, step: &Step) -> Option<Vertex> {
        let (position, count) = step.position?;
        let stage = step.stage.as_ref().map(|stage| stage.shown.as_str());
        let stage = stage.unwrap_or_default();
        let gap = if stage.is_empty() { "" } else { " " };
        let name = format!("[{stage}{gap}{position}/{count}] {}", step.text);
        Some(self.vertex(&step.id.to_string(), &name))
    }

    fn vertex(&self, id: &str, name: &str) -> Vertex {
        Vertex {
            digest: format!("{}:{id}", self.build),
            name: name.to_owned(),
            ..Vertex::default()
        }
    }

    fn send_vertex(&self, vertex: Vertex) {
        self.send(&StatusResponse {
            vertexes: vec![vertex],
            ..StatusResponse::default()
        });
    }

    fn send(&self, message: &StatusResponse) {
        let encoded = base64::prelude::BASE64_STANDARD.encode(message.encode_to_vec());
        self.lines.send(&json!({ "id": TRACE, "aux": encoded }));
    }
}

/// What BuildKit calls everything that is wrong with the text of a Dockerfile.
const PARSE_ERROR: &str = "dockerfile parse error";

/// The step that makes the image.
const EXPORT: &str = "exporting to image";

/// What the classic builder says of a command that failed → what BuildKit says of it.
fn of_process(error: &str) -> String {
    let command = error.strip_prefix("The command '");
    match command.and_then(|rest| rest.rsplit_once("' returned a non-zero code: ")) {
        Some((command, code)) => {
            format!("process {command:?} did not complete successfully: exit code: {code}")
        }
        None => error.to_owned(),
    }
}

fn now() -> Timestamp {
    timestamp(SystemTime::now())
}

fn timestamp(time: SystemTime) -> Timestamp {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp {
        seconds: i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
        nanos: i32::try_from(since.subsec_nanos()).unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_failed_is_told_in_the_words_of_its_builder() {
        assert_eq!(
            of_process("The command '/bin/sh -c exit 5' returned a non-zero code: 5"),
            "process \"/bin/sh -c exit 5\" did not complete successfully: exit code: 5"
        );
        assert_eq!(of_process("no such file"), "no such file");
    }
}
