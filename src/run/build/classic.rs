//! The text that classic builders write → progress.

use std::sync::Arc;
use std::time::Instant;

use super::trace::{Failed, KEPT_LINES};
use crate::report::build::{BuildEvent, Change, Ending, Line};

/// Reads what a classic builder says, line by line.
#[derive(Debug)]
pub(super) struct Classic {
    service: Arc<str>,
    /// The step that goes on.
    current: Option<Current>,
}

#[derive(Debug)]
struct Current {
    /// The builder's own words: `Step 2/4 : RUN make`.
    said: String,
    step: Arc<str>,
    name: Arc<str>,
    began: Instant,
    is_cached: bool,
    /// The last lines of its output.
    lines: Vec<String>,
}

impl Classic {
    pub(super) fn new(service: &str) -> Self {
        Self {
            service: service.into(),
            current: None,
        }
    }

    /// Takes a line that came at `now`; what to tell because of it.
    pub(super) fn take(&mut self, line: &str, now: Instant) -> Vec<BuildEvent> {
        if let Some(name) = self.step(line) {
            let mut events: Vec<BuildEvent> = self.end(now, None).into_iter().collect();
            let current = Current {
                said: line.to_owned(),
                step: format!("{}:{line}", self.service).into(),
                name: name.into(),
                began: now,
                is_cached: false,
                lines: Vec::new(),
            };
            events.push(current.event(&self.service, Change::Started));
            self.current = Some(current);
            return events;
        }
        let Some(current) = &mut self.current else {
            return Vec::new();
        };
        if let Some(said) = line.strip_prefix(" ---> ") {
            current.is_cached |= said == "Using cache";
            return Vec::new();
        }
        if line.starts_with("Removing intermediate container ")
            || line.starts_with("Successfully tagged ")
        {
            return Vec::new();
        }
        if line.starts_with("Successfully built ") {
            return self.end(now, None).into_iter().collect();
        }
        current.lines.push(line.to_owned());
        let surplus = current.lines.len().saturating_sub(KEPT_LINES);
        current.lines.drain(..surplus);
        let line = Line {
            text: line.to_owned(),
            after: now.saturating_duration_since(current.began),
        };
        vec![current.event(&self.service, Change::Output(line))]
    }

    /// The build failed with this cause; what to tell, and the step that it failed at.
    pub(super) fn fail(
        &mut self,
        cause: &str,
        now: Instant,
    ) -> (Option<BuildEvent>, Option<Failed>) {
        let failed = self.current.as_ref().map(|current| Failed {
            name: current.said.clone(),
            lines: current.lines.clone(),
        });
        (self.end(now, Some(cause)), failed)
    }

    /// `Step 2/4 : RUN make` of service web → `[web 2/4] RUN make`.
    fn step(&self, line: &str) -> Option<String> {
        let (count, text) = line.strip_prefix("Step ")?.split_once(" : ")?;
        Some(format!("[{} {count}] {text}", self.service))
    }

    fn end(&mut self, now: Instant, cause: Option<&str>) -> Option<BuildEvent> {
        let current = self.current.take()?;
        let ending = match cause {
            Some(cause) => Ending::Failed(cause.to_owned()),
            None if current.is_cached => Ending::Cached,
            None => Ending::Done(now.saturating_duration_since(current.began)),
        };
        Some(current.event(&self.service, Change::Ended(ending)))
    }
}

impl Current {
    fn event(&self, service: &Arc<str>, change: Change) -> BuildEvent {
        BuildEvent {
            service: Arc::clone(service),
            step: Arc::clone(&self.step),
            name: Arc::clone(&self.name),
            change,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn text_becomes_steps() {
        let mut classic = Classic::new("web");
        let now = Instant::now();
        let said = [
            "Step 1/3 : FROM base",
            " ---> 123",
            "Step 2/3 : RUN x",
            " ---> Using cache",
            "Step 3/3 : RUN y",
            " ---> Running in 456",
            "written",
        ];
        let events = said.iter().flat_map(|line| classic.take(line, now));
        let told: Vec<(String, Change)> = events
            .map(|event| (event.name.to_string(), event.change))
            .collect();
        let step = |text: &str, change| (format!("[web {text}"), change);
        let expected = [
            step("1/3] FROM base", Change::Started),
            step(
                "1/3] FROM base",
                Change::Ended(Ending::Done(Duration::ZERO)),
            ),
            step("2/3] RUN x", Change::Started),
            step("2/3] RUN x", Change::Ended(Ending::Cached)),
            step("3/3] RUN y", Change::Started),
            step(
                "3/3] RUN y",
                Change::Output(Line {
                    text: "written".to_owned(),
                    after: Duration::ZERO,
                }),
            ),
        ];
        assert_eq!(told, expected);
        let (event, failed) = classic.fail("code 1", now);
        let failure = Change::Ended(Ending::Failed("code 1".to_owned()));
        assert_eq!(event.map(|event| event.change), Some(failure));
        let failed = failed.map(|failed| (failed.name, failed.lines));
        let expected = ("Step 3/3 : RUN y".to_owned(), vec!["written".to_owned()]);
        assert_eq!(failed, Some(expected));
    }
}
