//! Changes to a text: replaced ranges and indented lines, everything else as it was.

use std::ops::Range;

/// Changes that are collected first and applied together; all places are those of the text
/// before any of them.
#[derive(Debug)]
pub(super) struct Edits<'t> {
    /// The text before.
    pub(super) text: &'t str,
    /// `\n` or `\r\n`.
    pub(super) newline: &'static str,
    replaced: Vec<Replacement>,
    indented: Vec<Range<usize>>,
}

#[derive(Debug)]
struct Replacement {
    range: Range<usize>,
    text: String,
    /// The byte whose line the new text is indented with, if it is.
    follows: Option<usize>,
}

impl<'t> Edits<'t> {
    /// No changes yet.
    pub(super) fn new(text: &'t str) -> Self {
        let crlf = text
            .split_once('\n')
            .is_some_and(|(line, _)| line.ends_with('\r'));
        Self {
            text,
            newline: if crlf { "\r\n" } else { "\n" },
            replaced: Vec::new(),
            indented: Vec::new(),
        }
    }

    /// Whether there is nothing to do.
    pub(super) fn is_empty(&self) -> bool {
        self.replaced.is_empty() && self.indented.is_empty()
    }

    /// Puts a text in the place of a range.
    pub(super) fn replace(&mut self, range: Range<usize>, text: impl Into<String>) {
        let start = range.start;
        self.push(range, text.into(), Some(start));
    }

    /// Takes a range out.
    pub(super) fn remove(&mut self, range: Range<usize>) {
        self.push(range, String::new(), None);
    }

    /// Puts a text at a place.
    pub(super) fn insert(&mut self, at: usize, text: impl Into<String>) {
        self.push(at..at, text.into(), Some(at));
    }

    /// Puts lines behind the one that ends at a place.
    pub(super) fn append(&mut self, at: usize, text: impl Into<String>) {
        self.push(at..at, text.into(), Some(at.saturating_sub(1)));
    }

    /// Puts a text in front of lines that are indented, itself not indented.
    pub(super) fn insert_outside(&mut self, at: usize, text: impl Into<String>) {
        self.push(at..at, text.into(), None);
    }

    /// Indents lines: `range` begins at the start of one and ends at the start of another.
    pub(super) fn indent(&mut self, range: Range<usize>) {
        self.indented.push(range);
    }

    fn push(&mut self, range: Range<usize>, text: String, follows: Option<usize>) {
        self.replaced.push(Replacement {
            range,
            text,
            follows,
        });
    }

    /// The start of the line that a byte is in.
    pub(super) fn line_start(&self, at: usize) -> usize {
        self.text[..at].rfind('\n').map_or(0, |newline| newline + 1)
    }

    /// The start of the line after the one that a byte is in.
    pub(super) fn next_line(&self, at: usize) -> usize {
        self.text[at..]
            .find('\n')
            .map_or(self.text.len(), |newline| at + newline + 1)
    }

    /// The lines of a range as a whole.
    pub(super) fn lines(&self, range: Range<usize>) -> Range<usize> {
        self.line_start(range.start)..self.next_line(range.end)
    }

    /// The blank space in front of the first other character of a line.
    pub(super) fn indentation(&self, at: usize) -> &'t str {
        let line = &self.text[self.line_start(at)..];
        &line[..line.len() - line.trim_start_matches(' ').len()]
    }

    /// The text with all changes; lines are indented by `unit` spaces.
    pub(super) fn apply(mut self, unit: usize) -> String {
        self.replaced
            .sort_by_key(|replacement| replacement.range.start);
        let mut out = Output {
            text: String::with_capacity(self.text.len() + 256),
            indent: " ".repeat(unit),
            at_line_start: true,
        };
        let mut at = 0;
        for replacement in &self.replaced {
            if replacement.range.start > at {
                self.copy(at..replacement.range.start, &mut out);
            }
            let indented = replacement.follows.is_some_and(|at| self.is_indented(at));
            out.push(&replacement.text, indented);
            at = at.max(replacement.range.end);
        }
        self.copy(at..self.text.len(), &mut out);
        out.text
    }

    /// Copies a part of the text, of which some lines are indented.
    fn copy(&self, range: Range<usize>, out: &mut Output) {
        let mut at = range.start;
        while at < range.end {
            let end = self.next_line(at).min(range.end);
            out.push(&self.text[at..end], self.is_indented(at));
            at = end;
        }
    }

    fn is_indented(&self, at: usize) -> bool {
        self.indented.iter().any(|range| range.contains(&at))
    }
}

struct Output {
    text: String,
    indent: String,
    at_line_start: bool,
}

impl Output {
    fn push(&mut self, text: &str, indented: bool) {
        for line in text.split_inclusive('\n') {
            let blank = line.trim_end_matches(['\r', '\n']).is_empty();
            if self.at_line_start && indented && !blank {
                self.text.push_str(&self.indent);
            }
            self.text.push_str(line);
            self.at_line_start = line.ends_with('\n');
        }
    }
}

/// A text with `indent` in front of every line that is not empty.
pub(super) fn indented(text: &str, indent: &str) -> String {
    let mut out = String::with_capacity(text.len() + 64);
    for line in text.split_inclusive('\n') {
        if !line.trim_end_matches(['\r', '\n']).is_empty() {
            out.push_str(indent);
        }
        out.push_str(line);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_what_was_named_and_nothing_else() {
        let mut edits = Edits::new("a: 1 # one\nb:\n\n  c: 2\nd: 3\n");
        edits.replace(3..4, "9");
        edits.remove(22..27);
        edits.insert_outside(11, "s:\n");
        edits.indent(11..22);
        assert_eq!(edits.apply(2), "a: 9 # one\ns:\n  b:\n\n    c: 2\n");
    }

    #[test]
    fn new_lines_are_indented_with_their_surroundings() {
        let mut edits = Edits::new("a: 1\nb: 2\n");
        edits.replace(5..9, "b:\n  c: 2");
        edits.indent(0..10);
        assert_eq!(edits.apply(4), "    a: 1\n    b:\n      c: 2\n");
    }

    #[test]
    fn lines_behind_the_last_are_indented_with_it() {
        let mut edits = Edits::new("a:\n  b: 1\n");
        edits.indent(0..10);
        edits.append(10, "  c: 2\n");
        edits.insert_outside(10, "d: 3\n");
        assert_eq!(edits.apply(2), "  a:\n    b: 1\n    c: 2\nd: 3\n");
    }

    #[test]
    fn removals_may_overlap() {
        let mut edits = Edits::new("{a, b, c}");
        edits.remove(4..7);
        edits.remove(5..8);
        assert_eq!(edits.apply(2), "{a, }");
    }
}
