//! A Dockerfile that a project is built from, and the places of its parts.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::compose::model::Build;
use crate::compose::source::SourceId;
use crate::compose::{SourceMap, Span};
use crate::dockerfile::{self, Dockerfile};

/// A Dockerfile as rules look at it.
#[derive(Debug, Clone)]
pub struct BuildFile {
    /// Its text.
    pub(super) text: Arc<str>,
    /// What was read of it.
    pub(super) file: Dockerfile,
    /// The file it is in: its own, or the compose file.
    pub(super) source: SourceId,
    /// Where its lines are, if it is in a compose file.
    inline: Option<Inline>,
    /// Where the lines of the source's text start.
    starts: Vec<usize>,
    /// The services that are built from it.
    pub(super) uses: Vec<Use>,
}

/// A service that is built from a Dockerfile.
#[derive(Debug, Clone)]
pub struct Use {
    /// The service's name.
    pub service: String,
    /// What is in its build context, where that is a folder.
    pub context: Option<Listing>,
}

/// What is in the folder of a build context.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// Names of its files and folders, not of those below.
    pub names: Vec<String>,
    /// Whether a `.dockerignore` holds for the Dockerfile.
    pub has_ignore_file: bool,
}

/// An inline Dockerfile.
#[derive(Debug, Clone)]
struct Inline {
    /// The place of the value in the compose file.
    whole: Span,
    /// Each line of the Dockerfile. Empty where the value is not written line by line.
    lines: Vec<Line>,
    /// The text of the compose file.
    outer: Arc<str>,
}

/// A line of an inline Dockerfile.
#[derive(Debug, Clone)]
struct Line {
    /// Where it starts in the Dockerfile.
    start: usize,
    /// Where its text is in the compose file.
    place: Range<usize>,
    /// Whether both say the same: a variable may have been substituted.
    is_same: bool,
}

impl BuildFile {
    /// A file of its own.
    pub fn of_file(sources: &SourceMap, source: SourceId) -> Self {
        let text = sources.get(source).text.clone();
        Self {
            file: parse(&text),
            starts: line_starts(&text),
            text,
            source,
            inline: None,
            uses: Vec::new(),
        }
    }

    /// The value of a `dockerfile_inline`, written at a place of a compose file.
    pub fn inline(sources: &SourceMap, place: Span, value: &str) -> Self {
        let outer = sources.get(place.source).text.clone();
        Self {
            starts: line_starts(&outer),
            file: parse(value),
            text: value.into(),
            source: place.source,
            inline: Some(Inline {
                whole: place,
                lines: block_lines(&outer, place, value),
                outer,
            }),
            uses: Vec::new(),
        }
    }

    /// Adds a service that is built from it.
    pub fn add_use(&mut self, user: Use) {
        self.uses.push(user);
    }

    /// The place of a part of the Dockerfile. In a compose file, it is that of its first line where the
    /// part has several, and of the whole value where that has other lines than the Dockerfile.
    pub(super) fn span(&self, range: Range<usize>) -> Span {
        let Some(inline) = &self.inline else {
            return self.span_in(&self.text, range);
        };
        let behind = inline
            .lines
            .partition_point(|line| line.start <= range.start);
        let Some(line) = behind.checked_sub(1).and_then(|at| inline.lines.get(at)) else {
            return inline.whole;
        };
        let place = &line.place;
        let from = place.start + (range.start - line.start);
        let to = (from + range.len()).min(place.end).max(from);
        let is_inside = line.is_same && from <= place.end;
        let place = if is_inside { from..to } else { place.clone() };
        self.span_in(&inline.outer, place)
    }

    /// [`Span::in_text`], without a look at all of the text: files are long and findings may be many.
    fn span_in(&self, text: &str, range: Range<usize>) -> Span {
        let line = self.starts.partition_point(|start| *start <= range.start);
        let start = line.checked_sub(1).map_or(0, |index| self.starts[index]);
        let before = text.get(start..range.start).unwrap_or_default();
        let column = before.trim_start_matches('\u{feff}').chars().count() + 1;
        Span {
            source: self.source,
            start: range.start as u32,
            end: range.end as u32,
            line: line as u32,
            column: column as u32,
        }
    }

    /// The places of each line of a part.
    pub(super) fn spans(&self, range: Range<usize>) -> Vec<Span> {
        let mut start = range.start;
        let lines = self.slice(range).split_inclusive('\n').map(|line| {
            let place = start..start + line.trim_end().len();
            start += line.len();
            self.span(place)
        });
        lines.collect()
    }

    /// The text at a place.
    pub(super) fn slice(&self, range: Range<usize>) -> &str {
        self.text.get(range).unwrap_or_default()
    }
}

