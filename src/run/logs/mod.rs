//! Logs of the containers of a project: what was written so far, merged by time, and what is
//! being written, across restarts and replacements.

mod cursor;
mod follow;
mod history;
mod line;
mod reader;
mod time;

use bollard::query_parameters::LogsOptionsBuilder;
use futures::StreamExt as _;
use jiff::Timestamp;

pub use follow::{Beginning, Follow, follow, follow_and_tell};
pub use history::{Order, history};
pub use time::parse as parse_time;

use super::Error;
use crate::report::event::{Event, LogLine, Origin};
use cursor::Cursor;
use line::{Assembler, Line};

/// Where log lines and what goes with them are sent to. Bounded, so that a slow reader slows
/// the reading down.
pub type Sink = tokio::sync::mpsc::Sender<Event>;

/// Which part of the logs.
#[derive(Debug, Clone, Default)]
pub struct Range {
    /// Only lines written at this time or later.
    pub since: Option<Timestamp>,
    /// Only lines written at this time or earlier.
    pub until: Option<Timestamp>,
    /// Only so many lines from the end of each container's log; all where absent.
    pub tail: Option<u64>,
    /// Whether lines are sent with their time.
    pub timestamps: bool,
}

/// The lines of one container's log, in the order of the engine.
struct Lines {
    output: std::pin::Pin<Box<dyn futures::Stream<Item = EngineLog> + Send>>,
    assembler: Assembler,
    ready: std::collections::VecDeque<Line>,
    done: bool,
    resume: cursor::Resume,
    range: Range,
}

type EngineLog = Result<bollard::container::LogOutput, bollard::errors::Error>;

impl Lines {
    /// Opens the log of a container behind `cursor`.
    fn open(
        docker: &bollard::Docker,
        id: &str,
        range: &Range,
        cursor: Cursor,
        follow: bool,
    ) -> Self {
        let since = range.since.map_or(0, |at| seconds(at.as_second()));
        let until = range.until.map_or(0, |at| seconds(at.as_second() + 1));
        let options = LogsOptionsBuilder::default()
            .follow(follow)
            .stdout(true)
            .stderr(true)
            .timestamps(true)
            .since(since.max(cursor.since_seconds()))
            .until(until)
            .tail(&range.tail.map_or("all".to_owned(), |n| n.to_string()))
            .build();
        Self {
            output: Box::pin(docker.logs(id, Some(options))),
            assembler: Assembler::default(),
            ready: std::collections::VecDeque::new(),
            done: false,
            resume: cursor.resume(),
            range: range.clone(),
        }
    }

    /// The next line, `None` at the end.
    async fn next(&mut self) -> Result<Option<Line>, Error> {
        loop {
            while let Some(line) = self.ready.pop_front() {
                if self.resume.is_new(&line) && self.in_range(&line) {
                    return Ok(Some(line));
                }
            }
            if self.done {
                return Ok(None);
            }
            match self.output.next().await {
                Some(Ok(piece)) => self.ready.extend(self.assembler.push(piece)),
                Some(Err(error)) => return Err(error.into()),
                None => {
                    self.done = true;
                    self.ready.extend(self.assembler.finish());
                }
            }
        }
    }

    fn in_range(&self, line: &Line) -> bool {
        self.range.since.is_none_or(|since| line.at >= since)
            && self.range.until.is_none_or(|until| line.at <= until)
    }
}

/// The engine takes whole seconds in 32 bits.
fn seconds(at: i64) -> i32 {
    i32::try_from(at.max(0)).unwrap_or(i32::MAX)
}

/// What is sent for a line.
fn event(origin: &Origin, line: Line, timestamps: bool) -> Event {
    Event::Log(LogLine {
        origin: origin.clone(),
        stream: line.stream,
        timestamp: timestamps.then_some(line.stamp),
        bytes: line.bytes,
    })
}
