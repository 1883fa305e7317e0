//! Writes JSON as Go's encoder does.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::number;
use super::value::Value;

/// With line breaks and two spaces a level.
pub(super) fn pretty(value: &Value<'_>) -> String {
    let mut out = String::new();
    write(&mut out, value, Some(0));
    out
}

/// Without any space.
pub(super) fn compact(value: &Value<'_>) -> String {
    let mut out = String::new();
    write(&mut out, value, None);
    out
}

fn write(out: &mut String, value: &Value<'_>, depth: Option<usize>) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Int(number) => {
            let _ = write!(out, "{number}");
        }
        Value::Uint(number) => {
            let _ = write!(out, "{number}");
        }
        Value::Float32(number) => out.push_str(&number::json32(*number)),
        Value::Float(number) => out.push_str(&number::json(*number)),
        Value::Str(text) => string(out, text),
        Value::Timestamp(text) => string(out, text),
        Value::List(items) => list(out, items, depth),
        Value::Map(entries) => map(out, entries, depth),
    }
}

fn list(out: &mut String, items: &[Value<'_>], depth: Option<usize>) {
    if items.is_empty() {
        out.push_str("[]");
        return;
    }
    let inner = depth.map(|depth| depth + 1);
    out.push('[');
    for (index, item) in items.iter().enumerate() {
        separate(out, index, inner);
        write(out, item, inner);
    }
    line(out, depth);
    out.push(']');
}

fn map(out: &mut String, entries: &[(Cow<'_, str>, Value<'_>)], depth: Option<usize>) {
    if entries.is_empty() {
        out.push_str("{}");
        return;
    }
    let inner = depth.map(|depth| depth + 1);
    out.push('{');
    for (index, (key, value)) in entries.iter().enumerate() {
        separate(out, index, inner);
        string(out, key);
        out.push_str(if inner.is_some() { ": " } else { ":" });
        write(out, value, inner);
    }
    line(out, depth);
    out.push('}');
}

fn separate(out: &mut String, index: usize, depth: Option<usize>) {
    if index > 0 {
        out.push(',');
    }
    line(out, depth);
}

fn line(out: &mut String, depth: Option<usize>) {
    if let Some(depth) = depth {
        out.push('\n');
        for _ in 0..depth {
            out.push_str("  ");
        }
    }
}

/// A quoted text; `<`, `>` and `&` are escaped as for HTML.
fn string(out: &mut String, text: &str) {
    out.push('"');
    let mut start = 0;
    for (index, char) in text.char_indices() {
        let short = match char {
            '"' => "\\\"",
            '\\' => "\\\\",
            '\n' => "\\n",
            '\r' => "\\r",
            '\t' => "\\t",
            '\u{8}' => "\\b",
            '\u{c}' => "\\f",
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..'\u{20}' => "",
            _ => continue,
        };
        out.push_str(&text[start..index]);
        start = index + char.len_utf8();
        if short.is_empty() {
            let _ = write!(out, "\\u{:04x}", u32::from(char));
        } else {
            out.push_str(short);
        }
    }
    out.push_str(&text[start..]);
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Value<'static> {
        Value::Map(vec![
            (
                Cow::Borrowed("a"),
                Value::List(vec![Value::Int(1), Value::Null]),
            ),
            (Cow::Borrowed("b"), Value::Map(Vec::new())),
            (Cow::Borrowed("c"), Value::str("<\"x\">&\n\u{1}é\u{2028}")),
        ])
    }

    #[test]
    fn writes_pretty() {
        assert_eq!(
            pretty(&sample()),
            "{\n  \"a\": [\n    1,\n    null\n  ],\n  \"b\": {},\n  \"c\": \"\\u003c\\\"x\\\"\\u003e\\u0026\\n\\u0001é\\u2028\"\n}"
        );
    }

    #[test]
    fn writes_compact() {
        assert_eq!(
            compact(&sample()),
            "{\"a\":[1,null],\"b\":{},\"c\":\"\\u003c\\\"x\\\"\\u003e\\u0026\\n\\u0001é\\u2028\"}"
        );
    }
}
