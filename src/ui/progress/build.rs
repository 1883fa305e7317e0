//! Steps of builds as people know them from `docker build`: lines with the number of their step,
//! those of one step together as far as that goes.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use indexmap::IndexMap;

use crate::report::build::{BuildEvent, Change, Ending, Part};
use crate::report::event::Step;
use crate::ui::format::human_size;

/// How long the lines of a step wait for another one to end.
const PATIENCE: Duration = Duration::from_secs(5);

/// Times of parts shorter than this are not told.
const SHORT: Duration = Duration::from_millis(10);

/// Progress of builds as lines.
#[derive(Debug, Default)]
pub struct BuildLines {
    numbers: HashMap<Arc<str>, usize>,
    /// The step whose lines are being shown.
    current: Option<Arc<str>>,
    /// Steps under way whose lines are not.
    waiting: IndexMap<Arc<str>, Waiting>,
}

#[derive(Debug)]
struct Waiting {
    name: Arc<str>,
    since: Instant,
    lines: Vec<String>,
}

impl BuildLines {
    /// Takes in what happened at `now`; the lines to show because of it, with their ends.
    pub fn take(&mut self, event: &BuildEvent, now: Instant) -> String {
        let mut text = String::new();
        let line = line(&event.change);
        let ends = matches!(event.change, Change::Ended(_));
        if self.current.as_ref() == Some(&event.step) {
            self.write(&mut text, &event.step, line);
        } else {
            let waiting = self.waiting.entry(Arc::clone(&event.step));
            let waiting = waiting.or_insert_with(|| Waiting {
                name: Arc::clone(&event.name),
                since: now,
                lines: Vec::new(),
            });
            waiting.lines.extend(line);
            let is_due = now.saturating_duration_since(waiting.since) > PATIENCE;
            if ends || is_due || self.current.is_none() {
                self.switch(&mut text, &event.step);
            }
        }
        if ends {
            self.current = None;
            if let Some(next) = self.waiting.keys().next().cloned() {
                self.switch(&mut text, &next);
            }
        }
        text
    }

    /// Goes on with another step.
    fn switch(&mut self, text: &mut String, step: &Arc<str>) {
        if let Some(left) = self.current.replace(Arc::clone(step)) {
            self.write(text, &left, Some("...".to_owned()));
        }
        let Some(waiting) = self.waiting.shift_remove(step) else {
            return;
        };
        if !self.numbers.is_empty() {
            text.push('\n');
        }
        let count = self.numbers.len();
        let number = self.numbers.entry(Arc::clone(step));
        number.or_insert(count + 1);
        self.write(text, step, Some(waiting.name.to_string()));
        for line in waiting.lines {
            self.write(text, step, Some(line));
        }
    }

    fn write(&self, text: &mut String, step: &Arc<str>, line: Option<String>) {
        if let (Some(number), Some(line)) = (self.numbers.get(step), line) {
            // Writing to a string does not fail.
            let _ = writeln!(text, "#{number} {line}");
        }
    }
}

/// What to say of a change, without the number of the step.
fn line(change: &Change) -> Option<String> {
    Some(match change {
        Change::Started => return None,
        Change::Output(line) => format!("{:.3} {}", line.after.as_secs_f64(), line.text),
        Change::Part(part) => of_part(part),
        Change::Warning(text) => format!("WARN: {text}"),
        Change::Ended(Ending::Failed(error)) => format!("ERROR: {error}"),
        Change::Ended(ending) => outcome(ending),
    })
}

/// `transferring context: 1.05MB / 2MB 0.3s done`.
fn of_part(part: &Part) -> String {
    let mut text = part.name.clone();
    match (part.current, part.total) {
        (0, 0) => {}
        (current, 0) => text = format!("{text} {}", human_size(current, 3)),
        (current, total) => {
            let (current, total) = (human_size(current, 3), human_size(total, 3));
            text = format!("{text} {current} / {total}");
        }
    }
    if part.taken > SHORT {
        text = format!("{text} {:.1}s", part.taken.as_secs_f64());
    }
    if part.ended { text + " done" } else { text }
}

