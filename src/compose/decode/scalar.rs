//! Texts, flags and numbers.

use super::Context;
use super::context::describe;
use crate::compose::diagnostic::code;
use crate::compose::diagnostic::similar::did_you_mean;
use crate::compose::emit::number;
use crate::compose::model::{ByteSize, Duration, FileMode};
use crate::compose::node::{Node, Value};

/// A text; numbers and flags are refused.
pub(super) fn text<'a>(node: &'a Node, cx: &mut Context<'a>) -> Option<String> {
    match &node.value {
        Value::Str(text) => Some(text.clone()),
        Value::Bool(_) | Value::Int(_) | Value::Uint(_) | Value::Float(_) => {
            let reason = format!("must be a text, not {}", describe(node));
            cx.invalid(code::WRONG_TYPE, node, &reason, "put it in quotes")
        }
        _ => cx.wrong_type(node, "a text"),
    }
}

/// A text, or an integer taken as its text.
pub(super) fn text_or_integer<'a>(node: &'a Node, cx: &mut Context<'a>) -> Option<String> {
    match &node.value {
        Value::Str(text) => Some(text.clone()),
        Value::Int(number) => Some(number.to_string()),
        Value::Uint(number) => Some(number.to_string()),
        _ => cx.wrong_type(node, "a text or an integer"),
    }
}

/// A text, or a number taken as its text.
pub(super) fn text_or_number<'a>(node: &'a Node, cx: &mut Context<'a>) -> Option<String> {
    match &node.value {
        Value::Str(_) | Value::Int(_) | Value::Uint(_) | Value::Float(_) => display(&node.value),
        _ => cx.wrong_type(node, "a text or a number"),
    }
}

/// A text, number or flag taken as its text.
pub(super) fn any_scalar<'a>(node: &'a Node, cx: &mut Context<'a>) -> Option<String> {
    match &node.value {
        Value::Timestamp(_) => cx.invalid(
            code::WRONG_TYPE,
            node,
            "must be a text, a number or a flag, not a timestamp",
            "put it in quotes",
        ),
        value => match display(value) {
            Some(text) => Some(text),
            None => cx.wrong_type(node, "a text, a number or a flag"),
        },
    }
}

/// A scalar as Go prints it: `1.10` is `1.1`, 1e20 is `1e+20`.
pub(super) fn display(value: &Value) -> Option<String> {
    match value {
        Value::Str(text) | Value::Timestamp(text) => Some(text.clone()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Int(number) => Some(number.to_string()),
        Value::Uint(number) => Some(number.to_string()),
        Value::Float(number) => Some(number::general(*number)),
        Value::Null | Value::Seq(_) | Value::Map(_) => None,
    }
}

/// A text out of a fixed set.
pub(super) fn one_of<'a>(
    allowed: &'static [&'static str],
) -> impl Fn(&'a Node, &mut Context<'a>) -> Option<String> {
    move |node, cx| {
        let text = text(node, cx)?;
        if allowed.contains(&text.as_str()) {
            return Some(text);
        }
        let help = did_you_mean(&text, allowed.iter().copied(), || {
            format!("use one of {}", allowed.join(", "))
        });
        cx.unreadable(node, &format!("must not be \"{text}\""), &help)
    }
}

/// `true` or `false`, also as text.
pub(super) fn flag<'a>(node: &'a Node, cx: &mut Context<'a>) -> Option<bool> {
    match &node.value {
        Value::Bool(flag) => return Some(*flag),
        Value::Str(text) => match text.to_ascii_lowercase().as_str() {
            "true" | "y" | "yes" | "on" => return Some(true),
            "false" | "n" | "no" | "off" => return Some(false),
            _ => {}
        },
        _ => {}
    }
    cx.wrong_type(node, "true or false")
}

/// `true` or `false`, not as text.
pub(super) fn strict_flag<'a>(node: &'a Node, cx: &mut Context<'a>) -> Option<bool> {
    match &node.value {
        Value::Bool(flag) => Some(*flag),
        _ => cx.wrong_type(node, "true or false"),
    }
}

/// A number of any kind, as integer; a fraction is cut off as docker compose does.
pub(super) fn number_as_integer<'a>(node: &'a Node, cx: &mut Context<'a>) -> Option<i64> {
    match &node.value {
        Value::Float(number) if number.is_finite() => Some(*number as i64),
        _ => integer(node, cx),
    }
}

/// A number, not as text; a fraction is cut off as docker compose does.
pub(super) fn number_not_text<'a>(node: &'a Node, cx: &mut Context<'a>) -> Option<i64> {
    match &node.value {
        Value::Str(_) => cx.wrong_type(node, "a number"),
        _ => number_as_integer(node, cx),
    }
}

/// An integer, also as text.
pub(super) fn integer<'a>(node: &'a Node, cx: &mut Context<'a>) -> Option<i64> {
    let number = match &node.value {
        Value::Int(number) => Some(*number),
        Value::Float(number) => whole(*number),
        Value::Str(text) => text.parse().ok(),
        _ => None,
    };
    match number {
        Some(number) => Some(number),
        None => cx.wrong_type(node, "an integer"),
    }
}

