//! Problems of compose files, with the lines they are in.
//!
//! The first line of each problem has the form `compose.yaml:12:7: message`, which editors and
//! terminals make clickable; below it the line itself, underlined.

use std::ops::Range;

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Renderer, Snippet};

use super::origin;
use crate::compose::source::Relation;
use crate::compose::{Diagnostic, Severity, SourceMap, Span};

/// How many places besides that of the problem are shown with their lines.
const MOST_MARKS: usize = 4;

/// Marks this many bytes apart are shown apart: what is between them is not looked through.
const FAR: usize = 16 << 10;

/// How many places are named in a note.
const MOST_PLACES: usize = 8;

/// Columns to wrap at where the width of the terminal is not known.
pub(super) const DEFAULT_WIDTH: usize = 140;

/// Renders problems as text that ends with a newline, in the given order.
pub fn render(diagnostics: &[Diagnostic], sources: &SourceMap, color: bool) -> String {
    let renderer = if color {
        Renderer::styled()
    } else {
        Renderer::plain()
    }
    .term_width(crate::ui::terminal::width().map_or(DEFAULT_WIDTH, usize::from));
    let mut text = String::new();
    let mut after_snippet = false;
    for diagnostic in diagnostics {
        if after_snippet {
            text.push('\n');
        }
        after_snippet = diagnostic.span.is_some();
        if diagnostic.span.is_none() && diagnostic.related.is_empty() {
            text.push_str(&paragraph(diagnostic, sources, color));
        } else {
            text.push_str(&renderer.render(&[group(diagnostic, sources)]));
            text.push('\n');
        }
    }
    text
}

/// A problem without a place: the message, and below it what to do.
fn paragraph(diagnostic: &Diagnostic, sources: &SourceMap, color: bool) -> String {
    let help = diagnostic
        .help
        .as_ref()
        .map(|help| format!("  {help}\n"))
        .unwrap_or_default();
    let line = match diagnostic.severity {
        Severity::Error => headline(diagnostic, sources) + "\n",
        Severity::Warning => crate::ui::warning::text(&diagnostic.message, color),
        Severity::Note => format!("note: {}\n", diagnostic.message),
    };
    line + &help
}

/// The problem on one line: its place, where it has one, and the message.
pub fn headline(diagnostic: &Diagnostic, sources: &SourceMap) -> String {
    placed(diagnostic, sources, "")
}

fn placed(diagnostic: &Diagnostic, sources: &SourceMap, severity: &str) -> String {
    let place = diagnostic
        .span
        .map(|span| format!("{}: ", sources.locate(span)))
        .unwrap_or_default();
    format!("{place}{severity}{}", diagnostic.message)
}

fn group<'a>(diagnostic: &'a Diagnostic, sources: &'a SourceMap) -> Group<'a> {
    let (level, severity) = match diagnostic.severity {
        Severity::Error => (Level::ERROR, ""),
        Severity::Warning => (Level::WARNING, "warning: "),
        Severity::Note => (Level::NOTE, "note: "),
    };
    let title = level
        .no_name()
        .primary_title(placed(diagnostic, sources, severity));
    let mut group = Group::with_title(title);
    for snippet in snippets(diagnostic, sources) {
        group = group.element(snippet);
    }
    group = group.elements(unmarked(diagnostic, sources).map(|note| Level::NOTE.message(note)));
    let mut steps = origin(diagnostic.span, sources);
    // A Dockerfile is known by its path, whatever it is built for.
    if steps
        .first()
        .is_some_and(|step| step.relation == Relation::Dockerfile)
    {
        steps.clear();
    }
    for step in steps {
        let note = format!("{} {}", step.verb(), sources.locate(step.span));
        group = group.element(Level::NOTE.message(note));
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    group
}

/// Names the places that are too many to be shown with their lines.
fn unmarked(diagnostic: &Diagnostic, sources: &SourceMap) -> Option<String> {
    let rest = diagnostic.related.get(MOST_MARKS..)?;
    let (_, text) = rest.first()?;
    let mut places: Vec<String> = rest
        .iter()
        .take(MOST_PLACES)
        .map(|(span, _)| sources.locate(*span))
        .collect();
    if rest.len() > MOST_PLACES {
        places.push(format!("{} more places", rest.len() - MOST_PLACES));
    }
    Some(format!("{text}: {}", places.join(", ")))
}

/// One marked place.
struct Mark<'a> {
    span: Span,
    label: Option<&'a str>,
    kind: AnnotationKind,
}

