//! Syntax errors of the parser, worded for people and placed in the text.

use std::ops::Range;

use libyaml_safer::{Error, ErrorKind, Mark};

use super::super::diagnostic::{Diagnostic, code};
use super::super::source::{SourceId, Span};
use super::hint;

const NEVER_CLOSED: &str = "found unexpected end of stream";
const NO_MAPPING_HERE: &str = "mapping values are not allowed in this context";
const NO_VALUE: &str = "did not find expected node content";
const NO_ITEM: &str = "did not find expected '-' indicator";
const NO_DOCUMENT: &str = "did not find expected <document start>";

/// The text that an error is about.
#[derive(Clone, Copy)]
struct Text<'t> {
    source: SourceId,
    text: &'t str,
    /// Bytes before the first one that the parser saw.
    skipped: usize,
}

/// Turns an error of the parser into a diagnostic. `skipped` is the number of bytes of `text`
/// that the parser did not see.
/// `quote` is the quoted text of several lines that was read last, if there is one: its quote may have been closed by
/// the one that should have opened the next.
pub(super) fn explain(
    error: &Error,
    source: SourceId,
    text: &str,
    skipped: usize,
    quote: Option<Span>,
) -> Diagnostic {
    let text = Text {
        source,
        text,
        skipped,
    };
    let Some(mark) = error.problem_mark() else {
        return unreadable(error, text);
    };
    let problem = error.problem();
    let wording = wording(problem, error.context().unwrap_or_default(), text.at(mark));
    let mut diagnostic = Diagnostic::error(wording.message).code(code::YAML_SYNTAX);
    diagnostic.help = wording.help.map(str::to_owned);
    match (wording.opening, error.context_mark()) {
        (Some(label), Some(context)) if problem == NEVER_CLOSED => {
            return diagnostic.at(text.span(context)).label(label);
        }
        (Some(label), Some(context)) => {
            diagnostic = diagnostic.related(text.span(context), label);
        }
        _ => {}
    }
    look_around(
        diagnostic.at(text.span_of_error(mark)),
        problem,
        text,
        mark,
        quote,
    )
}

/// Says more where the lines around the error tell what is wrong.
fn look_around(
    mut diagnostic: Diagnostic,
    problem: &str,
    text: Text,
    mark: Mark,
    quote: Option<Span>,
) -> Diagnostic {
    let at = text.offset(mark);
    if let Some(range) = hint::conflict_marker(text.text) {
        diagnostic.message = "a merge of two versions of this file is not finished".into();
        diagnostic.related.clear();
        return diagnostic.at(text.range(range)).help(
            "keep one version, and remove the lines with `<<<<<<<`, `=======` and `>>>>>>>`",
        );
    }
    if text.text.trim_start().starts_with('<') {
        let start = text.text.len() - text.text.trim_start().len();
        diagnostic.message = "this is HTML or XML, not a compose file".into();
        diagnostic.related.clear();
        return diagnostic
            .at(text.range(start..start + 1))
            .help("look at the file: it may be an error page that was saved in its place");
    }
    if problem == NO_VALUE && text.text[at..].trim().is_empty() {
        diagnostic.message = "the file ends where a value is expected".into();
        return diagnostic.help("close every `[` and `{`");
    }
    let structural = [
        NO_MAPPING_HERE,
        "did not find expected key",
        NO_ITEM,
        NO_DOCUMENT,
    ];
    if !structural.contains(&problem) {
        return diagnostic;
    }
    let before = text
        .text
        .get(..at)
        .and_then(|before| before.chars().next_back());
    if quote.is_none() && matches!(before, Some('"' | '\'')) {
        return diagnostic.help(
            "the quote before this place ends the text: double a single quote inside single quotes, write \\\" inside \
             double ones",
        );
    }
    if let Some(quote) = quote {
        diagnostic.related.clear();
        return diagnostic
            .related(quote, "this text goes over several lines")
            .help("close its quote where the text should end");
    }
    if problem == NO_MAPPING_HERE
        && let Some((range, help)) = hint::key_above(text.text, at)
    {
        diagnostic.message = "expected a `key: value` here".into();
        return diagnostic.at(text.range(range)).help(help);
    }
    let hint = hint::indentation(text.text, at).or_else(|| hint::quoted_value(text.text, at));
    if hint.is_some() {
        diagnostic.help = hint;
    }
    diagnostic
}

