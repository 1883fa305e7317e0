//! `# rcompose: allow(rule, other-rule)`: comments that allow what rules find.
//!
//! On the line of a finding or on a comment line above it, it holds for that line; above
//! everything else in a file, for the file. In a Dockerfile, it holds for an instruction.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use super::build_file::BuildFile;
use super::finding::Report;
use super::input::Input;
use super::place;
use super::registry::{self, closest};
use super::rules::dollar_in_env_file::values;
use super::walk;
use crate::compose::node::Value;
use crate::compose::source::SourceId;
use crate::compose::{Diagnostic, Span};

const MARKER: &str = "rcompose:";

/// What the comments of a project's files allow.
pub(super) struct Allowances {
    /// Rules allowed in the whole file, and on lines of it, by file name: a file may be read twice.
    files: HashMap<String, Allowed>,
    /// Places where a rule is named that does not exist, with the name.
    unknown: Vec<(Span, String)>,
}

#[derive(Default)]
struct Allowed {
    everywhere: BTreeSet<String>,
    lines: HashMap<u32, BTreeSet<String>>,
}

/// The comment at the end of a line or on a line of its own.
struct Comment<'t> {
    /// Number of its line, from 1.
    line: u32,
    /// Where its text starts, in bytes.
    start: usize,
    text: &'t str,
    /// Whether nothing stands before it.
    alone: bool,
}

impl Allowances {
    /// Reads the comments of every compose file and env file.
    pub(super) fn read(input: &Input<'_>) -> Self {
        let mut all = Self {
            files: HashMap::new(),
            unknown: Vec::new(),
        };
        let mut read = BTreeSet::new();
        let documents = &input.written.documents;
        let of_documents = documents.iter().map(|document| document.span.source);
        let of_env_files = input.written.env_files.iter().map(|file| file.source);
        for source in of_documents.chain(of_env_files) {
            if read.insert(source) {
                let scalars = scalars(input, source);
                all.read_file(input, source, &scalars);
            }
        }
        for file in input.dockerfiles {
            all.read_dockerfile(input, file);
        }
        all
    }

    /// Whether a comment allows the finding.
    pub(super) fn allow(&self, input: &Input<'_>, finding: &Diagnostic) -> bool {
        let Some(span) = finding.span else {
            return false;
        };
        let name = &input.sources().get(span.source).name;
        self.files.get(name).is_some_and(|allowed| {
            let id = finding.code.id;
            let line = allowed.lines.get(&span.line);
            allowed.everywhere.contains(id) || line.is_some_and(|rules| rules.contains(id))
        })
    }

    /// Reports the names that are no rules.
    pub(super) fn report_unknown(&self, report: &mut Report) {
        for (span, name) in &self.unknown {
            let help = match closest(name) {
                Some(id) => format!("did you mean \"{id}\"?"),
                None => "`rcompose lint --list` lists the rules".to_owned(),
            };
            report.add(
                Diagnostic::warning(format!("there is no rule \"{name}\" to allow"))
                    .at(*span)
                    .help(help),
            );
        }
    }

    /// Comments of a Dockerfile hold for the instruction that they stand in or above, all its lines.
    fn read_dockerfile(&mut self, input: &Input<'_>, file: &BuildFile) {
        let name = &input.sources().get(file.source).name;
        let allowed = self.files.entry(name.clone()).or_default();
        let lines_of = |range: Range<usize>| {
            let first = file.span(range.clone()).line;
            first..=file.span(range.end.max(1) - 1..range.end).line
        };
        let instructions = &file.file.instructions;
        let whole = 0..file.text.len();
        let first = instructions
            .first()
            .map_or(whole.end, |one| one.range.start);
        for place in &file.file.comments {
            let comment = Comment {
                line: 0,
                start: place.start + 1,
                text: file.slice(place.start + 1..place.end),
                alone: true,
            };
            let behind = instructions.partition_point(|one| one.range.end <= place.start);
            let target = instructions.get(behind);
            let lines = match target {
                Some(_) if place.start < first => lines_of(whole.clone()),
                Some(one) => lines_of(one.range.clone()),
                None => continue,
            };
            for (start, rule) in rules(&comment) {
                if !registry::can_be_allowed(rule) {
                    let span = file.span(start..start + rule.len());
                    self.unknown.push((span, rule.to_owned()));
                    continue;
                }
                for line in lines.clone() {
                    let rules = allowed.lines.entry(line).or_default();
                    rules.insert(rule.to_owned());
                }
            }
        }
    }

    fn read_file(&mut self, input: &Input<'_>, source: SourceId, scalars: &[(usize, usize)]) {
        let file = input.sources().get(source);
        let first = first_line_with_content(&file.text);
        let allowed = self.files.entry(file.name.clone()).or_default();
        for comment in comments(&file.text, scalars) {
            for (start, rule) in rules(&comment) {
                if !registry::can_be_allowed(rule) {
                    let range = start..start + rule.len();
                    let start = start_of(source);
                    let span = place::on_line(&file.text, start, comment.line, range);
                    self.unknown.push((span, rule.to_owned()));
                } else if comment.line < first {
                    allowed.everywhere.insert(rule.to_owned());
                } else {
                    let line = if comment.alone {
                        next_line_with_content(&file.text, comment.line)
                    } else {
                        comment.line
                    };
                    let rules = allowed.lines.entry(line).or_default();
                    rules.insert(rule.to_owned());
                }
            }
        }
    }
}

