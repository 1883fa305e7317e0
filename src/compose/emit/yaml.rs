//! Writes YAML in go-yaml's style: two spaces a level, lists indented below their key.

use std::fmt::Write as _;

use super::number;
use super::scalar_style::{Style, is_break, is_printable, style};
use super::value::Value;

/// Writes one document.
pub(super) fn document(value: &Value<'_>) -> String {
    let mut out = String::new();
    write_root(&mut out, value);
    out
}

fn write_root(out: &mut String, value: &Value<'_>) {
    match value {
        Value::Map(entries) if !entries.is_empty() => entries_at(out, entries, 0, false),
        Value::List(items) if !items.is_empty() => items_at(out, items, 0, false),
        _ => {
            scalar(out, value, 0);
            end_line(out);
        }
    }
}

type Entry<'a> = (std::borrow::Cow<'a, str>, Value<'a>);

/// The longest key that is written before its value on one line.
const SIMPLE_KEY: usize = 128;

/// Writes the entries of a mapping; the first goes on the current line if `inline`.
fn entries_at(out: &mut String, entries: &[Entry<'_>], indent: usize, inline: bool) {
    for (index, (key, value)) in entries.iter().enumerate() {
        if index > 0 || !inline {
            pad(out, indent);
        }
        if key.len() > SIMPLE_KEY || key.contains(is_break) {
            long_entry(out, key, value, indent);
        } else {
            text(out, key, indent, true);
            out.push(':');
            value_after_key(out, value, indent);
        }
    }
}

/// `? key` and, on the next line, `: value`.
fn long_entry(out: &mut String, key: &str, value: &Value<'_>, indent: usize) {
    out.push_str("? ");
    text(out, key, indent + 2, false);
    end_line(out);
    pad(out, indent);
    out.push_str(": ");
    value_on_line(out, value, indent + 2);
}

fn value_after_key(out: &mut String, value: &Value<'_>, indent: usize) {
    match value {
        Value::Map(entries) if !entries.is_empty() => {
            out.push('\n');
            entries_at(out, entries, indent + 2, false);
        }
        Value::List(items) if !items.is_empty() => {
            out.push('\n');
            items_at(out, items, indent + 2, false);
        }
        _ => {
            out.push(' ');
            scalar(out, value, indent + 2);
            end_line(out);
        }
    }
}

/// Writes the elements of a list; the first goes on the current line if `inline`.
fn items_at(out: &mut String, items: &[Value<'_>], indent: usize, inline: bool) {
    for (index, item) in items.iter().enumerate() {
        if index > 0 || !inline {
            pad(out, indent);
        }
        out.push_str("- ");
        value_on_line(out, item, indent + 2);
    }
}

/// Writes a value that starts on the current line; what follows is indented.
fn value_on_line(out: &mut String, value: &Value<'_>, indent: usize) {
    match value {
        Value::Map(entries) if !entries.is_empty() => entries_at(out, entries, indent, true),
        Value::List(items) if !items.is_empty() => items_at(out, items, indent, true),
        _ => {
            scalar(out, value, indent);
            end_line(out);
        }
    }
}

/// Ends the line of a scalar, unless the scalar is a block whose last character ends it.
fn end_line(out: &mut String) {
    if !out.ends_with(is_break) {
        out.push('\n');
    }
}

fn scalar(out: &mut String, value: &Value<'_>, indent: usize) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Int(number) => {
            let _ = write!(out, "{number}");
        }
        Value::Uint(number) => {
            let _ = write!(out, "{number}");
        }
        Value::Float32(number) => out.push_str(&number::yaml32(*number)),
        Value::Float(number) => out.push_str(&number::yaml(*number)),
        Value::Str(string) => text(out, string, indent, false),
        Value::Timestamp(string) => out.push_str(string),
        Value::List(_) => out.push_str("[]"),
        Value::Map(_) => out.push_str("{}"),
    }
}

fn text(out: &mut String, text: &str, indent: usize, key: bool) {
    match style(text, key) {
        Style::Plain => out.push_str(text),
        Style::Single => {
            out.push('\'');
            lines(out, &text.replace('\'', "''"), indent);
            out.push('\'');
        }
        Style::Double => double_quoted(out, text),
        Style::Literal => literal(out, text, indent),
    }
}

