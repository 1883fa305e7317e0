//! Health: what a container's health check has found so far. No clock, no process.

use std::collections::VecDeque;
use std::time::Duration;

use bollard_stubs::models::HealthConfig;
use serde::{Deserialize, Serialize};

use super::record::Record;

/// How many results are kept.
const KEPT: usize = 5;
/// How much of a check's output is kept, in bytes.
pub(crate) const LONGEST_OUTPUT: usize = 4096;
/// The first early probe comes after this; each further one after twice as long.
const FIRST_EARLY: Duration = Duration::from_millis(50);

/// How to check, with Docker's defaults filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    /// The command: words, or a text for the shell.
    pub(crate) command: Command,
    interval: Duration,
    /// How long one check may take.
    pub(crate) timeout: Duration,
    retries: i64,
    start_period: Duration,
    start_interval: Duration,
}

/// What is executed in the container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Command {
    /// A program with its arguments.
    Words(Vec<String>),
    /// A text for the container's shell.
    Shell(String),
}

/// A container's health in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    /// Not known yet.
    Starting,
    /// The last check succeeded.
    Healthy,
    /// As many checks failed in a row as `retries` says.
    Unhealthy,
}

/// What the checks have found so far.
#[derive(Debug, Clone)]
pub(crate) struct Health {
    /// In a word.
    pub(crate) verdict: Verdict,
    /// How many checks failed in a row.
    pub(crate) failing: i64,
    /// The last results, the oldest first.
    pub(crate) results: VecDeque<CheckResult>,
    early: Option<Duration>,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CheckResult {
    /// RFC 3339.
    pub(crate) start: String,
    /// RFC 3339.
    pub(crate) end: String,
    /// 0 healthy; -1 it took too long or could not be started.
    pub(crate) code: i64,
    /// The beginning of what it wrote.
    pub(crate) output: String,
}

/// When to check next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Next {
    /// From now.
    pub(crate) after: Duration,
    /// Whether it comes before its time, and counts only when it succeeds.
    pub(crate) early: bool,
}

impl Plan {
    /// Reads a configuration; `None` where there is nothing to check.
    pub(crate) fn new(config: &HealthConfig) -> Option<Self> {
        let test = config.test.as_deref().unwrap_or_default();
        let (kind, rest) = test.split_first()?;
        let command = match kind.as_str() {
            "CMD" => Command::Words(rest.to_vec()),
            "CMD-SHELL" => Command::Shell(rest.join(" ")),
            _ => return None,
        };
        let duration = |value: Option<i64>, default: Duration| {
            let nanoseconds = value.and_then(|value| u64::try_from(value).ok());
            nanoseconds
                .filter(|value| *value > 0)
                .map_or(default, Duration::from_nanos)
        };
        let default = Duration::from_secs(30);
        Some(Self {
            command,
            interval: duration(config.interval, default),
            timeout: duration(config.timeout, default),
            retries: config.retries.filter(|retries| *retries > 0).unwrap_or(3),
            start_period: duration(config.start_period, Duration::ZERO),
            start_interval: duration(config.start_interval, Duration::from_secs(5)),
        })
    }
}

impl Health {
    /// Nothing found yet; `None` for a container without a check.
    pub(crate) fn of(record: &Record) -> Option<Self> {
        record.config.healthcheck.as_ref().and_then(Plan::new)?;
        Some(Self {
            verdict: Verdict::Starting,
            failing: 0,
            results: VecDeque::new(),
            early: Some(FIRST_EARLY),
        })
    }

    /// What an earlier daemon found of a container that runs.
    pub(crate) fn resumed(record: &Record) -> Option<Self> {
        let health = Self::of(record)?;
        match record.state.health.filter(|_| record.state.is_up()) {
            None | Some(Verdict::Starting) => Some(health),
            Some(verdict) => Some(Self {
                verdict,
                early: None,
                ..health
            }),
        }
    }

    /// When to check next. `age`: since the container was started; `since`: since the last check
    /// that was no early one ended, or since the start; `early`: whether early ones are wanted.
    pub(crate) fn next(&self, plan: &Plan, age: Duration, since: Duration, early: bool) -> Next {
        let in_start = self.verdict == Verdict::Starting && age < plan.start_period;
        let interval = if in_start {
            plan.start_interval
        } else {
            plan.interval
        };
        let regular = interval.saturating_sub(since);
        match self.early {
            Some(pause) if early && pause < regular => Next {
                after: pause,
                early: true,
            },
            _ => Next {
                after: regular,
                early: false,
            },
        }
    }

    /// Takes a result in; the verdict when it has changed. `age`: since the container was
    /// started.
    pub(crate) fn take(
        &mut self,
        plan: &Plan,
        result: CheckResult,
        early: bool,
        age: Duration,
    ) -> Option<Verdict> {
        let succeeded = result.code == 0;
        if early && !succeeded {
            self.early = self.early.map(|pause| pause * 2);
            return None;
        }
        self.early = None;
        if self.results.len() == KEPT {
            self.results.pop_front();
        }
        self.results.push_back(result);
        let before = self.verdict;
        if succeeded {
            self.failing = 0;
            self.verdict = Verdict::Healthy;
        } else if before != Verdict::Starting || age >= plan.start_period {
            self.failing += 1;
            if self.failing >= plan.retries {
                self.verdict = Verdict::Unhealthy;
            }
        }
        (self.verdict != before).then_some(self.verdict)
    }
}