fn line_starts(text: &str) -> Vec<usize> {
    let behind = text.match_indices('\n').map(|(at, _)| at + 1);
    std::iter::once(0).chain(behind).collect()
}

/// Most instructions that are looked at: an image has no room for a tenth of them.
const MAX_INSTRUCTIONS: usize = 10_000;

/// Reads a Dockerfile. One for another frontend is written in another language.
fn parse(text: &str) -> Dockerfile {
    let file = dockerfile::parse(text);
    if let Some(first) = file.instructions.get(MAX_INSTRUCTIONS) {
        let problem = dockerfile::Problem {
            range: first.name.clone(),
            message: format!("there are more than {MAX_INSTRUCTIONS} instructions"),
            help: Some("split the Dockerfile".to_owned()),
        };
        return Dockerfile {
            problems: vec![problem],
            ..Dockerfile::default()
        };
    }
    let is_known = |syntax: &String| syntax.contains("dockerfile");
    if file.syntax.as_ref().is_none_or(is_known) {
        file
    } else {
        Dockerfile::default()
    }
}

/// The lines of a value written as a literal block, `|`.
fn block_lines(outer: &str, place: Span, value: &str) -> Vec<Line> {
    let start = place.start as usize;
    let written = outer.get(start..place.end as usize).unwrap_or_default();
    let Some(header) = written.find('\n').filter(|_| written.starts_with('|')) else {
        return Vec::new();
    };
    let mut inside = 0;
    let mut outside = start + header + 1;
    let mut lines = Vec::new();
    // Beyond the value's end, as the place may end in front of the last line's text.
    let rest = outer.get(outside..).unwrap_or_default();
    for (line, source) in value.split_inclusive('\n').zip(rest.split_inclusive('\n')) {
        let content = source.trim_end_matches(['\n', '\r']);
        let text = line.trim_end_matches(['\n', '\r']);
        let is_same = content.ends_with(text);
        let indent = if is_same {
            content.len() - text.len()
        } else {
            content.len() - content.trim_start().len()
        };
        lines.push(Line {
            start: inside,
            place: outside + indent..outside + content.len(),
            is_same,
        });
        inside += line.len();
        outside += source.len();
    }
    lines
}

/// Where the Dockerfile of a service is, if it is a file in a folder: `folder` is the project's.
pub fn path_of(folder: &Path, build: &Build) -> Option<PathBuf> {
    if build.dockerfile_inline.is_some() {
        return None;
    }
    let name = build.dockerfile.as_deref().unwrap_or("Dockerfile");
    Some(context_of(folder, build)?.join(name))
}

/// The folder of a service's build context, unless it is a URL.
pub fn context_of(folder: &Path, build: &Build) -> Option<PathBuf> {
    const REMOTE: [&str; 6] = [
        "https://",
        "http://",
        "git://",
        "ssh://",
        "git@",
        "github.com/",
    ];
    let context = build.context.as_deref().unwrap_or(".");
    let is_remote = REMOTE.iter().any(|start| context.starts_with(start));
    (!is_remote).then(|| folder.join(context))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::source::Source;

    fn spans(outer: &str, value: &str, start: usize) -> Vec<(String, u32, u32)> {
        let mut sources = SourceMap::default();
        let source = sources.add(Source {
            name: "compose.yaml".into(),
            text: outer.into(),
            parent: None,
        });
        let place = Span::in_text(source, outer, start..outer.len());
        let file = BuildFile::inline(&sources, place, value);
        let instructions = file.file.instructions.iter();
        instructions
            .map(|one| {
                let span = file.span(one.arguments.whole());
                let text = &outer[span.start as usize..span.end as usize];
                (text.to_owned(), span.line, span.column)
            })
            .collect()
    }

    #[test]
    fn places_in_a_block() {
        let outer = "a: |\n  FROM x\n  RUN a \\\n    b\n\n  CMD $$c\n";
        let value = "FROM x\nRUN a \\\n  b\n\nCMD $c\n";
        assert_eq!(
            spans(outer, value, 3),
            [
                ("x".into(), 2, 8),
                ("a \\".into(), 3, 7),
                // Its columns are not those of the value.
                ("CMD $$c".into(), 6, 3),
            ]
        );
    }

    #[test]
    fn places_in_other_values_are_the_whole() {
        let outer = "a: \"FROM x\\nRUN b\"";
        assert_eq!(
            spans(outer, "FROM x\nRUN b", 3),
            [
                ("\"FROM x\\nRUN b\"".into(), 1, 4),
                ("\"FROM x\\nRUN b\"".into(), 1, 4)
            ]
        );
    }
}
