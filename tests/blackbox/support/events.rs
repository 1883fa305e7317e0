//! The engine's own account of what happened when.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

/// One event, as far as tests look at it.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    /// `container`, `network`, `volume` or `image`.
    pub(crate) kind: String,
    /// `create`, `start`, `die`, `health_status: healthy` …
    pub(crate) action: String,
    /// The object's name.
    pub(crate) name: String,
    /// The Compose project it is labelled with, or nothing.
    pub(crate) project: String,
    /// Nanoseconds since 1970 by the engine's clock.
    pub(crate) nanoseconds: u64,
}

/// Collects every event from its start on; the engine itself remembers only a few hundred.
pub(crate) struct Recorder {
    seen: Arc<Mutex<Vec<Event>>>,
}

impl Recorder {
    /// Listens to the engine at `host` until that ends.
    pub(crate) fn start(host: &str) -> Self {
        let mut child = Command::new("docker")
            .args(["events", "--format", "{{json .}}"])
            .env("DOCKER_HOST", host)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("docker events runs");
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let recorder = Self {
            seen: Arc::clone(&seen),
        };
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if let Some(event) = parse(&line) {
                    seen.lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push(event);
                }
            }
            let _ = child.wait();
        });
        recorder
    }

    /// The events of the containers of `project` so far, in the engine's order.
    pub(crate) fn of(&self, project: &str) -> Vec<Event> {
        // Events reach the recorder on a connection of their own, so the last ones may be on their way.
        std::thread::sleep(std::time::Duration::from_millis(300));
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let mut events: Vec<Event> = seen
            .iter()
            .filter(|event| event.kind == "container" && event.project == project)
            .cloned()
            .collect();
        events.sort_by_key(|event| event.nanoseconds);
        events
    }
}

fn parse(line: &str) -> Option<Event> {
    let event: serde_json::Value = serde_json::from_str(line).ok()?;
    let attributes = &event["Actor"]["Attributes"];
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    Some(Event {
        kind: text(&event["Type"]),
        action: text(&event["Action"]),
        name: text(&attributes["name"]),
        project: text(&attributes["com.docker.compose.project"]),
        nanoseconds: event["timeNano"].as_u64()?,
    })
}

/// When `container` first did `action`; fails when it never did.
pub(crate) fn time_of(events: &[Event], container: &str, action: &str) -> u64 {
    let event = events
        .iter()
        .find(|event| event.name == container && event.action == action);
    event
        .unwrap_or_else(|| panic!("no {action:?} of {container} in {events:#?}"))
        .nanoseconds
}
