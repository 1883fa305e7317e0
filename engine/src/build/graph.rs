//! The stages that a build needs, those that need no other at once.

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;

use super::builder::Builder;
use super::progress::{Progress, StageName, Step};
use super::stage::Stage;
use super::stages::Planned;
use super::{Failure, Instruction, parse};
use crate::Result;

/// The steps of a stage as they begin.
struct Counter {
    name: StageName,
    /// The number of the next step in the whole build.
    next: usize,
    /// The place of the next one that may change files, and how many of them there are.
    place: (usize, usize),
    /// Whether its base is an image.
    has_base: bool,
}

impl Builder<'_> {
    /// Builds the stages, each as soon as those are done that it needs. When one fails, the
    /// others end as soon as they can.
    pub(super) async fn build_stages(&self) -> Result<(), Failure> {
        let stages = self.plan.stages.iter().enumerate();
        let needed = stages.filter(|(_, stage)| stage.is_needed);
        let mut waiting: Vec<usize> = needed.map(|(number, _)| number).collect();
        let mut running = FuturesUnordered::new();
        let mut failed = None;
        loop {
            let is_ready = |number: &mut usize| {
                let mut needs = self.plan.stages[*number].needs.iter();
                needs.all(|other| self.done(*other).is_some())
            };
            if failed.is_none() {
                running.extend(waiting.extract_if(.., is_ready).map(|number| async move {
                    let planned = &self.plan.stages[number];
                    (number, Box::pin(self.stage(number, planned)).await)
                }));
            }
            let Some((number, built)) = running.next().await else {
                break;
            };
            match built {
                Ok(stage) => {
                    let _ = self.stages[number].set(stage);
                }
                Err(failure) => {
                    self.canceled.cancel();
                    failed.get_or_insert(failure);
                }
            }
            self.tell(Progress::StageDone(number));
        }
        failed.map_or(Ok(()), Err)
    }

    async fn stage(&self, number: usize, planned: &Planned) -> Result<Stage, Failure> {
        // What a stage takes over from another one is none of its steps.
        let has_base = planned.base != "scratch" && self.plan.base(number).is_none();
        let mut counter = Counter {
            name: StageName {
                number,
                shown: self.plan.shown_name(number),
            },
            next: self.plan.first_step(number),
            place: (1, planned.places() - usize::from(!has_base)),
            has_base,
        };
        let step = self.begin(&mut counter, &planned.from, false);
        let based = self.from(number, planned, &step).await;
        let mut stage = self.end(&step, based, Stage::id)?;
        let triggers = self.triggers(&mut stage, &step)?;
        counter.place.1 += triggers.iter().filter(|one| one.changes_files()).count();
        let triggers = triggers.iter().map(|trigger| (trigger, true));
        let steps = planned.steps.iter().map(|step| (step, false));
        for (instruction, is_trigger) in triggers.chain(steps) {
            let step = self.begin(&mut counter, instruction, is_trigger);
            let done = self.step(&mut stage, instruction, &step).await;
            self.end(&step, done, |()| stage.id())?;
        }
        Ok(stage)
    }

    /// The instructions that a base has for its children, which have them no more.
    fn triggers(&self, stage: &mut Stage, from: &Step) -> Result<Vec<Instruction>, Failure> {
        let config = stage.document.config.as_mut();
        let triggers = config.and_then(|config| config.on_build.take());
        let triggers = triggers.unwrap_or_default();
        if triggers.is_empty() {
            return Ok(Vec::new());
        }
        stage.base = None;
        let count = triggers.len();
        let s = if count == 1 { "" } else { "s" };
        let text = format!("# Executing {count} build trigger{s}");
        self.tell(Progress::Message(from, &text));
        let parsed = parse(&triggers.join("\n")).map_err(|failure| Failure {
            lines: Some(from.lines),
            ..failure
        });
        let at_base = |trigger| Instruction {
            lines: from.lines,
            ..trigger
        };
        Ok(parsed?.into_iter().map(at_base).collect())
    }

    /// Announces a step.
    fn begin(&self, counter: &mut Counter, instruction: &Instruction, is_trigger: bool) -> Step {
        let mut step = self.shown(instruction, (!is_trigger).then_some(counter.next));
        counter.next += usize::from(!is_trigger);
        if instruction.changes_files() && (counter.has_base || instruction.name != "FROM") {
            step.position = Some(counter.place);
            counter.place.0 += 1;
        }
        step.stage = Some(counter.name.clone());
        step.is_trigger = is_trigger;
        self.tell(Progress::StepStarted(&step));
        step
    }

    /// Tells how a step has ended, and locates its failure.
    fn end<T>(
        &self,
        step: &Step,
        done: Result<T, Failure>,
        id: impl FnOnce(&T) -> Result<String>,
    ) -> Result<T, Failure> {
        match done {
            Ok(done) => {
                self.tell(Progress::StepDone(step, &id(&done)?));
                Ok(done)
            }
            Err(mut failure) => {
                failure.lines.get_or_insert(step.lines);
                self.tell(Progress::StepFailed(step, &failure.error.message));
                Err(failure)
            }
        }
    }

    /// Refuses to go on with a build that is over.
    ///
    /// # Errors
    /// 400 when it is.
    pub(super) fn check_canceled(&self) -> Result<()> {
        if self.canceled.is_cancelled() {
            return Err(super::canceled());
        }
        Ok(())
    }
}
