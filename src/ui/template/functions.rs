//! The functions of the docker CLI's formats, and those of Go's templates that make sense there.

use std::cmp::Ordering;

use serde_json::Value;

use super::eval::show;
use super::{TemplateError, go_json};

/// Calls a function. In a header, functions that change a value leave it as it is.
pub(super) fn call(name: &str, args: &[Value], header: bool) -> Result<Value, TemplateError> {
    let text = |index: usize| show(args.get(index));
    let arity = |count: usize| {
        if args.len() == count {
            Ok(())
        } else {
            Err(TemplateError(format!(
                "the function \"{name}\" needs {count} arguments in the format, not {}",
                args.len()
            )))
        }
    };
    let value = match name {
        "json" | "title" | "lower" | "upper" => {
            arity(1)?;
            if header {
                return Ok(args[0].clone());
            }
            Value::String(match name {
                "json" => go_json(&args[0], false),
                "title" => title(&text(0)),
                "lower" => text(0).to_lowercase(),
                _ => text(0).to_uppercase(),
            })
        }
        "truncate" => {
            arity(2)?;
            if header {
                return Ok(args[0].clone());
            }
            let length = count(&args[1], name)?;
            Value::String(text(0).chars().take(length).collect())
        }
        "pad" => {
            arity(3)?;
            if text(0).is_empty() {
                return Ok(args[0].clone());
            }
            let (before, after) = (count(&args[1], name)?, count(&args[2], name)?);
            Value::String(format!(
                "{}{}{}",
                " ".repeat(before),
                text(0),
                " ".repeat(after)
            ))
        }
        "split" => {
            arity(2)?;
            if header {
                return Ok(args[0].clone());
            }
            split(&text(0), &text(1))
        }
        "join" => {
            arity(2)?;
            match &args[0] {
                Value::Array(items) => {
                    let items: Vec<String> = items.iter().map(|item| show(Some(item))).collect();
                    Value::String(items.join(&text(1)))
                }
                other if header => other.clone(),
                _ => return Err(TemplateError("\"join\" needs a list in the format".into())),
            }
        }
        "len" => {
            arity(1)?;
            match &args[0] {
                Value::Array(items) => items.len().into(),
                Value::Object(members) => members.len().into(),
                other => show(Some(other)).len().into(),
            }
        }
        "index" => index(args)?,
        "not" => {
            arity(1)?;
            Value::Bool(!truth(&args[0]))
        }
        "and" => choose(args, false),
        "or" => choose(args, true),
        "eq" => Value::Bool(args.iter().skip(1).any(|other| equal(&args[0], other))),
        "ne" | "lt" | "le" | "gt" | "ge" => {
            arity(2)?;
            Value::Bool(compare(name, &args[0], &args[1]))
        }
        "print" => Value::String(args.iter().map(|arg| show(Some(arg))).collect()),
        "println" => {
            let words: Vec<String> = args.iter().map(|arg| show(Some(arg))).collect();
            Value::String(words.join(" ") + "\n")
        }
        "printf" => Value::String(printf(args)?),
        _ => {
            return Err(TemplateError(format!(
                "unknown function \"{name}\" in the format"
            )));
        }
    };
    Ok(value)
}

/// What counts as true: everything but null, false, zero and what is empty.
pub(super) fn truth(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64().is_some_and(|number| number != 0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
    }
}

fn title(text: &str) -> String {
    let mut characters = text.chars();
    characters
        .next()
        .map(|first| first.to_uppercase().chain(characters).collect())
        .unwrap_or_default()
}

fn count(value: &Value, function: &str) -> Result<usize, TemplateError> {
    value
        .as_u64()
        .and_then(|number| usize::try_from(number).ok())
        .ok_or_else(|| TemplateError(format!("\"{function}\" needs a number in the format")))
}

fn split(text: &str, separator: &str) -> Value {
    if separator.is_empty() {
        return text.chars().map(String::from).collect();
    }
    text.split(separator).collect()
}

fn index(args: &[Value]) -> Result<Value, TemplateError> {
    let (first, keys) = args
        .split_first()
        .ok_or_else(|| TemplateError("\"index\" needs a list in the format".into()))?;
    let mut value = first.clone();
    for key in keys {
        value = if let Value::String(name) = key {
            value.get(name).cloned().unwrap_or_default()
        } else {
            let position = count(key, "index")?;
            value.get(position).cloned().ok_or_else(|| {
                TemplateError(format!("there is no element {position} for \"index\""))
            })?
        };
    }
    Ok(value)
}

/// The first argument whose truth is the wanted one, otherwise the last.
fn choose(args: &[Value], wanted: bool) -> Value {
    args.iter()
        .find(|arg| truth(arg) == wanted)
        .or(args.last())
        .cloned()
        .unwrap_or_default()
}

fn equal(left: &Value, right: &Value) -> bool {
    match (left.as_f64(), right.as_f64()) {
        (Some(left), Some(right)) => left.total_cmp(&right) == Ordering::Equal,
        _ => left == right,
    }
}

fn compare(name: &str, left: &Value, right: &Value) -> bool {
    if name == "ne" {
        return !equal(left, right);
    }
    let order = match (left.as_f64(), right.as_f64()) {
        (Some(left), Some(right)) => left.total_cmp(&right),
        _ => show(Some(left)).cmp(&show(Some(right))),
    };
    match name {
        "lt" => order.is_lt(),
        "le" => order.is_le(),
        "gt" => order.is_gt(),
        _ => order.is_ge(),
    }
}

/// `%s`, `%v`, `%d`, `%q` and `%%`, the first three with a width.
fn printf(args: &[Value]) -> Result<String, TemplateError> {
    let format = show(args.first());
    let mut values = args.iter().skip(1);
    let mut text = String::new();
    let mut rest = format.as_str();
    while let Some(at) = rest.find('%') {
        text.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let digits = after
            .find(|character: char| !character.is_ascii_digit() && character != '-')
            .ok_or_else(|| TemplateError("a lone \"%\" in a \"printf\" of the format".into()))?;
        let (width, verb) = after.split_at(digits);
        let verb = verb.chars().next().unwrap_or('%');
        rest = &after[digits + verb.len_utf8()..];
        if verb == '%' {
            text.push('%');
            continue;
        }
        let value = values
            .next()
            .ok_or_else(|| TemplateError("too few values for \"printf\" in the format".into()))?;
        let shown = match verb {
            's' | 'v' | 'd' => show(Some(value)),
            'q' => go_json(&Value::String(show(Some(value))), false),
            other => {
                return Err(TemplateError(format!(
                    "\"printf\" does not know \"%{other}\" in the format"
                )));
            }
        };
        text.push_str(&padded(&shown, width));
    }
    text.push_str(rest);
    Ok(text)
}

fn padded(text: &str, width: &str) -> String {
    let columns: usize = width.trim_start_matches('-').parse().unwrap_or_default();
    if width.starts_with('-') {
        format!("{text:<columns$}")
    } else {
        format!("{text:>columns$}")
    }
}
