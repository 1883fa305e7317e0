//! Lines → instructions: comments, continued lines, directives and here-documents.

use std::ops::Range;

use super::here_document::{HereDocument, marks};
use super::instruction::{Flag, Instruction, Keyword};
use super::joined::Joined;
use super::words::words;
use super::{Dockerfile, Problem};

/// The lines of a file, and what was read of them.
pub(super) struct Reader<'t> {
    /// Lines without their ends, each with its first byte.
    lines: Vec<(usize, &'t str)>,
    /// The line to read next.
    next: usize,
    escape: char,
    /// Whether the line before was no instruction: what follows is then part of the same mistake.
    is_lost: bool,
    file: Dockerfile,
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let mark = if text.starts_with('\u{feff}') { 3 } else { 0 };
        let mut lines = Vec::new();
        let mut start = mark;
        for line in text[mark..].split_inclusive('\n') {
            let content = line.strip_suffix('\n').unwrap_or(line);
            lines.push((start, content.trim_end_matches('\r')));
            start += line.len();
        }
        Self {
            lines,
            next: 0,
            escape: '\\',
            is_lost: false,
            file: Dockerfile::default(),
        }
    }

    pub(super) fn read(mut self) -> Dockerfile {
        self.directives();
        while let Some((joined, range)) = self.logical_line() {
            self.instruction(&joined, range);
        }
        self.file
    }

    /// Finds `# escape=` among the first comments, which end at the first that is no directive.
    fn directives(&mut self) {
        for (start, line) in &self.lines {
            let Some((name, value)) = directive(line) else {
                return;
            };
            if name.eq_ignore_ascii_case("syntax") {
                self.file.syntax = Some(value.to_owned());
            }
            if !name.eq_ignore_ascii_case("escape") {
                continue;
            }
            match value {
                "\\" => {}
                "`" => self.escape = '`',
                _ => self.file.problems.push(
                    Problem::new(
                        *start..start + line.len(),
                        format!("`{value}` cannot escape characters"),
                    )
                    .help("write `# escape=\\` or `` # escape=` ``"),
                ),
            }
        }
    }

    /// The next line with an instruction, put together, and its place.
    fn logical_line(&mut self) -> Option<(Joined, Range<usize>)> {
        let mut joined = Joined::default();
        let mut range: Option<Range<usize>> = None;
        while let Some(&(start, line)) = self.lines.get(self.next) {
            self.next += 1;
            let content = line.trim_start();
            let indent = line.len() - content.len();
            if content.starts_with('#') {
                let comment = start + indent..start + line.len();
                self.file.comments.push(comment);
                continue;
            }
            if content.is_empty() {
                continue;
            }
            // Blanks in front are dropped from the first line only.
            let (from, text) = if range.is_none() {
                (start + indent, content)
            } else {
                (start, line)
            };
            let (part, continues) = continued(text, self.escape);
            joined.push(part, from);
            let first = range.map_or(from, |range| range.start);
            range = Some(first..start + line.trim_end().len());
            if !continues {
                break;
            }
        }
        Some((joined, range?))
    }

    fn instruction(&mut self, joined: &Joined, mut range: Range<usize>) {
        let text = joined.text();
        let end = text.find(char::is_whitespace).unwrap_or(text.len());
        let name = joined.range(0..end);
        let keyword = Keyword::parse(&text[..end]);
        // Lines of here-documents are no instructions, even if something is wrong before them.
        let documents = match keyword {
            Some(Keyword::Add | Keyword::Copy | Keyword::Run) => self.documents(joined, end),
            Some(Keyword::Onbuild) if takes_documents(&text[end..]) => self.documents(joined, end),
            _ => Vec::new(),
        };
        let Some(keyword) = keyword else {
            if !self.is_lost {
                self.file.problems.push(unknown(&text[..end], name));
            }
            self.is_lost = true;
            return;
        };
        self.is_lost = false;
        if let Some(last) = documents.last() {
            range.end = range.end.max(last.1);
        }
        let (flags, at) = flags(joined, end, self.escape);
        let rest = &text[at..];
        let start = text.len() - rest.trim_start().len();
        let arguments = joined.slice(start..text.trim_end().len().max(start));
        self.file.instructions.push(Instruction {
            keyword,
            name,
            range,
            flags,
            arguments,
            documents: documents
                .into_iter()
                .map(|(document, _)| document)
                .collect(),
            escape: self.escape,
        });
    }

    /// Reads the here-documents of an instruction, each with the end of its delimiter's line.
    fn documents(&mut self, joined: &Joined, name_end: usize) -> Vec<(HereDocument, usize)> {
        let text = joined.text();
        let marks = marks(text);
        let rest = words(&text[name_end..], self.escape);
        let plain = rest.iter().filter(|word| !word.text.starts_with("--"));
        let alone = plain.count() == 1;
        let mut documents = Vec::new();
        for mark in marks {
            let start = self.lines.get(self.next).map(|(start, _)| *start);
            let start = start.unwrap_or_else(|| self.end());
            let closing = self.lines[self.next..].iter().position(|(_, line)| {
                let line = if mark.chomp {
                    line.trim_start_matches('\t')
                } else {
                    line
                };
                line == mark.delimiter
            });
            let Some(count) = closing else {
                let place = joined.range(mark.range);
                let message = format!("no line ends the here-document {}", mark.delimiter);
                let help = format!("add a line with `{}` alone", mark.delimiter);
                self.file
                    .problems
                    .push(Problem::new(place, message).help(help));
                self.next = self.lines.len();
                break;
            };
            let (line_start, line) = self.lines[self.next + count];
            self.next += count + 1;
            let document = HereDocument {
                delimiter: mark.delimiter,
                body: start..line_start,
                alone,
            };
            documents.push((document, line_start + line.len()));
        }
        documents
    }

    fn end(&self) -> usize {
        self.lines
            .last()
            .map_or(0, |(start, line)| start + line.len())
    }
}

