//! Services at the top level → below `services:`.

use std::ops::Range;

use super::tree::{Pair, Written};
use super::{Facts, Work};

impl Work<'_> {
    /// Puts the services of a document in the first format below a key of their own.
    pub(super) fn below_services(&mut self, facts: &Facts<'_>) {
        let Some(first) = facts.written_services().next() else {
            return;
        };
        let count = facts.services.len();
        let noun = if count == 1 { "service" } else { "services" };
        self.changed(
            &first.key,
            format!("{count} {noun} moved below `services:`"),
        );
        if facts.root.is_flow() {
            self.wrap(facts);
            return;
        }
        let blocks = self.blocks(facts.root);
        let services = |pair: &Pair| facts.services.contains(pair.name());
        let Some(start) = blocks
            .iter()
            .find(|(pair, _)| services(pair))
            .map(|(_, lines)| lines.start)
        else {
            return;
        };
        let last = blocks
            .iter()
            .rposition(|(pair, _)| services(pair))
            .unwrap_or_default();
        for (index, (pair, lines)) in blocks.iter().enumerate() {
            if services(pair) {
                self.edits.indent(lines.clone());
            } else if lines.start > start && index < last {
                self.move_up(lines.clone(), start);
            }
        }
        let newline = self.edits.newline;
        self.edits
            .insert_outside(start, format!("services:{newline}"));
    }

    /// `{a: …, b: …}` → `{services: {a: …, b: …}}`. Other entries stay outside.
    fn wrap(&mut self, facts: &Facts<'_>) {
        let is_service = |pair: &&Pair| facts.services.contains(pair.name());
        let root = &facts.root.range;
        if facts
            .root
            .pairs()
            .iter()
            .all(|pair| is_service(&pair) || pair.name() == "version")
        {
            let open = self.edits.text[root.clone()].find('{').unwrap_or_default() + root.start;
            self.edits.insert(open, "{services: ");
            let outer = std::mem::take(&mut self.outer_entries);
            self.edits.insert(root.end, format!("{outer}}}"));
            return;
        }
        let place = facts
            .root
            .pairs()
            .first()
            .map_or(facts.root, |pair| &pair.key);
        self.warn(
            place,
            "services and other attributes share one pair of braces",
            "put the services below `services:` by hand",
        );
    }

    /// The entries of a mapping, each with its lines: from the comment above it to the next one.
    fn blocks<'d>(&self, root: &'d Written) -> Vec<(&'d Pair, Range<usize>)> {
        let pairs = root.pairs();
        let mut starts = Vec::with_capacity(pairs.len());
        for (index, pair) in pairs.iter().enumerate() {
            let own = self.edits.line_start(pair.key.range.start);
            let limit = match index.checked_sub(1).and_then(|before| pairs.get(before)) {
                Some(before) => self.edits.next_line(before.end().saturating_sub(1)),
                None => self.after_header(own),
            };
            starts.push(self.above(own, limit.min(own)));
        }
        let end = pairs
            .last()
            .map_or(root.range.end, |pair| self.tail(pair.end()));
        let ends: Vec<usize> = starts.iter().skip(1).copied().chain([end]).collect();
        pairs
            .iter()
            .zip(starts.into_iter().zip(ends))
            .map(|(pair, (start, end))| (pair, start..end))
            .collect()
    }

    /// Where the comment directly above a line starts, `limit` at the earliest. What is indented
    /// belongs to the entry before.
    fn above(&self, line: usize, limit: usize) -> usize {
        let mut start = line;
        while start > limit {
            let before = self.edits.line_start(start - 1);
            if !self.edits.text[before..start].starts_with('#') {
                break;
            }
            start = before;
        }
        start
    }

    /// The end of the comment at the top of the file, which is about all of it.
    fn after_header(&self, first: usize) -> usize {
        let mut at = self.document_start(first);
        let start = at;
        while at < first {
            let next = self.edits.next_line(at);
            if !self.edits.text[at..next].starts_with('#') {
                break;
            }
            at = next;
        }
        if at == first && at > start { first } else { at }
    }

    /// The line after the `---` in front of a place, or the start of the text.
    fn document_start(&self, before: usize) -> usize {
        let text = &self.edits.text[..before];
        let mut lines = text.split_inclusive('\n').rev();
        let mut at = before;
        for line in &mut lines {
            if line.starts_with("---") {
                return at;
            }
            at -= line.len();
        }
        0
    }

    /// The end of the lines that belong to the last entry: indented comments follow it.
    pub(super) fn tail(&self, end: usize) -> usize {
        let text = self.edits.text;
        let mut at = self.edits.next_line(end.saturating_sub(1).min(text.len()));
        let mut last = at;
        while at < text.len() {
            let next = self.edits.next_line(at);
            let line = &text[at..next];
            let trimmed = line.trim();
            let is_comment = trimmed.starts_with('#') && line.starts_with([' ', '\t']);
            if !is_comment && !trimmed.is_empty() {
                break;
            }
            at = next;
            if is_comment {
                last = at;
            }
        }
        last
    }

    /// Moves lines in front of the services.
    fn move_up(&mut self, lines: Range<usize>, to: usize) {
        let text = self.edits.text[lines.clone()].to_owned();
        self.edits.remove(lines);
        self.edits.insert_outside(to, text);
    }
}
