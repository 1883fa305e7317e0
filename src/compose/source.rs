//! Where text came from: the files that were read, and places inside them.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// Names one [`Source`] of a [`SourceMap`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceId(u32);

/// A place in a source: a byte range, and the line and column of its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Span {
    /// The file the place is in.
    pub source: SourceId,
    /// Byte offset of the first byte.
    pub start: u32,
    /// Byte offset after the last byte.
    pub end: u32,
    /// Line of the first byte, counted from 1.
    pub line: u32,
    /// Column of the first byte, counted from 1 in characters.
    pub column: u32,
}

impl Span {
    /// Whether two places start at the same character.
    pub(crate) fn same_start(self, other: Self) -> bool {
        self.source == other.source && self.start == other.start
    }

    /// The place of a byte range of the text of `source`. A byte order mark takes no column.
    pub fn in_text(source: SourceId, text: &str, range: Range<usize>) -> Self {
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let Position { line, column } = position(text, range.start);
        Self {
            source,
            start: number(range.start),
            end: number(range.end),
            line,
            column,
        }
    }
}

/// A line and a column, both counted from 1; the column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

/// Line and column of a byte. A carriage return alone ends a line too, as in YAML; a byte order
/// mark takes no column.
fn position(text: &str, at: usize) -> Position {
    let mut line = 1;
    let mut start = 0;
    let bytes = text.as_bytes();
    let before = bytes.get(..at).unwrap_or(bytes);
    for (index, byte) in before.iter().enumerate() {
        let ends_line = match byte {
            b'\n' => true,
            b'\r' => bytes.get(index + 1) != Some(&b'\n'),
            _ => false,
        };
        if ends_line {
            line += 1;
            start = index + 1;
        }
    }
    let chars = text
        .get(start..at)
        .unwrap_or_default()
        .trim_start_matches('\u{feff}')
        .chars();
    let column = u32::try_from(chars.count() + 1).unwrap_or(u32::MAX);
    Position { line, column }
}

/// What made the loader read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// An `include` entry names it.
    Include,
    /// An `extends.file` names it.
    Extends,
    /// An `env_file` names it.
    EnvFile,
    /// A `label_file` names it.
    LabelFile,
    /// It is the Dockerfile of a `build`.
    Dockerfile,
}

/// One file (or standard input) that was read.
#[derive(Debug, Clone)]
pub struct Source {
    /// The name shown to people: the path as given or found, `-` for standard input.
    pub name: String,
    /// The text of the file.
    pub text: Arc<str>,
    /// The place in another file that led here, if any.
    pub parent: Option<(Relation, Span)>,
}

/// All files read for one project, indexed by [`SourceId`].
#[derive(Debug, Clone, Default)]
pub struct SourceMap {
    sources: Vec<Source>,
    /// Who reads a file, `service "web"`, where the place that names it does not say it.
    readers: BTreeMap<SourceId, String>,
}

impl SourceMap {
    /// Adds a file and returns the id that spans of it carry.
    pub fn add(&mut self, source: Source) -> SourceId {
        let id = SourceId(u32::try_from(self.sources.len()).unwrap_or(u32::MAX));
        self.sources.push(source);
        id
    }

    /// The file that `id` names.
    pub fn get(&self, id: SourceId) -> &Source {
        &self.sources[id.0 as usize]
    }

    /// Says who reads a file: `service "web"`.
    pub fn set_reader(&mut self, id: SourceId, reader: impl Into<String>) {
        self.readers.insert(id, reader.into());
    }

    /// Who reads a file, where that is known.
    pub fn reader(&self, id: SourceId) -> Option<&str> {
        self.readers.get(&id).map(String::as_str)
    }

    /// Files in the order in which they were read.
    pub fn iter(&self) -> impl Iterator<Item = &Source> {
        self.sources.iter()
    }

    /// Line and column after the last character of a place.
    pub fn end_of(&self, span: Span) -> Position {
        let text = &self.get(span.source).text;
        let text = text
            .get(span.start as usize..span.end as usize)
            .unwrap_or_default();
        // Counted from the start of the span: files are large and problems may be many.
        let Position { line, column } = position(text, text.len());
        let before = if line == 1 { span.column - 1 } else { 0 };
        Position {
            line: span.line + line - 1,
            column: before + column,
        }
    }

    /// Files with their ids, in the order in which they were read.
    pub fn entries(&self) -> impl Iterator<Item = (SourceId, &Source)> {
        (0..).map(SourceId).zip(&self.sources)
    }

    /// `name:line:column` of a place.
    pub fn locate(&self, span: Span) -> String {
        format!(
            "{}:{}:{}",
            self.get(span.source).name,
            span.line,
            span.column
        )
    }
}