/// The parser gave up without an error, behind the byte `read` of the text: a tag that runs into
/// a comma does that.
pub(super) fn given_up(source: SourceId, text: &str, read: usize) -> Diagnostic {
    let text = Text {
        source,
        text,
        skipped: 0,
    };
    match tag_before_comma(text.text, read) {
        Some(tag) => Diagnostic::error("a tag must not run into a comma")
            .code(code::YAML_SYNTAX)
            .at(Span {
                end: tag.end as u32,
                ..text.span_at(tag.start)
            })
            .help("put a blank between them"),
        None => Diagnostic::error("the file cannot be read behind this place")
            .code(code::YAML_SYNTAX)
            .at(text.span_at(read)),
    }
}

/// The first `!tag` with a comma right behind it.
fn tag_before_comma(text: &str, from: usize) -> Option<Range<usize>> {
    let mut start = from;
    loop {
        start += text.get(start..)?.find('!')?;
        let tag = &text[start..];
        let end = tag.find(|char: char| char.is_whitespace() || ",[]{}".contains(char))?;
        if tag[end..].starts_with(',') {
            return Some(start..start + end);
        }
        start += end;
    }
}

/// `%YAML` asks for something other than 1.1.
pub(super) fn unsupported_version(span: Span) -> Diagnostic {
    Diagnostic::error("only YAML 1.1 is supported in a `%YAML` directive")
        .code(code::YAML_SYNTAX)
        .at(span)
        .help("remove the directive")
}

struct Wording {
    message: String,
    /// What to write beside the place where the unfinished construct began.
    opening: Option<&'static str>,
    help: Option<&'static str>,
}

impl Wording {
    fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            opening: None,
            help: None,
        }
    }

    fn opening(mut self, label: &'static str) -> Self {
        self.opening = Some(label);
        self
    }

    fn help(mut self, help: &'static str) -> Self {
        self.help = Some(help);
        self
    }
}

fn wording(problem: &'static str, context: &'static str, next: Option<char>) -> Wording {
    const CHECK_INDENT: &str = "check the indentation of this line and the ones above";
    match problem {
        NO_MAPPING_HERE => Wording::new("a `key: value` is not allowed here")
            .help("check the indentation of this line, or quote the text if it contains `: `"),
        "block sequence entries are not allowed in this context" => {
            Wording::new("a list item is not allowed here")
                .help("put the list on the lines below its key")
        }
        "mapping keys are not allowed in this context" => {
            Wording::new("a `?` key is not allowed here").help(CHECK_INDENT)
        }
        "found character that cannot start any token" => cannot_start(next),
        "did not find expected key" => Wording::new("expected a `key: value` here")
            .opening("in the mapping that starts here")
            .help(CHECK_INDENT),
        NO_ITEM => Wording::new("expected a list item `- …` here")
            .opening("in the list that starts here")
            .help(CHECK_INDENT),
        "could not find expected ':'" => Wording::new("expected `:` after this key")
            .opening("the key starts here")
            .help("a key is on one line, at most 1024 characters long, and `: ` follows it"),
        "did not find expected ',' or ']'" => Wording::new("expected `,` or `]` here")
            .opening("the list starts here")
            .help("close the list with `]`, or put `,` between its items"),
        "did not find expected ',' or '}'" => Wording::new("expected `,` or `}` here")
            .opening("the mapping starts here")
            .help("close the mapping with `}`, or put `,` between its entries"),
        NO_VALUE => Wording::new("expected a value here")
            .help("quote the text if it starts with one of `,` `]` `}` `%`"),
        NEVER_CLOSED => Wording::new("the quote is never closed").opening("it opens here"),
        "found unexpected document indicator" => {
            Wording::new("a new document starts inside quotes").opening("the quote opens here")
        }
        "found unknown escape character" => Wording::new("unknown escape in a double-quoted text")
            .help("write `\\\\` for a backslash, or use single quotes"),
        "found a tab character that violates indentation"
        | "found a tab character where an indentation space is expected" => {
            Wording::new("tabs cannot indent").help("indent with spaces")
        }
        "found incompatible YAML document" => {
            Wording::new("only YAML 1.1 is supported in a `%YAML` directive")
                .help("remove the directive")
        }
        NO_DOCUMENT => Wording::new("expected a new document `---` here").help(CHECK_INDENT),
        "found unexpected ':'" => {
            Wording::new("unexpected `:`").help("put a space after `:`, or quote the text")
        }
        "found undefined tag handle" => Wording::new("unknown tag handle"),
        "did not find expected alphabetic or numeric character" => {
            if context.contains("alias") {
                Wording::new("expected a name after `*`")
                    .help("quote the text if it starts with a star")
            } else {
                Wording::new("expected a name after `&`")
                    .help("quote the text if it starts with an ampersand")
            }
        }
        "did not find expected comment or line break" => {
            Wording::new("expected the end of the line here")
        }
        other => Wording::new(format!("invalid YAML: {other}")),
    }
}

