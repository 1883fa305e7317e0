use super::*;
use crate::compose::Diagnostic;
use crate::compose::source::{Source, SourceId};

fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |newline| newline + 1)
}

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

#[test]
fn shows_marks_that_are_far_apart_one_by_one() {
    let mut sources = SourceMap::default();
    let text = format!("first: 1\n{}second: 2\n", "# between\n".repeat(5000));
    let id = sources.add(source("compose.yaml", &text, None));
    let problem = Diagnostic::error("second is second")
        .at(span(&sources, id, "second"))
        .related(span(&sources, id, "first"), "this is first");
    insta::assert_snapshot!(render(&[problem], &sources, false), @r"
    compose.yaml:5002:1: second is second
         |
    5002 | second: 2
         | ^^^^^^
         |
        ::: compose.yaml:1:1
         |
       1 | first: 1
         | ----- this is first
    ");
}

#[test]
fn an_end_is_found_from_its_start() {
    let mut sources = SourceMap::default();
    let id = sources.add(source("compose.yaml", "e: [a,\r\n  b,\r  éc]\n", None));
    let mut place = span(&sources, id, "[a,");
    let end = |place: Span| {
        let end = sources.end_of(place);
        (end.line, end.column)
    };
    assert_eq!(end(place), (1, 7));
    place.end += 12;
    assert_eq!(end(place), (3, 5));
}