/// `# name=value` of a name that says something to builders.
fn directive(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.trim_start().strip_prefix('#')?.split_once('=')?;
    let name = name.trim();
    let is_known = ["syntax", "escape", "check"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(name));
    is_known.then_some((name, value.trim()))
}

/// A line without the escape at its end, and whether there is one. Two are none.
fn continued(line: &str, escape: char) -> (&str, bool) {
    let end = line.trim_end_matches([' ', '\t']);
    match end.strip_suffix(escape) {
        Some(before) if !before.ends_with(escape) => (before, true),
        _ => (line, false),
    }
}

/// Whether what `ONBUILD` keeps for later may have here-documents.
fn takes_documents(rest: &str) -> bool {
    let first = rest.split_whitespace().next().unwrap_or_default();
    let keyword = Keyword::parse(first);
    matches!(keyword, Some(Keyword::Add | Keyword::Copy | Keyword::Run))
}

fn unknown(name: &str, range: Range<usize>) -> Problem {
    let upper = name.to_uppercase();
    let closest = Keyword::ALL
        .iter()
        .map(|(known, _)| (strsim::jaro_winkler(known, &upper), *known))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .filter(|(likeness, _)| *likeness > 0.75);
    let help = match closest {
        Some((_, known)) => format!("did you mean {known}?"),
        None => "a line that goes on from the one above needs a `\\` at the end of that".to_owned(),
    };
    Problem::new(range, format!("there is no instruction {name}")).help(help)
}

/// The flags behind an instruction's name, which ends at `at`, and where they end.
fn flags(joined: &Joined, mut at: usize, escape: char) -> (Vec<Flag>, usize) {
    let text = joined.text();
    let start = at;
    let mut flags = Vec::new();
    for word in words(&text[start..], escape) {
        let range = start + word.range.start..start + word.range.end;
        let Some(flag) = word.text.strip_prefix("--") else {
            break;
        };
        at = range.end;
        if flag.is_empty() {
            // `--` ends them.
            break;
        }
        let (name, value) = match flag.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (flag, None),
        };
        flags.push(Flag {
            name: name.to_owned(),
            value,
            range: joined.range(range),
        });
    }
    (flags, at)
}
