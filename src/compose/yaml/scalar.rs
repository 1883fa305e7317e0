//! What a plain or tagged scalar means, by the rules of go-yaml: a dialect between YAML 1.1
//! and 1.2 without `yes`/`no` booleans and without sexagesimal numbers.

use super::timestamp;
use crate::compose::node::Value;

/// The meaning of a plain scalar without a tag.
pub(super) fn resolve(text: &str) -> Value {
    if let Some(value) = constant(text) {
        return value;
    }
    match text.as_bytes().first() {
        Some(b'.') => float(text).map_or_else(|| string(text), Value::Float),
        Some(b'0'..=b'9' | b'+' | b'-') => timestamp::parse(text)
            .map(Value::Timestamp)
            .or_else(|| number(text))
            .unwrap_or_else(|| string(text)),
        _ => string(text),
    }
}

fn string(text: &str) -> Value {
    Value::Str(text.to_owned())
}

/// Words that stand for a value.
fn constant(text: &str) -> Option<Value> {
    Some(match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        ".nan" | ".NaN" | ".NAN" => Value::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Value::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Value::Float(f64::NEG_INFINITY),
        _ => return None,
    })
}

/// Integers and floats; underscores are ignored wherever they stand.
fn number(text: &str) -> Option<Value> {
    let plain: String = text.chars().filter(|c| *c != '_').collect();
    integer(&plain).or_else(|| float(&plain).map(Value::Float))
}

fn integer(plain: &str) -> Option<Value> {
    let (negative, digits) = match plain.as_bytes().first()? {
        b'-' => (true, &plain[1..]),
        b'+' => (false, &plain[1..]),
        _ => (false, plain),
    };
    let magnitude = magnitude(digits)?;
    if negative {
        let value = 0i128 - i128::from(magnitude);
        return i64::try_from(value).ok().map(Value::Int);
    }
    Some(i64::try_from(magnitude).map_or(Value::Uint(magnitude), Value::Int))
}

/// An unsigned integer with an optional base prefix; a leading zero means octal.
fn magnitude(digits: &str) -> Option<u64> {
    let (digits, radix) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (&digits[2..], 16),
        [b'0', b'b' | b'B', ..] => (&digits[2..], 2),
        [b'0', b'o' | b'O', ..] => (&digits[2..], 8),
        [b'0', _, ..] => (&digits[1..], 8),
        _ => (digits, 10),
    };
    // `from_str_radix` would take a sign of its own.
    if !digits.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    u64::from_str_radix(digits, radix).ok()
}

/// A finite decimal: digits with an optional point and exponent.
fn float(plain: &str) -> Option<f64> {
    let unsigned = plain.strip_prefix(['-', '+']).unwrap_or(plain);
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], Some(&unsigned[at + 1..])),
        None => (unsigned, None),
    };
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if !digits(whole) || !digits(fraction) || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    if let Some(exponent) = exponent {
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        if exponent.is_empty() || !digits(exponent) {
            return None;
        }
    }
    plain.parse::<f64>().ok().filter(|value| value.is_finite())
}

/// The meaning of a scalar with one of YAML's own tags (`!!int` …), or what the scalar is
/// instead. Other tags are ignored, as go-yaml ignores them.
pub(super) fn resolve_tagged(tag: &str, text: &str, plain: bool) -> Result<Value, String> {
    let Some(short) = tag.strip_prefix("tag:yaml.org,2002:") else {
        return Ok(if plain { resolve(text) } else { string(text) });
    };
    let wrong = || format!("cannot read `{text}` as !!{short}");
    match (short, resolve(text)) {
        ("str", _) => Ok(string(text)),
        ("binary", _) => binary(text).ok_or_else(wrong),
        ("float", Value::Int(value)) => Ok(Value::Float(value as f64)),
        ("float", Value::Uint(value)) => Ok(Value::Float(value as f64)),
        ("int", value @ (Value::Int(_) | Value::Uint(_)))
        | ("float", value @ Value::Float(_))
        | ("bool", value @ Value::Bool(_))
        | ("null", value @ Value::Null)
        | ("timestamp", value @ Value::Timestamp(_)) => Ok(value),
        ("int" | "float" | "bool" | "null" | "timestamp", _) => Err(wrong()),
        _ => Ok(if plain { resolve(text) } else { string(text) }),
    }
}

fn binary(text: &str) -> Option<Value> {
    use base64::Engine as _;
    let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(compact)
        .ok()?;
    String::from_utf8(bytes).ok().map(Value::Str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_as_go_yaml_reads_them() {
        for text in ["yes", "No", "on", "OFF", "y", "tRuE", "nUll", "inf", "."] {
            assert_eq!(resolve(text), string(text), "{text}");
        }
        assert_eq!(resolve("True"), Value::Bool(true));
        assert_eq!(resolve("~"), Value::Null);
    }

    #[test]
    fn integers_have_bases_signs_and_underscores() {
        for (text, value) in [
            ("0644", 420),
            ("-0644", -420),
            ("0o644", 420),
            ("0X1F", 31),
            ("-0b11", -3),
            ("1__000", 1000),
            ("1_", 1),
            ("+0x10", 16),
            ("007", 7),
            ("-0", 0),
        ] {
            assert_eq!(resolve(text), Value::Int(value), "{text}");
        }
        assert_eq!(
            resolve("18446744073709551615"),
            Value::Uint(18_446_744_073_709_551_615)
        );
    }

    #[test]
    fn floats_are_decimal() {
        for (text, value) in [
            ("1e3", 1000.0),
            ("1.", 1.0),
            ("+.5", 0.5),
            ("1_000.5", 1000.5),
            ("0899", 899.0),
            ("08", 8.0),
            ("100000000000000000000", 1e20),
            ("1e1_0", 1e10),
        ] {
            assert_eq!(resolve(text), Value::Float(value), "{text}");
        }
    }

    #[test]
    fn what_looks_like_a_number_may_be_text() {
        for text in [
            "0o9",
            "_1",
            "1e400",
            "22:22",
            "1.2.3",
            "1e",
            "0x",
            "0xG",
            "2024-13-45",
            "2001-12-14 21:59:43.10 -5",
        ] {
            assert_eq!(resolve(text), string(text), "{text}");
        }
    }

    #[test]
    fn tags_convert_or_fail() {
        let tagged =
            |tag: &str, text| resolve_tagged(&format!("tag:yaml.org,2002:{tag}"), text, false);
        assert_eq!(tagged("int", "123"), Ok(Value::Int(123)));
        assert_eq!(tagged("float", "1"), Ok(Value::Float(1.0)));
        assert_eq!(tagged("str", "123"), Ok(string("123")));
        assert_eq!(tagged("binary", "aGVsbG8="), Ok(string("hello")));
        assert!(tagged("bool", "yes").is_err());
        assert_eq!(resolve_tagged("!foo", "bar", true), Ok(string("bar")));
    }
}