/// An integer in a range, or one written as text.
pub(super) fn integer_in<'a>(
    least: i64,
    most: i64,
) -> impl Fn(&'a Node, &mut Context<'a>) -> Option<i64> {
    move |node, cx| {
        let number = integer(node, cx)?;
        if (least..=most).contains(&number) {
            return Some(number);
        }
        let range = if most == i64::MAX {
            format!("must be at least {least}, not {number}")
        } else {
            format!("must be between {least} and {most}, not {number}")
        };
        cx.unreadable(node, &range, "")
    }
}

/// An integer that is not negative, also as text.
pub(super) fn unsigned<'a>(node: &'a Node, cx: &mut Context<'a>) -> Option<u64> {
    let number = integer(node, cx)?;
    not_negative(number, node, cx)
}

/// A number that is not negative, as integer; a fraction is cut off as docker compose does.
pub(super) fn number_as_unsigned<'a>(node: &'a Node, cx: &mut Context<'a>) -> Option<u64> {
    let number = number_as_integer(node, cx)?;
    not_negative(number, node, cx)
}

fn not_negative<'a>(number: i64, node: &'a Node, cx: &mut Context<'a>) -> Option<u64> {
    match u64::try_from(number) {
        Ok(number) => Some(number),
        Err(_) => cx.unreadable(node, &format!("must be at least 0, not {number}"), ""),
    }
}

/// An integer that fits `T`, also as text.
pub(super) fn sized<'a, T: TryFrom<i64>>(node: &'a Node, cx: &mut Context<'a>) -> Option<T> {
    let number = integer(node, cx)?;
    match T::try_from(number) {
        Ok(number) => Some(number),
        Err(_) => cx.unreadable(node, &format!("is out of range: {number}"), ""),
    }
}

/// A number, also as text.
pub(super) fn float<'a>(node: &'a Node, cx: &mut Context<'a>) -> Option<f32> {
    let number = match &node.value {
        Value::Int(number) => Some(*number as f32),
        Value::Uint(number) => Some(*number as f32),
        Value::Float(number) => Some(*number as f32),
        Value::Str(text) => text.parse().ok(),
        _ => None,
    };
    match number {
        Some(number) => Some(number),
        None => cx.wrong_type(node, "a number"),
    }
}

/// A duration such as `1m30s`.
pub(super) fn duration<'a>(node: &'a Node, cx: &mut Context<'a>) -> Option<Duration> {
    const HELP: &str = "write a number with a unit, such as 30s, 1m30s or 500ms";
    let Value::Str(text) = &node.value else {
        let reason = format!("must be a duration, not {}", describe(node));
        return cx.invalid(code::WRONG_TYPE, node, &reason, HELP);
    };
    if let Ok(duration) = text.parse() {
        return Some(duration);
    }
    let reason = format!("must be a duration, not \"{text}\"");
    cx.invalid(code::INVALID_DURATION, node, &reason, HELP)
}

/// A size such as `64m`, or a number of bytes.
pub(super) fn bytes<'a>(node: &'a Node, cx: &mut Context<'a>) -> Option<ByteSize> {
    let number = match &node.value {
        Value::Str(_) => return bytes_as_text(node, cx),
        Value::Int(number) => Some(*number),
        Value::Float(number) => whole(*number),
        _ => None,
    };
    match number {
        Some(number) => Some(ByteSize(number)),
        None => cx.wrong_type(node, "a size in bytes"),
    }
}

/// A number without fraction, if it is one.
fn whole(number: f64) -> Option<i64> {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    (number.fract() == 0.0 && (-LIMIT..LIMIT).contains(&number)).then_some(number as i64)
}

/// A size such as `64m`, as text only.
pub(super) fn bytes_as_text<'a>(node: &'a Node, cx: &mut Context<'a>) -> Option<ByteSize> {
    const HELP: &str = "write a number with a unit, such as 64m or 1.5g";
    let Value::Str(text) = &node.value else {
        let reason = format!("must be a size, not {}", describe(node));
        return cx.invalid(code::WRONG_TYPE, node, &reason, HELP);
    };
    if let Ok(size) = text.parse() {
        return Some(size);
    }
    let reason = format!("must be a size, not \"{text}\"");
    cx.invalid(code::INVALID_SIZE, node, &reason, HELP)
}

/// Permission bits: text is octal, a number is taken as it is.
pub(super) fn file_mode<'a>(node: &'a Node, cx: &mut Context<'a>) -> Option<FileMode> {
    match &node.value {
        Value::Int(number) => Some(FileMode(*number)),
        Value::Str(text) => match i64::from_str_radix(text, 8) {
            Ok(number) => Some(FileMode(number)),
            Err(_) => cx.unreadable(
                node,
                &format!("must be permission bits in octal, not \"{text}\""),
                "write it as \"0440\"",
            ),
        },
        _ => cx.wrong_type(node, "permission bits in octal"),
    }
}
