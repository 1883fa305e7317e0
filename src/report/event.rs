//! What running a plan has to tell: progress, log lines, exits, warnings.
//!
//! The run room never prints. It sends [`Event`]s, and `ui` shows them.

use bytes::Bytes;

use super::build::BuildEvent;

/// Where the run room sends its events.
pub type Sender = tokio::sync::mpsc::UnboundedSender<Event>;

/// Where `ui` reads them.
pub type Receiver = tokio::sync::mpsc::UnboundedReceiver<Event>;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Progress of one resource.
    Step(Step),
    /// Progress of the build of an image.
    Build(BuildEvent),
    /// Output of a container.
    Log(LogLine),
    /// The output of a container is being read from now on.
    Attached(Origin),
    /// A container stopped.
    Exited {
        /// Which container.
        origin: Origin,
        /// Exit code of its main process.
        code: i64,
        /// Whether the engine starts it again by its restart policy.
        restarting: bool,
    },
    /// Something the person should know that is no failure.
    Warning(String),
    /// A line for the person.
    Note {
        /// The line, without its end.
        text: String,
        /// Where it goes.
        stream: Stream,
    },
    /// Keyboard shortcuts to show from now on, in the place of others; none where empty.
    Menu(Vec<Shortcut>),
}

/// A key, and what it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shortcut {
    /// The key.
    pub key: char,
    /// What it does, such as "Detach".
    pub action: &'static str,
}

/// The state of one resource's progress; a later one with the same `id` replaces it.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The resource: "Container p-web-1", "Network p_default", "Volume p_data", "Image p-web";
    /// the bare service name while pulling or building.
    pub id: String,
    /// The `id` of the resource this is a part of (a layer of an image).
    pub parent: Option<String>,
    /// How it stands.
    pub status: Status,
    /// What is happening or has happened: "Creating", "Created", "Pulling" …
    pub text: String,
    /// More about it, such as the cause of an error.
    pub detail: Option<String>,
    /// How far it got, where that is known.
    pub progress: Option<Progress>,
}

/// How a resource's progress stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Under way.
    Working,
    /// Finished.
    Done,
    /// Finished, with something to know.
    Warning,
    /// Failed.
    Error,
}

/// Part of a whole, in bytes or steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Done so far.
    pub current: u64,
    /// All there is to do; 0 where unknown.
    pub total: u64,
}

/// The container that something comes from.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin {
    /// Name without the project's prefix, as the log prefix shows it ("web-1").
    pub container: String,
    /// Its service.
    pub service: String,
}

/// One line (or a part of a line without its end) of a container's output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// Which container wrote it.
    pub origin: Origin,
    /// Where it wrote it to.
    pub stream: Stream,
    /// When, RFC 3339 with nanoseconds, where timestamps were asked for.
    pub timestamp: Option<String>,
    /// The bytes without the line end.
    pub bytes: Bytes,
}

/// Standard output or standard error of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

impl Step {
    /// A step of `id` with a status and a text, without details.
    pub fn new(id: impl Into<String>, status: Status, text: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            parent: None,
            status,
            text: text.into(),
            detail: None,
            progress: None,
        }
    }

    /// Something under way.
    pub fn working(id: impl Into<String>, text: impl Into<String>) -> Self {
        Self::new(id, Status::Working, text)
    }

    /// Something finished.
    pub fn done(id: impl Into<String>, text: impl Into<String>) -> Self {
        Self::new(id, Status::Done, text)
    }

    /// Something that failed.
    pub fn error(id: impl Into<String>, text: impl Into<String>) -> Self {
        Self::new(id, Status::Error, text)
    }

    /// Something finished with a warning.
    pub fn warning(id: impl Into<String>, text: impl Into<String>) -> Self {
        Self::new(id, Status::Warning, text)
    }

    /// Adds more about it.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Makes it a part of another resource.
    #[must_use]
    pub fn part_of(mut self, parent: impl Into<String>) -> Self {
        self.parent = Some(parent.into());
        self
    }

    /// Adds how far it got.
    #[must_use]
    pub fn progress(mut self, current: u64, total: u64) -> Self {
        self.progress = Some(Progress { current, total });
        self
    }
}

impl From<BuildEvent> for Event {
    fn from(event: BuildEvent) -> Self {
        Self::Build(event)
    }
}

impl From<Step> for Event {
    fn from(step: Step) -> Self {
        Self::Step(step)
    }
}

/// A sender to nobody.
pub fn nobody() -> Sender {
    tokio::sync::mpsc::unbounded_channel().0
}

/// Sends an event; when nobody listens any more it is dropped.
pub fn send(sender: &Sender, event: impl Into<Event>) {
    let _ = sender.send(event.into());
}