/// One snippet for each part of a file that has marked places, that of the problem first.
fn snippets<'a>(
    diagnostic: &'a Diagnostic,
    sources: &'a SourceMap,
) -> Vec<Snippet<'a, Annotation<'a>>> {
    let primary = diagnostic.span.map(|span| Mark {
        span,
        label: diagnostic.label.as_deref(),
        kind: AnnotationKind::Primary,
    });
    let related = diagnostic
        .related
        .iter()
        .take(MOST_MARKS)
        .map(|(span, text)| Mark {
            span: *span,
            label: Some(text),
            kind: AnnotationKind::Context,
        });
    let mut parts: Vec<Vec<Mark<'a>>> = Vec::new();
    for mark in primary.into_iter().chain(related) {
        let near = |marks: &[Mark<'_>]| marks.iter().any(|known| known.is_near(&mark));
        match parts.iter_mut().find(|marks| near(marks)) {
            Some(marks) => marks.push(mark),
            None => parts.push(vec![mark]),
        }
    }
    parts
        .iter()
        .enumerate()
        .filter_map(|(index, marks)| snippet(marks, index > 0, sources))
        .collect()
}

impl Mark<'_> {
    fn is_near(&self, other: &Mark<'_>) -> bool {
        self.span.source == other.span.source
            && self.span.start.abs_diff(other.span.start) as usize <= FAR
    }
}

/// The lines from the first to the last of marks in one file; `named` shows the file's name, which
/// the headline has for the first one.
fn snippet<'a>(
    marks: &[Mark<'a>],
    named: bool,
    sources: &'a SourceMap,
) -> Option<Snippet<'a, Annotation<'a>>> {
    let source = sources.get(marks.first()?.span.source);
    let text: &str = &source.text;
    let ranges: Vec<Range<usize>> = marks
        .iter()
        .map(|mark| first_line(text, mark.span))
        .collect();
    let start = line_start(text, ranges.iter().map(|range| range.start).min()?);
    let end = line_end(text, ranges.iter().map(|range| range.end).max()?);
    let line = marks.iter().map(|mark| mark.span.line).min()?;
    let (lines, offsets) = plain_breaks(&text[start..end]);
    let annotations = marks.iter().zip(&ranges).map(|(mark, range)| {
        let at = |byte: usize| offsets.get(byte - start).copied().unwrap_or(lines.len());
        mark.kind
            .span(at(range.start)..at(range.end))
            .label(mark.label)
    });
    Some(
        Snippet::source(lines.clone())
            .line_start(line as usize)
            .path(named.then_some(source.name.as_str()))
            .annotations(annotations),
    )
}

/// The text with `\n` at the end of every line, and for each of its bytes where it went.
fn plain_breaks(text: &str) -> (String, Vec<usize>) {
    let mut plain = String::with_capacity(text.len());
    let mut offsets = Vec::with_capacity(text.len() + 1);
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        offsets.extend((0..char.len_utf8()).map(|byte| plain.len() + byte));
        match char {
            '\r' if chars.peek() == Some(&'\n') => {}
            '\r' => plain.push('\n'),
            _ => plain.push(char),
        }
    }
    offsets.push(plain.len());
    (plain, offsets)
}

/// The part of a span that is on its first line, within the text and on character boundaries.
fn first_line(text: &str, span: Span) -> Range<usize> {
    let start = char_boundary(text, span.start as usize);
    let end = char_boundary(text, span.end as usize).max(start);
    let end = end.min(line_end(text, start));
    start..start + text[start..end].trim_end().len()
}

/// The nearest character boundary at or before `at`.
fn char_boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len()))
        .rev()
        .find(|index| text.is_char_boundary(*index))
        .unwrap_or_default()
}

fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind(['\n', '\r']).map_or(0, |end| end + 1)
}

fn line_end(text: &str, at: usize) -> usize {
    text[at..]
        .find(['\n', '\r'])
        .map_or(text.len(), |offset| at + offset)
}
