//! What is known of every step: the state that the live display draws.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use indexmap::IndexMap;

use super::build::build_step;
use crate::report::build::{BuildEvent, Change};
use crate::report::event::{Progress, Status, Step};

/// Lines of output that are kept of a step of a build.
pub(super) const KEPT_LINES: usize = 6;

/// Steps in the order in which they were first heard of.
#[derive(Debug, Default)]
pub struct Board {
    rows: IndexMap<String, Row>,
}

/// One step and its times.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) step: Step,
    started: Instant,
    ended: Option<Instant>,
    /// What a step of a build wrote last; none where this is something else.
    output: Option<VecDeque<String>>,
}

impl Row {
    /// How long the step has been or was under way.
    pub(super) fn elapsed(&self, now: Instant) -> Duration {
        self.ended
            .unwrap_or(now)
            .saturating_duration_since(self.started)
    }

    /// The last lines of its output, while it is under way.
    pub(super) fn output(&self) -> impl DoubleEndedIterator<Item = &str> {
        let output = self.output.iter().filter(|_| self.ended.is_none());
        output.flatten().map(String::as_str)
    }

    /// Whether it is an end of a build that nobody looks at again: of what the builder does for itself.
    fn is_passing(&self) -> bool {
        self.output.is_some()
            && self.step.status == Status::Done
            && self.step.id.contains(" internal] ")
    }

    fn update(&mut self, step: Step, now: Instant) {
        let parent = match (&self.step.parent, step.parent) {
            // A layer that several images share stays with the first one.
            (Some(known), Some(_)) => Some(known.clone()),
            (_, new) => new,
        };
        let progress = further(self.step.progress, step.progress);
        self.ended = match step.status {
            Status::Working => None,
            _ => self.ended.or(Some(now)),
        };
        self.step = Step {
            parent,
            progress,
            ..step
        };
    }
}

/// Progress never goes back, whatever order the engine reports it in.
fn further(known: Option<Progress>, new: Option<Progress>) -> Option<Progress> {
    match (known, new) {
        (Some(known), Some(new)) => Some(Progress {
            current: known.current.max(new.current),
            total: known.total.max(new.total),
        }),
        (known, new) => new.or(known),
    }
}

impl Board {
    /// Takes in what happened at `now`.
    pub fn update(&mut self, step: Step, now: Instant) {
        if let Some(row) = self.rows.get_mut(&step.id) {
            row.update(step, now);
            return;
        }
        let ended = (step.status != Status::Working).then_some(now);
        let row = Row {
            step,
            started: now,
            ended,
            output: None,
        };
        self.rows.insert(row.step.id.clone(), row);
    }

    /// Takes in what happened to a step of a build at `now`.
    pub fn update_build(&mut self, event: &BuildEvent, now: Instant) {
        let mut step = build_step(event);
        // Lines of output are below their step.
        if step.status == Status::Working {
            step.detail = None;
        }
        self.update(step, now);
        let Some(row) = self.rows.get_mut(&*event.name) else {
            return;
        };
        let output = row.output.get_or_insert_default();
        if let Change::Output(line) = &event.change {
            if output.len() == KEPT_LINES {
                output.pop_front();
            }
            output.push_back(line.text.clone());
        }
    }

    /// Whether nothing was heard of yet.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Steps that are no longer under way, and all steps.
    pub fn done(&self) -> (usize, usize) {
        let done = self
            .rows
            .values()
            .filter(|row| row.step.status != Status::Working)
            .count();
        (done, self.rows.len())
    }

    /// Whether something is under way.
    pub fn is_working(&self) -> bool {
        let (done, all) = self.done();
        done < all
    }

    /// Steps that are no part of another one on the board.
    pub(super) fn roots(&self) -> impl Iterator<Item = &Row> {
        self.rows.values().filter(|row| {
            row.step
                .parent
                .as_ref()
                .is_none_or(|parent| !self.rows.contains_key(parent))
        })
    }

    /// Steps that are a part of `id` and that are shown: those of a build only until it is done.
    pub(super) fn parts(&self, id: &str) -> impl Iterator<Item = &Row> {
        let whole = self.rows.get(id).map(|row| row.step.status);
        self.rows
            .values()
            .filter(move |row| row.step.parent.as_deref() == Some(id))
            .filter(move |row| row.output.is_none() || whole != Some(Status::Done))
            .filter(|row| !row.is_passing())
    }
}