fn outcome(ending: &Ending) -> String {
    match ending {
        Ending::Done(taken) => format!("DONE {:.1}s", taken.as_secs_f64()),
        Ending::Cached => "CACHED".to_owned(),
        Ending::Canceled => "CANCELED".to_owned(),
        Ending::Failed(_) => "ERROR".to_owned(),
    }
}

/// What happened as the progress of a resource: a part of the service's.
pub fn build_step(event: &BuildEvent) -> Step {
    let id = event.name.to_string();
    let step = match &event.change {
        Change::Started => Step::working(id, ""),
        Change::Output(line) => Step::working(id, "").detail(&line.text),
        Change::Part(part) if part.total > 0 => {
            Step::working(id, "").progress(part.current, part.total)
        }
        Change::Part(_) => Step::working(id, ""),
        Change::Warning(text) => Step::warning(id, "Warning").detail(text),
        Change::Ended(ending) => match ending {
            Ending::Done(_) | Ending::Cached => Step::done(id, outcome(ending)),
            Ending::Canceled => Step::warning(id, outcome(ending)),
            Ending::Failed(error) => Step::error(id, outcome(ending)).detail(error),
        },
    };
    step.part_of(&*event.service)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::build::Line;

    fn event(step: &str, change: Change) -> BuildEvent {
        BuildEvent {
            service: "web".into(),
            step: step.into(),
            name: format!("[web 2/2] RUN {step}").into(),
            change,
        }
    }

    fn output(text: &str) -> Change {
        Change::Output(Line {
            text: text.to_owned(),
            after: Duration::from_millis(123),
        })
    }

    fn done() -> Change {
        Change::Ended(Ending::Done(Duration::from_millis(340)))
    }

    #[test]
    fn one_step_after_the_other() {
        let mut lines = BuildLines::default();
        let now = Instant::now();
        let part = Change::Part(Part {
            name: "transferring context:".to_owned(),
            current: 1_048_576,
            total: 0,
            taken: Duration::from_millis(20),
            ended: true,
        });
        let failed = Change::Ended(Ending::Failed("exit code: 1".to_owned()));
        let events = [
            event("a", Change::Started),
            event("a", part),
            event("a", done()),
            event("b", Change::Ended(Ending::Cached)),
            event("c", Change::Started),
            event("c", output("text")),
            event("c", failed),
        ];
        let text: String = events.iter().map(|event| lines.take(event, now)).collect();
        insta::assert_snapshot!(text, @r"
        #1 [web 2/2] RUN a
        #1 transferring context: 1.05MB 0.0s done
        #1 DONE 0.3s

        #2 [web 2/2] RUN b
        #2 CACHED

        #3 [web 2/2] RUN c
        #3 0.123 text
        #3 ERROR: exit code: 1
        ");
    }

    #[test]
    fn steps_side_by_side_keep_their_lines_together() {
        let mut lines = BuildLines::default();
        let start = Instant::now();
        let mut text = String::new();
        let mut take = |seconds: u64, event: BuildEvent| {
            text.push_str(&lines.take(&event, start + Duration::from_secs(seconds)));
        };
        take(0, event("a", Change::Started));
        take(0, event("b", Change::Started));
        take(1, event("b", output("waits")));
        take(1, event("a", output("goes on")));
        take(2, event("c", Change::Ended(Ending::Cached)));
        take(2, event("a", output("again")));
        take(9, event("b", output("long")));
        take(9, event("a", done()));
        take(9, event("b", done()));
        insta::assert_snapshot!(text, @r"
        #1 [web 2/2] RUN a
        #1 0.123 goes on
        #1 ...

        #2 [web 2/2] RUN c
        #2 CACHED

        #3 [web 2/2] RUN b
        #3 0.123 waits
        #3 0.123 long
        #3 ...

        #1 [web 2/2] RUN a
        #1 0.123 again
        #1 DONE 0.3s

        #3 [web 2/2] RUN b
        #3 DONE 0.3s
        ");
    }
}
