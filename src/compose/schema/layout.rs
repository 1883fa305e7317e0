//! JSON as people like to read it: what fits a line is on one line.

use std::fmt::Write as _;

use serde_json::Value;

const WIDTH: usize = 120;

/// Prints a value with two spaces a level and a line break at the end.
pub(super) fn print(value: &Value) -> String {
    let mut text = String::new();
    write(value, 0, 0, &mut text);
    text.push('\n');
    text
}

/// Writes a value that starts at a column, inside `depth` levels.
fn write(value: &Value, depth: usize, column: usize, out: &mut String) {
    let flat = flat(value);
    // One more for the comma.
    if depth > 1 && column + flat.chars().count() < WIDTH {
        out.push_str(&flat);
        return;
    }
    match value {
        Value::Object(map) if !map.is_empty() => {
            out.push('{');
            for (index, (key, value)) in map.iter().enumerate() {
                new_line(index, depth + 1, out);
                let key = format!("{}: ", flat_text(key));
                out.push_str(&key);
                let column = 2 * (depth + 1) + key.chars().count();
                write(value, depth + 1, column, out);
            }
            new_line(0, depth, out);
            out.push('}');
        }
        Value::Array(items) if !items.is_empty() => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                new_line(index, depth + 1, out);
                write(item, depth + 1, 2 * (depth + 1), out);
            }
            new_line(0, depth, out);
            out.push(']');
        }
        _ => out.push_str(&flat),
    }
}

fn new_line(index: usize, depth: usize, out: &mut String) {
    if index > 0 {
        out.push(',');
    }
    let _ = write!(out, "\n{}", "  ".repeat(depth));
}

fn flat(value: &Value) -> String {
    match value {
        Value::Object(map) if map.is_empty() => "{}".to_owned(),
        Value::Object(map) => {
            let entries: Vec<String> = map
                .iter()
                .map(|(key, value)| format!("{}: {}", flat_text(key), flat(value)))
                .collect();
            format!("{{ {} }}", entries.join(", "))
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(flat).collect();
            format!("[{}]", items.join(", "))
        }
        scalar => scalar.to_string(),
    }
}

fn flat_text(text: &str) -> String {
    Value::from(text).to_string()
}
