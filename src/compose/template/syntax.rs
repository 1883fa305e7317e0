//! The grammar of templates, shared by substitution and by listing variables.
//!
//! `$$` is a dollar, `$NAME` and `${NAME}` are variables, `${NAME<operator>text}` has one of
//! six operators, and its text is a template again. A `$` before anything else stands for itself.

use std::ops::Range;

/// A piece of a template.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'text> {
    /// Text that stands for itself.
    Literal(&'text str),
    /// `$$`.
    Dollar,
    /// A variable; `range` covers it from the `$`.
    Variable {
        name: &'text str,
        operation: Option<Operation<'text>>,
        range: Range<usize>,
    },
    /// `${` without a valid variable behind it.
    Invalid { range: Range<usize> },
}

/// What follows the name inside braces.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Operation<'text> {
    pub(super) operator: Operator,
    /// Whether an empty value counts as unset (the operator has a colon).
    pub(super) colon: bool,
    /// The template behind the operator.
    pub(super) text: &'text str,
    /// Where `text` starts, in bytes from the start of the whole template.
    pub(super) start: usize,
}

/// The six operators, less their colon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    /// `-`: the text where the variable is unset.
    Default,
    /// `+`: the text where the variable is set.
    Alternate,
    /// `?`: an error with the text where the variable is unset.
    Required,
}

/// Cuts a template into pieces. Ranges count from `offset`.
pub(super) fn pieces(text: &str, offset: usize) -> Pieces<'_> {
    Pieces {
        rest: text,
        at: offset,
    }
}

/// The pieces of a template, cut off one by one: a long one may have millions.
pub(super) struct Pieces<'text> {
    rest: &'text str,
    /// Where `rest` starts.
    at: usize,
}

impl<'text> Iterator for Pieces<'text> {
    type Item = Piece<'text>;

    fn next(&mut self) -> Option<Piece<'text>> {
        let (piece, length) = match self.rest.find('$') {
            Some(0) => after_dollar(self.rest, self.at),
            _ if self.rest.is_empty() => return None,
            found => {
                let length = found.unwrap_or(self.rest.len());
                (Piece::Literal(&self.rest[..length]), length)
            }
        };
        self.rest = &self.rest[length..];
        self.at += length;
        Some(piece)
    }
}

/// The piece that starts with the `$` at the start of `text`, and its length in bytes.
fn after_dollar(text: &str, start: usize) -> (Piece<'_>, usize) {
    if text.starts_with("$$") {
        return (Piece::Dollar, 2);
    }
    if text.starts_with("${") {
        return braced(text, start);
    }
    let length = name_length(&text[1..]);
    if length == 0 {
        return (Piece::Literal(&text[..1]), 1);
    }
    let variable = Piece::Variable {
        name: &text[1..=length],
        operation: None,
        range: start..start + 1 + length,
    };
    (variable, 1 + length)
}

fn braced(text: &str, start: usize) -> (Piece<'_>, usize) {
    let Some(end) = closing_brace(text) else {
        let range = start..start + text.len();
        return (Piece::Invalid { range }, text.len());
    };
    let range = start..start + end + 1;
    match variable(&text[..=end], range.clone()) {
        Some(piece) => (piece, end + 1),
        None => (Piece::Invalid { range }, end + 1),
    }
}

/// Reads `${NAME}` or `${NAME<operator>text}`.
fn variable(text: &str, range: Range<usize>) -> Option<Piece<'_>> {
    let inner = text.strip_prefix("${")?.strip_suffix('}')?;
    let (name, rest) = inner.split_at(name_length(inner));
    if name.is_empty() {
        return None;
    }
    let operation = if rest.is_empty() {
        None
    } else {
        let start = range.start + 2 + name.len();
        Some(operation(rest, start)?)
    };
    Some(Piece::Variable {
        name,
        operation,
        range,
    })
}

fn operation(text: &str, start: usize) -> Option<Operation<'_>> {
    let unsigned = text.strip_prefix(':').unwrap_or(text);
    let operator = match unsigned.as_bytes().first()? {
        b'-' => Operator::Default,
        b'+' => Operator::Alternate,
        b'?' => Operator::Required,
        _ => return None,
    };
    let colon = unsigned.len() < text.len();
    Some(Operation {
        operator,
        colon,
        text: &unsigned[1..],
        start: start + usize::from(colon) + 1,
    })
}

/// Length of the variable name at the start of `text`, in bytes; 0 where there is none.
fn name_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    if !bytes
        .first()
        .is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_')
    {
        return 0;
    }
    bytes
        .iter()
        .position(|b| !b.is_ascii_alphanumeric() && *b != b'_')
        .unwrap_or(bytes.len())
}

/// Where the brace opened at byte 1 is closed, on the same line. Braces nest, with or without a
/// dollar; as in docker compose the byte behind an opening one does not count, so `{}` opens
/// without closing, and where that leaves a brace open the last `}` of the line closes it.
fn closing_brace(text: &str) -> Option<usize> {
    let mut open = 0usize;
    let mut last = None;
    let mut skip = false;
    for (at, byte) in text.bytes().enumerate() {
        if byte == b'\n' {
            return last;
        }
        if byte == b'}' {
            last = Some(at);
        }
        if std::mem::take(&mut skip) {
            continue;
        }
        match byte {
            b'{' => {
                open += 1;
                skip = true;
            }
            b'}' => {
                open = open.saturating_sub(1);
                if open == 0 {
                    return last;
                }
            }
            _ => {}
        }
    }
    last
}