fn double_quoted(out: &mut String, text: &str) {
    out.push('"');
    // go-yaml takes every character for a byte order mark where the first one is.
    let escape_all = text.starts_with('\u{feff}');
    for char in text.chars() {
        let escape = match char {
            '\0' => "\\0",
            '\u{7}' => "\\a",
            '\u{8}' => "\\b",
            '\t' => "\\t",
            '\n' => "\\n",
            '\u{b}' => "\\v",
            '\u{c}' => "\\f",
            '\r' => "\\r",
            '\u{1b}' => "\\e",
            '"' => "\\\"",
            '\\' => "\\\\",
            '\u{85}' => "\\N",
            '\u{a0}' if escape_all => "\\_",
            '\u{2028}' => "\\L",
            '\u{2029}' => "\\P",
            '\u{feff}' => "\\uFEFF",
            // Dollars are doubled in what is written, which an escaped one would escape.
            '$' => "$",
            _ if is_printable(char) && !escape_all => {
                out.push(char);
                continue;
            }
            _ => {
                escaped(out, u32::from(char));
                continue;
            }
        };
        out.push_str(escape);
    }
    out.push('"');
}

fn escaped(out: &mut String, code: u32) {
    let _ = match code {
        0..=0xff => write!(out, "\\x{code:02X}"),
        0x100..=0xffff => write!(out, "\\u{code:04X}"),
        _ => write!(out, "\\U{code:08X}"),
    };
}

/// A block of lines; one that does not end with a line break leaves the last one to the caller.
fn literal(out: &mut String, text: &str, indent: usize) {
    out.push('|');
    // docker compose leaves the number out before a tab, and cannot read its own output.
    if text.starts_with(|char: char| matches!(char, ' ' | '\t') || is_break(char)) {
        out.push('2');
    }
    let mut from_end = text.chars().rev();
    match (from_end.next().map(is_break), from_end.next().map(is_break)) {
        (Some(false), _) => out.push('-'),
        (_, Some(false)) => {}
        _ => out.push('+'),
    }
    out.push('\n');
    if !text.starts_with(is_break) {
        pad(out, indent);
    }
    lines(out, text, indent);
}

/// Text that is indented after every line break in it.
fn lines(out: &mut String, text: &str, indent: usize) {
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        out.push(char);
        if is_break(char) && chars.peek().is_some_and(|next| !is_break(*next)) {
            pad(out, indent);
        }
    }
}

fn pad(out: &mut String, indent: usize) {
    for _ in 0..indent {
        out.push(' ');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(entries: Vec<(&'static str, Value<'static>)>) -> Value<'static> {
        Value::Map(
            entries
                .into_iter()
                .map(|(key, value)| (key.into(), value))
                .collect(),
        )
    }

    #[test]
    fn nests_lists_and_mappings() {
        let value = map(vec![
            (
                "a",
                Value::List(vec![
                    map(vec![("b", Value::Int(1)), ("c", Value::Null)]),
                    Value::Bool(true),
                ]),
            ),
            (
                "d",
                map(vec![
                    ("e", Value::List(Vec::new())),
                    ("f", Value::Map(Vec::new())),
                ]),
            ),
            (
                "g",
                Value::List(vec![Value::List(vec![Value::str("x"), Value::str("z")])]),
            ),
        ]);
        assert_eq!(
            document(&value),
            "a:\n  - b: 1\n    c: null\n  - true\nd:\n  e: []\n  f: {}\ng:\n  - - x\n    - z\n"
        );
    }

    #[test]
    fn writes_blocks_of_lines() {
        for (text, block) in [
            ("a\nb", "k: |-\n  a\n  b\n"),
            ("a\nb\n", "k: |\n  a\n  b\n"),
            ("a\n\nb\n\n", "k: |+\n  a\n\n  b\n\n"),
            (" a\nb", "k: |2-\n   a\n  b\n"),
            ("\na", "k: |2-\n\n  a\n"),
            ("a\n  b", "k: |-\n  a\n    b\n"),
            ("\ta\nb", "k: |2-\n  \ta\n  b\n"),
            ("a\nb\u{2028}", "k: |\n  a\n  b\u{2028}"),
            ("a\n\u{2029}", "k: |+\n  a\n\u{2029}"),
            ("\u{2028}\n\n\n\u{2028}", "k: |2+\n\u{2028}\n\n\n\u{2028}"),
        ] {
            assert_eq!(document(&map(vec![("k", Value::str(text))])), block);
        }
    }

    #[test]
    fn escapes_what_cannot_be_printed() {
        let value = map(vec![("k", Value::str("a\u{1}\u{1F600}\t\"\\"))]);
        let marked = map(vec![("k", Value::str("\u{feff}$\n"))]);
        assert_eq!(document(&marked), "k: \"\\uFEFF$\\n\"\n");
        assert_eq!(document(&value), "k: \"a\\x01\\U0001F600\\t\\\"\\\\\"\n");
    }
}