impl Verdict {
    /// The API's word.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Healthy => "healthy",
            Self::Unhealthy => "unhealthy",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    fn plan(change: impl FnOnce(&mut HealthConfig)) -> Plan {
        let mut config = HealthConfig {
            test: Some(vec!["CMD-SHELL".to_owned(), "true".to_owned()]),
            interval: Some(1_000_000_000),
            retries: Some(2),
            ..HealthConfig::default()
        };
        change(&mut config);
        Plan::new(&config).unwrap()
    }

    fn health() -> Health {
        Health {
            verdict: Verdict::Starting,
            failing: 0,
            results: VecDeque::new(),
            early: Some(FIRST_EARLY),
        }
    }

    fn result(code: i64) -> CheckResult {
        CheckResult {
            start: String::new(),
            end: String::new(),
            code,
            output: String::new(),
        }
    }

    #[test]
    fn failures_in_a_row_make_unhealthy() {
        let (plan, mut health) = (plan(|_| {}), health());
        assert_eq!(health.take(&plan, result(1), false, MINUTE), None);
        assert_eq!(
            health.take(&plan, result(1), false, MINUTE),
            Some(Verdict::Unhealthy)
        );
        assert_eq!(
            health.take(&plan, result(0), false, MINUTE),
            Some(Verdict::Healthy)
        );
        assert_eq!(health.take(&plan, result(1), false, MINUTE), None);
        assert_eq!(health.failing, 1);
        for _ in 0..9 {
            health.take(&plan, result(0), false, MINUTE);
        }
        assert_eq!(health.results.len(), KEPT);
    }

    #[test]
    fn failures_do_not_count_while_it_starts() {
        let plan = plan(|config| config.start_period = Some(10_000_000_000));
        let mut health = health();
        let young = Duration::from_secs(1);
        for _ in 0..5 {
            assert_eq!(health.take(&plan, result(1), false, young), None);
        }
        assert_eq!(health.failing, 0);
        assert_eq!(
            health.next(&plan, young, Duration::ZERO, true).after,
            Duration::from_secs(5)
        );
        assert_eq!(
            health.next(&plan, MINUTE, Duration::ZERO, true).after,
            Duration::from_secs(1)
        );
    }

    #[test]
    fn early_probes_come_before_the_first_interval_and_only_success_counts() {
        let (plan, mut health) = (plan(|_| {}), health());
        let mut now = Duration::ZERO;
        let mut times = Vec::new();
        loop {
            let next = health.next(&plan, now, now, true);
            now += next.after;
            if !next.early {
                break;
            }
            times.push(now.as_millis());
            assert_eq!(health.take(&plan, result(1), true, now), None);
        }
        assert_eq!(times, [50, 150, 350, 750]);
        assert_eq!(now, Duration::from_secs(1));
        assert!(health.results.is_empty());
        assert_eq!(
            health.take(&plan, result(0), true, now),
            Some(Verdict::Healthy)
        );
        let regular = health.next(&plan, now, Duration::ZERO, true);
        assert_eq!(
            (regular.after, regular.early),
            (Duration::from_secs(1), false)
        );
        let strict = Health {
            early: Some(FIRST_EARLY),
            ..health
        };
        assert!(
            !strict
                .next(&plan, Duration::ZERO, Duration::ZERO, false)
                .early
        );
    }

    #[test]
    fn none_checks_nothing() {
        let config = |test: &[&str]| HealthConfig {
            test: Some(test.iter().map(|word| (*word).to_owned()).collect()),
            ..HealthConfig::default()
        };
        assert_eq!(Plan::new(&config(&["NONE"])), None);
        assert_eq!(Plan::new(&config(&[])), None);
        assert_eq!(
            Plan::new(&config(&["CMD", "a"])).unwrap().timeout,
            Duration::from_secs(30)
        );
    }

    #[test]
    fn what_was_found_is_known_to_the_next_daemon() {
        let live = crate::container::list::tests::live("checked");
        let mut record = Record::clone(&live.record);
        record.config.healthcheck = Some(HealthConfig {
            test: Some(vec!["CMD".to_owned(), "a".to_owned()]),
            ..HealthConfig::default()
        });
        record.state.status = crate::container::Status::Running;
        record.state.health = Some(Verdict::Unhealthy);
        let health = Health::resumed(&record).unwrap();
        assert_eq!((health.verdict, health.early), (Verdict::Unhealthy, None));
        record.state.status = crate::container::Status::Exited;
        assert_eq!(Health::resumed(&record).unwrap().verdict, Verdict::Starting);
    }
}
