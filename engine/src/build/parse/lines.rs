//! The lines of a Dockerfile, joined where one goes on in the next.

use std::iter::Enumerate;
use std::str::SplitTerminator;

/// Reads line after line.
pub(super) struct Reader<'a> {
    lines: Enumerate<SplitTerminator<'a, char>>,
    escape: char,
    /// The last line that was read, from 1.
    line: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str, escape: char) -> Self {
        Self {
            lines: text.split_terminator('\n').enumerate(),
            escape,
            line: 0,
        }
    }

    /// The last line that was read, from 1.
    pub(super) fn line(&self) -> usize {
        self.line
    }

    /// The next line as it is.
    pub(super) fn raw(&mut self) -> Option<&'a str> {
        let (number, line) = self.lines.next()?;
        self.line = number + 1;
        Some(line)
    }

    /// The next instruction's lines as one, and the number of the first. Comments and empty lines
    /// before it and within are left out.
    pub(super) fn logical(&mut self) -> Option<(String, usize)> {
        let mut line = self.next_content()?.trim_start();
        let first = self.line;
        let mut logical = String::new();
        loop {
            let Some(part) = self.continued(line) else {
                logical.push_str(line);
                break;
            };
            logical.push_str(part);
            // What follows the last instruction is none of its lines.
            let last = self.line;
            let Some(next) = self.next_content() else {
                self.line = last;
                break;
            };
            line = next;
        }
        Some((logical, first))
    }

    fn next_content(&mut self) -> Option<&'a str> {
        loop {
            let line = self.raw()?;
            let text = line.trim();
            if !text.is_empty() && !text.starts_with('#') {
                return Some(line);
            }
        }
    }

    /// A line without the mark at its end by which it goes on in the next.
    fn continued<'l>(&self, line: &'l str) -> Option<&'l str> {
        let part = line.trim_end_matches([' ', '\t', '\r']);
        let part = part.strip_suffix(self.escape)?;
        // An escaped one is no mark.
        (!part.ends_with(self.escape)).then_some(part)
    }
}
