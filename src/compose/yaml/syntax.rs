//! Syntax errors of the parser, worded for people and placed in the text.

use libyaml_safer::{Error, ErrorKind, Mark};

use super::super::diagnostic::{Diagnostic, code};
use super::super::source::{SourceId, Span};

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
pub(super) fn explain(error: &Error, source: SourceId, text: &str, skipped: usize) -> Diagnostic {
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
    let mut diagnostic = Diagnostic::error(wording.message)
        .code(code::YAML_SYNTAX)
        .at(text.span(mark));
    diagnostic.help = wording.help.map(str::to_owned);
    if let (Some(label), Some(context)) = (wording.opening, error.context_mark()) {
        diagnostic = diagnostic.related(text.span(context), label);
    }
    diagnostic
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
        "mapping values are not allowed in this context" => {
            Wording::new("a `key: value` is not allowed here")
                .help("check the indentation of this line, or quote the text if it contains `: `")
        }
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
        "did not find expected '-' indicator" => Wording::new("expected a list item `- …` here")
            .opening("in the list that starts here")
            .help(CHECK_INDENT),
        "could not find expected ':'" => Wording::new("expected `:` after this key")
            .opening("the key starts here")
            .help("a key is on one line, at most 1024 characters long, and `: ` follows it"),
        "did not find expected ',' or ']'" => {
            Wording::new("expected `,` or `]` here").opening("the list starts here")
        }
        "did not find expected ',' or '}'" => {
            Wording::new("expected `,` or `}` here").opening("the mapping starts here")
        }
        "did not find expected node content" => Wording::new("expected a value here")
            .help("quote the text if it starts with one of `,` `]` `}` `%`"),
        "found unexpected end of stream" => {
            Wording::new("the quote is never closed").opening("it opens here")
        }
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
        "did not find expected <document start>" => {
            Wording::new("expected a new document `---` here").help(CHECK_INDENT)
        }
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
    fn at(self, mark: Mark) -> Option<char> {
        let offset = mark.index as usize + self.skipped;
        self.text.get(offset..)?.chars().next()
    }

    fn span(self, mark: Mark) -> Span {
        let start = (mark.index as usize + self.skipped).min(self.text.len());
        let width = match self.at(mark) {
            None | Some('\n' | '\r') => 0,
            Some(character) => character.len_utf8(),
        };
        Span {
            source: self.source,
            start: start as u32,
            end: (start + width) as u32,
            line: mark.line as u32 + 1,
            column: mark.column as u32 + 1,
        }
    }

    fn span_at(self, offset: usize) -> Span {
        let before = &self.text[..offset];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let width = self.text[offset..].chars().next().map_or(0, char::len_utf8);
        Span {
            source: self.source,
            start: offset as u32,
            end: (offset + width) as u32,
            line: before.matches('\n').count() as u32 + 1,
            column: before[line_start..].chars().count() as u32 + 1,
        }
    }
}