fn cannot_start(next: Option<char>) -> Wording {
    match next {
        Some('\t') => Wording::new("tabs cannot indent").help("indent with spaces"),
        Some(character) => {
            Wording::new(format!("a value cannot start with `{character}`")).help("quote the text")
        }
        None => Wording::new("expected a value here"),
    }
}

/// The text holds something that no YAML may hold.
fn unreadable(error: &Error, text: Text) -> Diagnostic {
    let forbidden = text
        .text
        .char_indices()
        .find(|(_, character)| !is_allowed(*character));
    let Some((offset, character)) = forbidden else {
        return Diagnostic::error(match error.kind() {
            ErrorKind::Io => "cannot read the file as YAML".to_owned(),
            _ => format!("invalid YAML: {}", error.problem()),
        })
        .code(code::YAML_SYNTAX);
    };
    Diagnostic::error(format!(
        "control character U+{:04X} is not allowed",
        u32::from(character)
    ))
    .code(code::YAML_SYNTAX)
    .at(text.span_at(offset))
    .help("remove it, or write it as an escape such as `\\x1b` in double quotes")
}

fn is_allowed(character: char) -> bool {
    matches!(character,
        '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{fffd}' | '\u{10000}'..)
}

impl Text<'_> {
    fn offset(self, mark: Mark) -> usize {
        (mark.index as usize + self.skipped).min(self.text.len())
    }

    fn at(self, mark: Mark) -> Option<char> {
        self.text.get(self.offset(mark)..)?.chars().next()
    }

    fn span(self, mark: Mark) -> Span {
        self.span_at(self.offset(mark))
    }

    /// The character at a mark; where only blank space follows, the end of what is written.
    fn span_of_error(self, mark: Mark) -> Span {
        let offset = self.offset(mark);
        let rest = self.text.get(offset..).unwrap_or_default();
        if rest.trim().is_empty() {
            self.span_at(self.text.trim_end().len())
        } else {
            self.span_at(offset)
        }
    }

    /// The character at an offset; nothing at the end of a line.
    fn span_at(self, offset: usize) -> Span {
        let next = self.text.get(offset..).and_then(|rest| rest.chars().next());
        let width = match next {
            None | Some('\n' | '\r') => 0,
            Some(character) => character.len_utf8(),
        };
        self.range(offset..offset + width)
    }

    fn range(self, range: Range<usize>) -> Span {
        Span::in_text(self.source, self.text, range)
    }
}
