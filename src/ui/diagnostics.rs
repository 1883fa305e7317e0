//! Problems of compose files, with the lines they are in.
//!
//! The first line of each problem has the form `compose.yaml:12:7: message`, which editors and
//! terminals make clickable; below it the line itself, underlined.

use std::ops::Range;

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Renderer, Snippet};

use crate::compose::source::{Relation, SourceId};
use crate::compose::{Diagnostic, SourceMap, Span};

/// Columns to wrap at where the width of the terminal is not known.
const DEFAULT_WIDTH: usize = 140;

/// Renders problems as text that ends with a newline, in the given order.
pub fn render(diagnostics: &[Diagnostic], sources: &SourceMap, color: bool) -> String {
    let renderer = if color {
        Renderer::styled()
    } else {
        Renderer::plain()
    }
    .term_width(super::terminal::width().map_or(DEFAULT_WIDTH, usize::from));
    let mut text = String::new();
    for diagnostic in diagnostics {
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
    let line = if diagnostic.is_error() {
        headline(diagnostic, sources) + "\n"
    } else {
        super::warning::text(&diagnostic.message, color)
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
    let (level, severity) = if diagnostic.is_error() {
        (Level::ERROR, "")
    } else {
        (Level::WARNING, "warning: ")
    };
    let title = level
        .no_name()
        .primary_title(placed(diagnostic, sources, severity));
    let mut group = Group::with_title(title);
    for snippet in snippets(diagnostic, sources) {
        group = group.element(snippet);
    }
    for note in origin(diagnostic.span, sources) {
        group = group.element(Level::NOTE.message(note));
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    group
}

/// One marked place.
struct Mark<'a> {
    span: Span,
    label: Option<&'a str>,
    kind: AnnotationKind,
}

/// One snippet for each file that has a marked place, the file of the problem first.
fn snippets<'a>(
    diagnostic: &'a Diagnostic,
    sources: &'a SourceMap,
) -> Vec<Snippet<'a, Annotation<'a>>> {
    let primary = diagnostic.span.map(|span| Mark {
        span,
        label: diagnostic.label.as_deref(),
        kind: AnnotationKind::Primary,
    });
    let related = diagnostic.related.iter().map(|(span, text)| Mark {
        span: *span,
        label: Some(text),
        kind: AnnotationKind::Context,
    });
    let mut files: Vec<(SourceId, Vec<Mark<'a>>)> = Vec::new();
    for mark in primary.into_iter().chain(related) {
        match files.iter_mut().find(|(id, _)| *id == mark.span.source) {
            Some((_, marks)) => marks.push(mark),
            None => files.push((mark.span.source, vec![mark])),
        }
    }
    files
        .into_iter()
        .enumerate()
        .filter_map(|(index, (id, marks))| snippet(id, &marks, index > 0, sources))
        .collect()
}

/// The lines from the first to the last mark of one file; `named` shows the file's name, which
/// the headline has for the first one.
fn snippet<'a>(
    id: SourceId,
    marks: &[Mark<'a>],
    named: bool,
    sources: &'a SourceMap,
) -> Option<Snippet<'a, Annotation<'a>>> {
    let source = sources.get(id);
    let text: &str = &source.text;
    let ranges: Vec<Range<usize>> = marks
        .iter()
        .map(|mark| first_line(text, mark.span))
        .collect();
    let start = line_start(text, ranges.iter().map(|range| range.start).min()?);
    let end = line_end(text, ranges.iter().map(|range| range.end).max()?);
    let line = text[..start].matches('\n').count() + 1;
    let annotations = marks.iter().zip(&ranges).map(|(mark, range)| {
        mark.kind
            .span(range.start - start..range.end - start)
            .label(mark.label)
    });
    Some(
        Snippet::source(&text[start..end])
            .line_start(line)
            .path(named.then_some(source.name.as_str()))
            .annotations(annotations),
    )
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
    text[..at].rfind('\n').map_or(0, |newline| newline + 1)
}

fn line_end(text: &str, at: usize) -> usize {
    text[at..]
        .find('\n')
        .map_or(text.len(), |offset| at + offset)
}

/// How the file of a place came to be read, nearest first.
fn origin(span: Option<Span>, sources: &SourceMap) -> Vec<String> {
    let mut notes = Vec::new();
    let mut parent = span.and_then(|span| sources.get(span.source).parent);
    while let Some((relation, place)) = parent {
        let verb = match relation {
            Relation::Include => "included from",
            Relation::Extends => "extended from",
            Relation::EnvFile => "read as an env file of",
            Relation::LabelFile => "read as a label file of",
        };
        notes.push(format!("{verb} {}", sources.locate(place)));
        parent = sources.get(place.source).parent;
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::source::Source;

    fn source(name: &str, text: &str, parent: Option<(Relation, Span)>) -> Source {
        Source {
            name: name.into(),
            text: text.into(),
            parent,
        }
    }

    fn span(sources: &SourceMap, source: SourceId, word: &str) -> Span {
        let text = &sources.get(source).text;
        let start = text.find(word).unwrap_or_default();
        let before = &text[..start];
        Span {
            source,
            start: start as u32,
            end: (start + word.len()) as u32,
            line: before.matches('\n').count() as u32 + 1,
            column: (start - line_start(text, start)) as u32 + 1,
        }
    }

    #[test]
    fn underlines_the_place_and_tells_the_remedy() {
        let mut sources = SourceMap::default();
        let id = sources.add(source(
            "compose.yaml",
            "services:\n  web:\n    image: a\n    depend_on: [db]\n  db:\n    image: b\n",
            None,
        ));
        let problem = Diagnostic::error("unknown attribute \"depend_on\" in service \"web\"")
            .at(span(&sources, id, "depend_on"))
            .label("not an attribute of a service")
            .related(span(&sources, id, "web"), "in this service")
            .help("did you mean \"depends_on\"?");
        insta::assert_snapshot!(render(&[problem], &sources, false), @r#"
        compose.yaml:4:5: unknown attribute "depend_on" in service "web"
          |
        2 |   web:
          |   --- in this service
        3 |     image: a
        4 |     depend_on: [db]
          |     ^^^^^^^^^ not an attribute of a service
          |
          = help: did you mean "depends_on"?
        "#);
    }

    #[test]
    fn shows_other_files_and_what_led_there() {
        let mut sources = SourceMap::default();
        let main = sources.add(source(
            "compose.yaml",
            "include:\n  - db/compose.yaml\n",
            None,
        ));
        let entry = span(&sources, main, "db/compose.yaml");
        let included = sources.add(source(
            "db/compose.yaml",
            "services:\n  db:\n    image: [b]\n",
            Some((Relation::Include, entry)),
        ));
        let problem = Diagnostic::warning("image must be a string")
            .at(span(&sources, included, "[b]"))
            .related(entry, "included here");
        insta::assert_snapshot!(render(&[problem], &sources, false), @r#"
        db/compose.yaml:3:12: warning: image must be a string
          |
        3 |     image: [b]
          |            ^^^
          |
         ::: compose.yaml:2:5
          |
        2 |   - db/compose.yaml
          |     --------------- included here
          |
          = note: included from compose.yaml:2:5
        "#);
    }

    #[test]
    fn a_problem_without_a_place_is_one_line() {
        let problem =
            Diagnostic::error("no configuration file provided: not found").help("name one with -f");
        insta::assert_snapshot!(
            render(&[problem], &SourceMap::default(), false),
            @r"
        no configuration file provided: not found
          name one with -f
        "
        );
    }

    #[test]
    fn spans_outside_the_text_do_not_panic() {
        let mut sources = SourceMap::default();
        let id = sources.add(source("é.yaml", "é: é\r\n", None));
        for (start, end) in [(0, 99), (1, 1), (99, 100), (7, 3), (5, 7)] {
            let place = Span {
                source: id,
                start,
                end,
                line: 1,
                column: 1,
            };
            assert!(!render(&[Diagnostic::error("x").at(place)], &sources, false).is_empty());
        }
    }
}
