//! Steps that go on, so that equal ones of several builds are done once: the others wait for what comes of the first.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

/// The steps that are being done, by their keys in the cache.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    steps: Mutex<HashMap<String, watch::Receiver<Option<End>>>>,
}

/// How a step has ended for those who waited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// What came of it is in the cache.
    Done,
    /// It cannot be done. Those who wait find out themselves, all at once, and each tells its own build.
    Failed,
    /// Nobody has found out: the build that did it was given up. One of those who wait does it.
    Abandoned,
}

/// Who does a step.
pub(super) enum Turn<'a> {
    /// The one who asked.
    Own(Doing<'a>),
    /// Somebody else, who is waited for.
    Other(Waiting),
}

/// A step that the holder does; without [`Self::end`] it counts as abandoned.
pub(super) struct Doing<'a> {
    shared: &'a Shared,
    key: String,
    sender: watch::Sender<Option<End>>,
}

/// A step that somebody else does.
pub(super) struct Waiting(watch::Receiver<Option<End>>);

impl Shared {
    /// Begins a step, unless somebody does it already.
    pub(super) fn turn(&self, key: &str) -> Turn<'_> {
        let mut steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(other) = steps.get(key) {
            return Turn::Other(Waiting(other.clone()));
        }
        let (sender, receiver) = watch::channel(None);
        steps.insert(key.to_owned(), receiver);
        Turn::Own(Doing {
            shared: self,
            key: key.to_owned(),
            sender,
        })
    }
}

impl Doing<'_> {
    /// Tells those who wait how it has ended.
    pub(super) fn end(self, end: End) {
        self.sender.send_replace(Some(end));
    }
}

impl Drop for Doing<'_> {
    fn drop(&mut self) {
        // Before the sender goes: who waits then finds the key free.
        let steps = self.shared.steps.lock();
        steps
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.key);
    }
}

impl Waiting {
    /// Waits for the end of the step.
    pub(super) async fn end(mut self) -> End {
        let ended = self.0.wait_for(Option::is_some).await;
        ended.ok().and_then(|end| *end).unwrap_or(End::Abandoned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own<'a>(shared: &'a Shared, key: &str) -> Doing<'a> {
        match shared.turn(key) {
            Turn::Own(doing) => doing,
            Turn::Other(_) => panic!("somebody does {key}"),
        }
    }

    fn other(shared: &Shared, key: &str) -> Waiting {
        match shared.turn(key) {
            Turn::Own(_) => panic!("nobody does {key}"),
            Turn::Other(waiting) => waiting,
        }
    }

    #[tokio::test]
    async fn one_does_a_step_and_the_others_learn_how_it_ends() {
        let shared = Shared::default();
        for end in [End::Done, End::Failed, End::Abandoned] {
            let doing = own(&shared, "key");
            let waiting = [other(&shared, "key"), other(&shared, "key")];
            drop(own(&shared, "another"));
            match end {
                End::Abandoned => drop(doing),
                end => doing.end(end),
            }
            for waiting in waiting {
                assert_eq!(waiting.end().await, end);
            }
            drop(own(&shared, "key"));
        }
    }
}
