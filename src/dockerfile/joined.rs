//! Text put together from parts of a file.

use std::ops::Range;

/// The text of a logical line: physical lines without what continues them, each byte with its place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Joined {
    text: String,
    /// Where each part starts: in `text`, and in the file.
    parts: Vec<(usize, usize)>,
}

impl Joined {
    /// A part of a file as it is, which starts at byte `place`.
    pub fn of(text: &str, place: usize) -> Self {
        let mut joined = Self::default();
        joined.push(text, place);
        joined
    }

    /// Adds a part that starts at byte `place` of the file.
    pub(super) fn push(&mut self, part: &str, place: usize) {
        self.parts.push((self.text.len(), place));
        self.text.push_str(part);
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The place in the file of byte `at` of the text.
    fn place(&self, at: usize) -> usize {
        let behind = self.parts.partition_point(|(start, _)| *start <= at);
        match behind.checked_sub(1).map(|index| self.parts[index]) {
            Some((start, place)) => place + (at - start),
            None => at,
        }
    }

    /// The place in the file of a part of the text, from its first byte to its last.
    pub fn range(&self, range: Range<usize>) -> Range<usize> {
        let start = self.place(range.start);
        if range.is_empty() {
            return start..start;
        }
        start..self.place(range.end - 1) + 1
    }

    /// The place in the file of all of it, without blanks around it.
    pub fn whole(&self) -> Range<usize> {
        let start = self.text.len() - self.text.trim_start().len();
        let end = self.text.trim_end().len();
        self.range(start..end.max(start))
    }

    /// A part of the text, with its places. `range` lies on borders of characters.
    pub(super) fn slice(&self, range: Range<usize>) -> Self {
        let mut result = Self::default();
        for (index, (start, place)) in self.parts.iter().enumerate() {
            let end = self
                .parts
                .get(index + 1)
                .map_or(self.text.len(), |part| part.0);
            let from = range.start.max(*start);
            let to = range.end.min(end);
            if from < to {
                let part = self.text.get(from..to).unwrap_or_default();
                result.push(part, place + (from - start));
            }
        }
        if result.parts.is_empty() {
            result.parts.push((0, self.place(range.start)));
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_of_parts() {
        let mut joined = Joined::default();
        joined.push("abc", 10);
        joined.push("def", 20);
        assert_eq!(joined.range(1..2), 11..12);
        assert_eq!(joined.range(2..4), 12..21);
        assert_eq!(joined.range(3..6), 20..23);
        assert_eq!(joined.range(3..3), 20..20);
        let part = joined.slice(2..5);
        assert_eq!((part.text(), part.whole()), ("cde", 12..22));
        assert_eq!(joined.slice(6..6).whole(), 23..23);
    }
}
