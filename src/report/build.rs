//! What builds of images tell while they go on.

use std::sync::Arc;
use std::time::Duration;

/// Something that happened to one step of a build.
#[derive(Debug, Clone, PartialEq)]
pub struct BuildEvent {
    /// The service whose image is built.
    pub service: Arc<str>,
    /// What the builder calls the step: the same in every build that shares it.
    pub step: Arc<str>,
    /// The step as people know it: `[web 2/4] RUN make`.
    pub name: Arc<str>,
    /// What happened.
    pub change: Change,
}

/// What can happen to a step.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// It begins.
    Started,
    /// It wrote a line.
    Output(Line),
    /// A part of it, such as a transfer, got on.
    Part(Part),
    /// There is something to know about it.
    Warning(String),
    /// It is over.
    Ended(Ending),
}

/// A line of output.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// The line, without its end.
    pub text: String,
    /// How long after the beginning of the step.
    pub after: Duration,
}

/// A part of a step.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// What is done: "transferring context:".
    pub name: String,
    /// Bytes done so far.
    pub current: u64,
    /// All bytes; 0 where that is not known.
    pub total: u64,
    /// How long it has taken so far.
    pub taken: Duration,
    /// Whether it is over.
    pub ended: bool,
}

/// How a step ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Ending {
    /// Well, after this time.
    Done(Duration),
    /// Nothing had to be done.
    Cached,
    /// Another one failed, or the person interrupted.
    Canceled,
    /// With this cause.
    Failed(String),
}
