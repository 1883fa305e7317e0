//! Progress as the classic builder wrote it: one text, stage after stage.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use super::progress::Progress;

/// Makes one text of stages that are built at once: the text of one at a time passes, that of
/// others waits.
pub(crate) struct Classic<F: Fn(&str)> {
    say: F,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The stage whose text passes.
    current: Option<usize>,
    waiting: BTreeMap<usize, String>,
    done: BTreeSet<usize>,
}

impl<F: Fn(&str)> Classic<F> {
    /// Hands the text to `say`, in pieces.
    pub(crate) fn new(say: F) -> Self {
        Self {
            say,
            state: Mutex::default(),
        }
    }

    /// Takes one thing that happened.
    pub(crate) fn take(&self, progress: Progress<'_>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let text = text(progress);
        let Some(stage) = progress.stage() else {
            state.flush(&self.say);
            return (self.say)(&text);
        };
        if *state.current.get_or_insert(stage) == stage {
            if !text.is_empty() {
                (self.say)(&text);
            }
        } else {
            state.waiting.entry(stage).or_default().push_str(&text);
        }
        if matches!(progress, Progress::StageDone(_)) {
            state.done.insert(stage);
            state.advance(&self.say);
        }
    }

    /// Says what still waits: of stages that go on while another has failed.
    pub(crate) fn finish(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.flush(&self.say);
    }
}

impl State {
    /// Goes on with the next stage where the current one is done.
    fn advance(&mut self, say: &dyn Fn(&str)) {
        while let Some(current) = self.current.filter(|current| self.done.contains(current)) {
            self.done.remove(&current);
            let Some((next, text)) = self.waiting.pop_first() else {
                self.current = None;
                return;
            };
            self.current = Some(next);
            say(&text);
        }
    }

    fn flush(&mut self, say: &dyn Fn(&str)) {
        for text in std::mem::take(&mut self.waiting).into_values() {
            say(&text);
        }
    }
}

fn text(progress: Progress<'_>) -> String {
    match progress {
        Progress::StepStarted(step) => match step.number {
            Some((number, count)) => format!("Step {number}/{count} : {}\n", step.text),
            None => format!("Trigger : {}\n", step.text),
        },
        Progress::Cached(_) => " ---> Using cache\n".to_owned(),
        Progress::Running(_, container) => format!(" ---> Running in {}\n", short(container)),
        Progress::Output(_, _, bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Progress::Removed(_, container) => {
            format!(
                " ---> Removed intermediate container {}\n",
                short(container)
            )
        }
        Progress::Message(_, text) => format!("{text}\n"),
        Progress::StepDone(_, image) => format!(" ---> {}\n", short(image)),
        Progress::StepFailed(..) | Progress::StageDone(_) => String::new(),
        Progress::Built(image) => format!("Successfully built {}\n", short(image)),
        Progress::Tagged(name) => format!("Successfully tagged {name}\n"),
    }
}

fn short(id: &str) -> &str {
    let hex = id.strip_prefix("sha256:").unwrap_or(id);
    hex.get(..12).unwrap_or(hex)
}

#[cfg(test)]
mod tests {
    use super::super::progress::{StageName, Step};
    use super::*;

    fn step(stage: usize, text: &str) -> Step {
        Step {
            number: Some((stage + 1, 2)),
            stage: Some(StageName {
                number: stage,
                shown: String::new(),
            }),
            text: text.to_owned(),
            ..Step::default()
        }
    }

    #[test]
    fn stages_that_go_on_at_once_are_told_one_after_the_other() {
        let said = Mutex::new(String::new());
        let classic = Classic::new(|text: &str| said.lock().unwrap().push_str(text));
        let (one, two) = (step(0, "RUN a"), step(1, "RUN b"));
        classic.take(Progress::StepStarted(&two));
        classic.take(Progress::StepStarted(&one));
        classic.take(Progress::Message(&one, "one"));
        classic.take(Progress::Message(&two, "two"));
        classic.take(Progress::StageDone(0));
        classic.take(Progress::StageDone(1));
        classic.take(Progress::Built("sha256:0123456789abcdef"));
        classic.finish();
        let expected = "Step 2/2 : RUN b\ntwo\nStep 1/2 : RUN a\none\n\
                        Successfully built 0123456789ab\n";
        assert_eq!(*said.lock().unwrap(), expected);
    }
}
