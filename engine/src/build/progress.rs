//! What a build tells while it goes on.

use crate::shim::Stream;

/// Where a build's progress goes. Steps of several stages may go on at once.
pub(crate) type Sink<'a> = &'a (dyn Fn(Progress<'_>) + Send + Sync);

/// Lines of a Dockerfile, counted from 1, both of them among them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Lines {
    /// The first; 0 for what the Dockerfile does not have.
    pub(crate) first: usize,
    /// The last.
    pub(crate) last: usize,
}

/// A stage, as people see it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct StageName {
    /// From 0, in the order of the Dockerfile.
    pub(crate) number: usize,
    /// Its name in lower case, `stage-N` where it has none and there are others that the build
    /// needs, and empty where it is the only one.
    pub(crate) shown: String,
}

/// One instruction that is being done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Step {
    /// From 0 in the order of their beginning; of no other step of this build.
    pub(crate) id: usize,
    /// From 1 in the order of the Dockerfile among everything that this build does, and of how
    /// many; none for triggers of a base.
    pub(crate) number: Option<(usize, usize)>,
    /// Its stage; none before the first.
    pub(crate) stage: Option<StageName>,
    /// From 1 among those of its stage that may change files, and of how many; none for one that
    /// changes the configuration alone.
    pub(crate) position: Option<(usize, usize)>,
    /// Whether it is a trigger of the base.
    pub(crate) is_trigger: bool,
    /// The instruction on one line.
    pub(crate) text: String,
    /// Where it is in the Dockerfile.
    pub(crate) lines: Lines,
}

/// One thing that happened.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Progress<'a> {
    /// A step begins.
    StepStarted(&'a Step),
    /// What comes of it is known; nothing has to be done.
    Cached(&'a Step),
    /// Its command runs in a container, of this id.
    Running(&'a Step, &'a str),
    /// Its command has written something.
    Output(&'a Step, Stream, &'a [u8]),
    /// The container has gone again.
    Removed(&'a Step, &'a str),
    /// Something about it for people, in one or more lines.
    Message(&'a Step, &'a str),
    /// It is done, and this would be the image's id.
    StepDone(&'a Step, &'a str),
    /// It failed, and why.
    StepFailed(&'a Step, &'a str),
    /// Nothing more comes of a stage, by its number.
    StageDone(usize),
    /// The image is there, by its id.
    Built(&'a str),
    /// It has this name now.
    Tagged(&'a str),
}

impl Progress<'_> {
    /// The number of the stage that it is about; none for what is about the whole build.
    pub(crate) fn stage(&self) -> Option<usize> {
        match self {
            Self::StepStarted(step)
            | Self::Cached(step)
            | Self::Running(step, _)
            | Self::Output(step, ..)
            | Self::Removed(step, _)
            | Self::Message(step, _)
            | Self::StepDone(step, _)
            | Self::StepFailed(step, _) => step.stage.as_ref().map(|stage| stage.number),
            Self::StageDone(number) => Some(*number),
            Self::Built(_) | Self::Tagged(_) => None,
        }
    }
}
