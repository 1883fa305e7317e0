//! Integers and floating point numbers as go-yaml reads them.

use super::super::node::Value;

/// The number that `text` stands for: underscores are ignored, a leading zero means octal where
/// the digits allow it, and what is too large for an integer becomes a float.
pub(super) fn parse(text: &str) -> Option<Value> {
    let plain = without_underscores(text);
    integer(&plain)
        .or_else(|| float(&plain))
        .or_else(|| signed_after_prefix(&plain))
}

/// A number that begins with a dot, such as `.5`.
pub(super) fn parse_fraction(text: &str) -> Option<Value> {
    float(&without_underscores(text))
}

fn without_underscores(text: &str) -> String {
    text.chars().filter(|character| *character != '_').collect()
}

fn integer(text: &str) -> Option<Value> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => (Some(true), &text[1..]),
        b'+' => (Some(false), &text[1..]),
        _ => (None, text),
    };
    let (radix, digits) = radix(digits);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, radix).ok()?;
    match sign {
        Some(true) => 0i64.checked_sub_unsigned(magnitude).map(Value::Int),
        Some(false) => i64::try_from(magnitude).ok().map(Value::Int),
        None => Some(from_unsigned(magnitude)),
    }
}

fn from_unsigned(magnitude: u64) -> Value {
    i64::try_from(magnitude).map_or(Value::Uint(magnitude), Value::Int)
}

fn radix(digits: &str) -> (u32, &str) {
    match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..]),
        [b'0', b'b' | b'B', ..] => (2, &digits[2..]),
        [b'0', b'o' | b'O', ..] => (8, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    }
}

/// `0b-1` and `0o+7`: go-yaml lets the sign follow these two prefixes.
fn signed_after_prefix(text: &str) -> Option<Value> {
    let (radix, digits) = if let Some(digits) = text.strip_prefix("0b") {
        (2, digits)
    } else {
        (8, text.strip_prefix("0o")?)
    };
    i64::from_str_radix(digits, radix).ok().map(Value::Int)
}

fn float(text: &str) -> Option<Value> {
    if !is_float(text.as_bytes()) {
        return None;
    }
    let value: f64 = text.parse().ok()?;
    value.is_finite().then_some(Value::Float(value))
}

/// `[-+]? (digits [. digits?] | . digits) ([eE] [-+]? digits)?`
fn is_float(text: &[u8]) -> bool {
    let rest = skip_sign(text);
    let (whole, rest) = skip_digits(rest);
    let (fraction, rest) = match rest {
        [b'.', rest @ ..] => skip_digits(rest),
        _ => (0, rest),
    };
    if whole + fraction == 0 {
        return false;
    }
    match rest {
        [] => true,
        [b'e' | b'E', rest @ ..] => {
            let (digits, rest) = skip_digits(skip_sign(rest));
            digits > 0 && rest.is_empty()
        }
        _ => false,
    }
}

fn skip_sign(text: &[u8]) -> &[u8] {
    match text {
        [b'-' | b'+', rest @ ..] => rest,
        _ => text,
    }
}

fn skip_digits(text: &[u8]) -> (usize, &[u8]) {
    let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (count, &text[count..])
}
