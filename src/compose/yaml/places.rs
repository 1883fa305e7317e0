//! Marks of the YAML parser → spans.

use libyaml_safer::Mark;

use crate::compose::source::{SourceId, Span};

/// Turns the parser's marks (byte index, line and column from 0) into spans.
pub(super) struct Places {
    source: SourceId,
    /// Bytes before the text that the parser saw (a byte order mark).
    skipped: u32,
}

impl Places {
    pub(super) fn new(source: SourceId, skipped: u32) -> Self {
        Self { source, skipped }
    }

    /// The span from one mark to another.
    pub(super) fn span(&self, start: Mark, end: Mark) -> Span {
        let byte = |mark: Mark| mark.index as u32 + self.skipped;
        Span {
            source: self.source,
            start: byte(start),
            end: byte(end).max(byte(start)),
            line: start.line as u32 + 1,
            column: start.column as u32 + 1,
        }
    }
}
