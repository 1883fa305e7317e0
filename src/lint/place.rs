//! Places inside of places, which the loader gives none for.

use std::ops::Range;

use crate::compose::Span;

/// The place of a part of what is at `span`; `range` counts bytes from the start of the file `text`
/// and starts within the span or behind it. Columns count characters.
pub(super) fn within(text: &str, span: Span, range: Range<usize>) -> Span {
    let before = text
        .get(span.start as usize..range.start)
        .unwrap_or_default();
    let lines = before.matches('\n').count() as u32;
    let column = match before.rfind('\n') {
        Some(at) => before[at + 1..].chars().count() as u32 + 1,
        None => span.column + before.chars().count() as u32,
    };
    Span {
        start: range.start as u32,
        end: range.end as u32,
        line: span.line + lines,
        column,
        ..span
    }
}

/// The place of a part of line `line` of a file, from 1; `range` counts bytes from the start of the
/// file `text`.
pub(super) fn on_line(text: &str, start: Span, line: u32, range: Range<usize>) -> Span {
    let before = text.get(..range.start).unwrap_or_default();
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let column = before[line_start..]
        .trim_start_matches('\u{feff}')
        .chars()
        .count();
    Span {
        start: range.start as u32,
        end: range.end as u32,
        line,
        column: column as u32 + 1,
        ..start
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::{SourceMap, source::Source};

    #[test]
    fn lines_and_columns_go_on_from_the_span() {
        let text = "a: é\n  b=cd";
        let source = SourceMap::default().add(Source {
            name: String::new(),
            text: text.into(),
            parent: None,
        });
        let whole = Span {
            source,
            start: 0,
            end: 5,
            line: 7,
            column: 3,
        };
        let at = |range: Range<usize>| {
            let span = within(text, whole, range);
            (span.line, span.column)
        };
        assert_eq!(at(5..6), (7, 7));
        assert_eq!(at(10..12), (8, 5));
        let span = on_line(text, whole, 2, 10..12);
        assert_eq!((span.line, span.column), (2, 5));
    }
}