/// The start of a file.
fn start_of(source: SourceId) -> Span {
    Span {
        source,
        start: 0,
        end: 0,
        line: 1,
        column: 1,
    }
}

/// Byte ranges of the values of a file in which a `#` starts no comment, sorted.
fn scalars(input: &Input<'_>, source: SourceId) -> Vec<(usize, usize)> {
    let mut ranges = Vec::new();
    for document in &input.written.documents {
        if document.span.source != source {
            continue;
        }
        walk::walk(document, &mut |visit| {
            let is_scalar = !matches!(visit.node.value, Value::Map(_) | Value::Seq(_));
            let spans = [Some(visit.key), is_scalar.then_some(visit.node.span)];
            for span in spans.into_iter().flatten() {
                ranges.push(value_range(input, span));
            }
        });
    }
    for file in &input.written.env_files {
        if file.source == source {
            let values = values(input, file);
            ranges.extend(values.iter().map(|value| value_range(input, value.span)));
        }
    }
    ranges.retain(|(start, end)| start < end);
    ranges.sort_unstable();
    ranges.dedup();
    ranges
}

/// The range of a value; of a block value without its first line, which may end in a comment.
fn value_range(input: &Input<'_>, span: Span) -> (usize, usize) {
    let text = input.text(span);
    let header = if text.starts_with(['|', '>']) {
        text.find('\n').unwrap_or(text.len())
    } else {
        0
    };
    (span.start as usize + header, span.end as usize)
}

/// Every comment of a text: a `#` at the start of a line or behind a blank, outside of values.
fn comments<'t>(text: &'t str, scalars: &[(usize, usize)]) -> Vec<Comment<'t>> {
    let mut found = Vec::new();
    let mut offset = 0;
    for (index, line) in text.split('\n').enumerate() {
        let start = line.match_indices('#').map(|(at, _)| at).find(|at| {
            let before = line[..*at].chars().next_back();
            before.is_none_or(|c| c.is_whitespace() || c == '\u{feff}')
                && !is_inside(scalars, offset + at)
        });
        if let Some(at) = start {
            found.push(Comment {
                line: index as u32 + 1,
                start: offset + at + 1,
                text: &line[at + 1..],
                alone: line[..at].trim_start_matches('\u{feff}').trim().is_empty(),
            });
        }
        offset += line.len() + 1;
    }
    found
}

fn is_inside(scalars: &[(usize, usize)], at: usize) -> bool {
    let candidates = scalars.partition_point(|(start, _)| *start <= at);
    // Values do not overlap but for copies by aliases, which have the same place.
    scalars[..candidates]
        .last()
        .is_some_and(|(_, end)| at < *end)
}

/// The rules that a comment allows, each with its place in bytes.
fn rules<'t>(comment: &Comment<'t>) -> Vec<(usize, &'t str)> {
    let text = comment.text;
    let list = text
        .trim_start()
        .strip_prefix(MARKER)
        .map(str::trim_start)
        .and_then(|rest| rest.strip_prefix("allow"))
        .and_then(|rest| rest.trim_start().strip_prefix('('))
        .and_then(|rest| Some(&rest[..rest.find(')')?]));
    let Some(list) = list else {
        return Vec::new();
    };
    list.split(',')
        .map(str::trim)
        .filter(|rule| !rule.is_empty())
        .map(|rule| {
            let at = rule.as_ptr() as usize - text.as_ptr() as usize;
            (comment.start + at, rule)
        })
        .collect()
}

fn has_content(line: &str) -> bool {
    let line = line.trim_start_matches('\u{feff}').trim();
    !line.is_empty() && !line.starts_with('#') && line != "---"
}

fn first_line_with_content(text: &str) -> u32 {
    next_line_with_content(text, 0)
}

/// The number of the first line behind line `after` that is no comment; `after` where there is none.
fn next_line_with_content(text: &str, after: u32) -> u32 {
    text.split('\n')
        .enumerate()
        .skip(after as usize)
        .find(|(_, line)| has_content(line))
        .map_or(after, |(index, _)| index as u32 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_start_outside_of_values() {
        let text = "a: 'x # no' # one\nb: c#d\n# two\nk: |  # three\n  # in\n";
        let quoted = (3, 11);
        let block = (text.find("\n  # in").unwrap(), text.len());
        let texts: Vec<&str> = comments(text, &[quoted, block])
            .iter()
            .map(|comment| comment.text)
            .collect();
        assert_eq!(texts, [" one", " two", " three"]);
    }

    #[test]
    fn rules_of_a_comment() {
        let named = |text| {
            let comment = Comment {
                line: 1,
                start: 0,
                text,
                alone: true,
            };
            rules(&comment)
        };
        assert_eq!(named(" rcompose: allow(a-b, c)"), [(17, "a-b"), (22, "c")]);
        assert_eq!(named("rcompose:allow( a )  because"), [(16, "a")]);
        assert!(named(" rcompose allow(a)").is_empty());
        assert!(named(" rcompose: allow(a").is_empty());
        assert!(named(" rcompose: allow()").is_empty());
    }
}
