//! How far a container's log was read, so that reading can go on without gap or repetition.

use jiff::Timestamp;

use super::line::Line;

/// A place in a container's log: after so many lines with this time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Cursor {
    at: Option<Timestamp>,
    lines: usize,
}

/// A cursor being used on a log that is read again from the cursor's time.
#[derive(Debug)]
pub(super) struct Resume {
    from: Cursor,
    met: usize,
}

impl Cursor {
    /// After everything that was written until `at`, that time included.
    pub(super) fn after(at: Timestamp) -> Self {
        Self {
            at: Some(at),
            lines: usize::MAX,
        }
    }

    /// The whole second from which the engine has to send the log again; `0` for all of it.
    pub(super) fn since_seconds(&self) -> i32 {
        self.at
            .and_then(|at| i32::try_from(at.as_second()).ok())
            .unwrap_or(0)
    }

    /// Moves the cursor behind `line`.
    pub(super) fn pass(&mut self, line: &Line) {
        if self.at == Some(line.at) {
            self.lines = self.lines.saturating_add(1);
        } else {
            self.at = Some(line.at);
            self.lines = 1;
        }
    }

    /// Starts skipping what lies before the cursor.
    pub(super) fn resume(self) -> Resume {
        Resume { from: self, met: 0 }
    }
}

impl Resume {
    /// Whether `line` lies behind the cursor and has not been seen yet.
    pub(super) fn is_new(&mut self, line: &Line) -> bool {
        let Some(at) = self.from.at else {
            return true;
        };
        if line.at == at {
            self.met += 1;
            return self.met > self.from.lines;
        }
        line.at > at
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::event::Stream;
    use bytes::Bytes;

    fn line(nanosecond: i64) -> Line {
        Line {
            at: Timestamp::from_nanosecond(i128::from(nanosecond)).unwrap_or_default(),
            stamp: String::new(),
            stream: Stream::Stdout,
            bytes: Bytes::new(),
        }
    }

    #[test]
    fn reading_again_skips_exactly_what_was_seen() {
        let all = [line(1), line(5), line(5), line(5), line(9)];
        for seen in 0..all.len() {
            let mut cursor = Cursor::default();
            all[..seen].iter().for_each(|line| cursor.pass(line));
            let mut resume = cursor.resume();
            let rest = all.iter().filter(|line| resume.is_new(line)).count();
            assert_eq!(rest, all.len() - seen, "after {seen} lines");
        }
    }

    #[test]
    fn after_a_time_skips_all_lines_of_that_time() {
        let at = line(5).at;
        let mut resume = Cursor::after(at).resume();
        assert!(!resume.is_new(&line(4)));
        assert!(!resume.is_new(&line(5)));
        assert!(!resume.is_new(&line(5)));
        assert!(resume.is_new(&line(6)));
    }
}
