//! A document as it was written: aliases and merge keys stay, every part knows its bytes.

use std::ops::Range;

use libyaml_safer::{Event, EventData, Mark, Parser};

/// One value or key.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Written {
    /// What it is.
    pub(super) kind: Kind,
    /// Its bytes in the text, anchor and tag included, without blank space at the end.
    pub(super) range: Range<usize>,
    /// Line, counted from 1.
    pub(super) line: u32,
    /// Column, counted from 1 in characters.
    pub(super) column: u32,
    /// The name after `&`.
    pub(super) anchor: Option<String>,
}

/// What a [`Written`] is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// A text, a number, nothing: its value without quotes.
    Scalar(String),
    /// A list.
    Seq {
        /// Its elements.
        items: Vec<Written>,
        /// Whether it is in brackets.
        flow: bool,
    },
    /// A mapping.
    Map {
        /// Its entries in the order of the file, merge keys among them.
        pairs: Vec<Pair>,
        /// Whether it is in braces.
        flow: bool,
    },
    /// `*name`.
    Alias(String),
}

/// `key: value`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pair {
    /// The key.
    pub(super) key: Written,
    /// The value.
    pub(super) value: Written,
}

impl Pair {
    /// The key as text.
    pub(super) fn name(&self) -> &str {
        self.key.text().unwrap_or_default()
    }

    /// The byte after the last of the pair.
    pub(super) fn end(&self) -> usize {
        self.value.range.end.max(self.key.range.end)
    }
}

impl Written {
    /// The text of a scalar.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar(text) => Some(text),
            _ => None,
        }
    }

    /// The entries of a mapping; none of anything else.
    pub(super) fn pairs(&self) -> &[Pair] {
        match &self.kind {
            Kind::Map { pairs, .. } => pairs,
            _ => &[],
        }
    }

    /// The elements of a list; none of anything else.
    pub(super) fn items(&self) -> &[Written] {
        match &self.kind {
            Kind::Seq { items, .. } => items,
            _ => &[],
        }
    }

    /// The entry of a mapping with a key.
    pub(super) fn pair(&self, name: &str) -> Option<&Pair> {
        self.pairs().iter().find(|pair| pair.name() == name)
    }

    /// Whether it is in brackets or braces.
    pub(super) fn is_flow(&self) -> bool {
        matches!(
            self.kind,
            Kind::Seq { flow: true, .. } | Kind::Map { flow: true, .. }
        )
    }

    /// Whether an anchor is set on it or inside it.
    pub(super) fn has_anchor(&self) -> bool {
        self.anchor.is_some()
            || self.items().iter().any(Self::has_anchor)
            || self
                .pairs()
                .iter()
                .any(|pair| pair.key.has_anchor() || pair.value.has_anchor())
    }

    /// The part with an anchor of that name.
    pub(super) fn anchored(&self, name: &str) -> Option<&Self> {
        if self.anchor.as_deref() == Some(name) {
            return Some(self);
        }
        let mut inside = self
            .items()
            .iter()
            .chain(self.pairs().iter().map(|pair| &pair.value));
        inside.find_map(|part| part.anchored(name))
    }
}

/// Reads the documents of a text that the loader can read, which bounds its depth; empty ones are
/// left out. Nothing when it is no YAML after all.
pub(super) fn read(text: &str) -> Option<Vec<Written>> {
    let body = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut parser = Parser::new();
    parser.set_encoding(libyaml_safer::Encoding::Utf8);
    parser.set_input(body.as_bytes());
    let mut reader = Reader {
        text,
        skipped: text.len() - body.len(),
        parser,
    };
    let mut documents = Vec::new();
    loop {
        let event = reader.next()?;
        match event.data {
            EventData::StreamEnd => return Some(documents),
            EventData::DocumentStart { .. } => {
                let first = reader.next()?;
                let document = reader.part(first)?;
                documents.extend(
                    (document.text().is_none_or(|text| !is_null(text))).then_some(document),
                );
            }
            _ => {}
        }
    }
}

fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

struct Reader<'t> {
    text: &'t str,
    skipped: usize,
    parser: Parser<&'t [u8]>,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<Event> {
        self.parser.parse().ok()
    }

    fn part(&mut self, event: Event) -> Option<Written> {
        let start = event.start_mark;
        let mut written = self.plain(start, event.end_mark);
        match event.data {
            EventData::Alias { anchor } => written.kind = Kind::Alias(anchor),
            EventData::Scalar { anchor, value, .. } => {
                written.anchor = anchor;
                written.kind = Kind::Scalar(value);
            }
            EventData::SequenceStart { anchor, .. } => {
                written.anchor = anchor;
                self.sequence(&mut written)?;
            }
            EventData::MappingStart { anchor, .. } => {
                written.anchor = anchor;
                self.mapping(&mut written)?;
            }
            _ => {}
        }
        Some(written)
    }

    fn sequence(&mut self, written: &mut Written) -> Option<()> {
        let mut items = Vec::new();
        loop {
            let event = self.next()?;
            if event.data == EventData::SequenceEnd {
                let last = items.last().map(|item: &Written| item.range.end);
                let flow = self.close(written, &event, last);
                written.kind = Kind::Seq { items, flow };
                return Some(());
            }
            items.push(self.part(event)?);
        }
    }

    fn mapping(&mut self, written: &mut Written) -> Option<()> {
        let mut pairs = Vec::new();
        loop {
            let event = self.next()?;
            if event.data == EventData::MappingEnd {
                let last = pairs.last().map(Pair::end);
                let flow = self.close(written, &event, last);
                written.kind = Kind::Map { pairs, flow };
                return Some(());
            }
            let key = self.part(event)?;
            let event = self.next()?;
            let value = self.part(event)?;
            pairs.push(Pair { key, value });
        }
    }

    /// Sets the end of a collection: its bracket, or its last child. Whether it was a bracket.
    fn close(&self, written: &mut Written, end: &Event, last: Option<usize>) -> bool {
        let bracket = self.plain(end.start_mark, end.end_mark).range;
        let flow = !bracket.is_empty();
        written.range.end = if flow {
            bracket.end
        } else {
            last.unwrap_or(written.range.end).max(written.range.end)
        };
        flow
    }

    /// A part without a meaning yet.
    fn plain(&self, start: Mark, end: Mark) -> Written {
        let first = (start.index as usize + self.skipped).min(self.text.len());
        let last = (end.index as usize + self.skipped).min(self.text.len());
        let written = self.text.get(first..last).unwrap_or("").trim_end();
        Written {
            kind: Kind::Scalar(String::new()),
            range: first..first + written.len(),
            line: start.line as u32 + 1,
            column: start.column as u32 + 1,
            anchor: None,
        }
    }
}
