//! Places inside a text that the loader gave no place for.

use std::ops::Range;

use crate::compose::source::SourceId;
use crate::compose::{SourceMap, Span};

/// The place of a byte range of a file; columns count characters.
pub(super) fn at(sources: &SourceMap, source: SourceId, range: Range<usize>) -> Span {
    let text = &sources.get(source).text;
    let before = text.get(..range.start).unwrap_or_default();
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let column = before[line_start..]
        .trim_start_matches('\u{feff}')
        .chars()
        .count();
    Span {
        source,
        start: range.start as u32,
        end: range.end as u32,
        line: before.matches('\n').count() as u32 + 1,
        column: column as u32 + 1,
    }
}
