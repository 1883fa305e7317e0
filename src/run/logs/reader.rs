//! One container's log, read in a task of its own while others are followed too.

use super::cursor::Cursor;
use super::history::is_unreadable;
use super::{Lines, Sink, event};
use crate::report::event::Origin;
use crate::run::Error;

/// What a reader of one container's log has to say.
pub(super) enum Report {
    /// It read the log to its end.
    Read { id: String, cursor: Cursor },
    /// The engine keeps no log of this container.
    Unreadable { id: String, error: Error },
    /// Reading failed.
    Failed { id: String, error: Error },
}

/// Reads one container's log until it stops.
pub(super) struct Reader {
    pub(super) id: String,
    /// Whose log it is.
    pub(super) origin: Origin,
    /// Whether lines are sent with their times.
    pub(super) timestamps: bool,
    /// What of the log was sent already.
    pub(super) cursor: Cursor,
    pub(super) sink: Sink,
}

impl Reader {
    /// Sends what is read to the sink until the log ends or nobody reads it any more.
    pub(super) async fn run(mut self, mut lines: Lines) -> Report {
        loop {
            let line = match lines.next().await {
                Ok(Some(line)) => line,
                Ok(None) => break,
                Err(error) if is_unreadable(&error) => {
                    return Report::Unreadable { id: self.id, error };
                }
                Err(error) => return Report::Failed { id: self.id, error },
            };
            self.cursor.pass(&line);
            let event = event(&self.origin, line, self.timestamps);
            if self.sink.send(event).await.is_err() {
                break;
            }
        }
        Report::Read {
            id: self.id,
            cursor: self.cursor,
        }
    }
}
