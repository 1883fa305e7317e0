//! How go-yaml writes a text: plain, quoted or as a block.

use crate::compose::yaml;

/// The style of a scalar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Single,
    Double,
    Literal,
}

/// The style of a text; keys stay on one line.
pub(super) fn style(text: &str, key: bool) -> Style {
    let shape = Shape::of(text);
    if text.contains('\n') {
        return if key || !shape.block_allowed {
            Style::Double
        } else {
            Style::Literal
        };
    }
    // docker compose writes a merge key plain, and cannot read its own output.
    if reads_as_other_type(text) || key && text == "<<" {
        return Style::Double;
    }
    match (shape.plain_allowed, shape.single_allowed) {
        (true, _) => Style::Plain,
        (false, true) => Style::Single,
        (false, false) => Style::Double,
    }
}

struct Shape {
    plain_allowed: bool,
    single_allowed: bool,
    block_allowed: bool,
}

impl Shape {
    fn of(text: &str) -> Self {
        let mut indicator = text.starts_with("---") || text.starts_with("...");
        let mut special = false;
        let mut tab = false;
        let mut breaks = false;
        let mut space_then_break = false;
        let mut break_then_space = false;
        let mut previous = None;
        let mut chars = text.chars().peekable();
        while let Some(char) = chars.next() {
            let blank_follows = chars.peek().is_none_or(|next| is_blank(*next));
            indicator |= match (previous, char) {
                (
                    None,
                    '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"'
                    | '%' | '@' | '`',
                ) => true,
                (None, '?' | ':' | '-') | (Some(_), ':') => blank_follows,
                (Some(before), '#') => is_blank(before),
                _ => false,
            };
            if char == '\t' {
                tab = true;
            } else if !is_printable(char) {
                special = true;
            }
            match char {
                ' ' => break_then_space |= previous.is_some_and(is_break),
                _ if is_break(char) => {
                    breaks = true;
                    space_then_break |= previous == Some(' ');
                }
                _ => {}
            }
            previous = Some(char);
        }
        let at_edge = |char: char| char == ' ' || is_break(char);
        let edge = text.starts_with(at_edge) || text.ends_with(at_edge);
        let broken = space_then_break || tab || special;
        Self {
            plain_allowed: !(edge || breaks || indicator || break_then_space || broken),
            single_allowed: !(break_then_space || broken),
            block_allowed: !(text.ends_with(' ') || space_then_break || special),
        }
    }
}

fn is_blank(char: char) -> bool {
    matches!(char, ' ' | '\t' | '\0') || is_break(char)
}

pub(super) fn is_break(char: char) -> bool {
    matches!(char, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// What go-yaml writes as it is; characters beyond the basic plane it does not.
pub(super) fn is_printable(char: char) -> bool {
    matches!(char, '\n' | '\u{20}'..='\u{7e}' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}'
        | '\u{ff00}'..='\u{fffd}')
}

/// Whether a plain text would be read back as null, a flag, a number or a timestamp, or was so
/// in YAML 1.1.
fn reads_as_other_type(text: &str) -> bool {
    let Some(first) = text.bytes().next() else {
        return true;
    };
    match first {
        b'~' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'y' | b'Y' | b'o' | b'O' => is_word(text),
        b'+' | b'-' | b'.' | b'0'..=b'9' => {
            is_special_float(text)
                || is_number(text)
                || is_timestamp(text)
                || is_sexagesimal(text)
                || !yaml::is_text(text)
        }
        _ => false,
    }
}

fn is_word(text: &str) -> bool {
    matches!(
        text,
        "~" | "null"
            | "Null"
            | "NULL"
            | "true"
            | "True"
            | "TRUE"
            | "false"
            | "False"
            | "FALSE"
            | "y"
            | "Y"
            | "yes"
            | "Yes"
            | "YES"
            | "on"
            | "On"
            | "ON"
            | "n"
            | "N"
            | "no"
            | "No"
            | "NO"
            | "off"
            | "Off"
            | "OFF"
    )
}

fn is_special_float(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']);
    matches!(unsigned.unwrap_or(text), ".inf" | ".Inf" | ".INF")
        || matches!(text, ".nan" | ".NaN" | ".NAN")
}

/// Integers with underscores and prefixes, and floats.
fn is_number(text: &str) -> bool {
    let plain = text.replace('_', "");
    let (sign, digits) = match plain.strip_prefix(['+', '-']) {
        Some(digits) => (true, digits),
        None => (false, plain.as_str()),
    };
    let lower = digits.to_ascii_lowercase();
    for (prefix, radix) in [("0x", 16), ("0b", 2), ("0o", 8)] {
        if let Some(rest) = lower.strip_prefix(prefix) {
            return u64::from_str_radix(rest, radix).is_ok() && !rest.starts_with('+');
        }
    }
    let _ = sign;
    is_float(digits)
}

/// `[.]digits[.digits][e[±]digits]` within the range of a 64-bit number.
fn is_float(text: &str) -> bool {
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let exponent_ok = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !exponent.is_empty() && digits(exponent)
    });
    !(whole.is_empty() && fraction.is_empty())
        && digits(whole)
        && digits(fraction)
        && exponent_ok
        && text.parse::<f64>().is_ok_and(f64::is_finite)
}

/// `2001-12-14`, with an optional time.
fn is_timestamp(text: &str) -> bool {
    let date_end = text.find(['t', 'T', ' ']).unwrap_or(text.len());
    let (date, time) = text.split_at(date_end);
    let mut parts = date.split('-');
    let (Some(year), Some(month), Some(day), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let (Some(month), Some(day)) = (in_range(month, 1, 12), in_range(day, 1, 31)) else {
        return false;
    };
    let year_ok = year.len() == 4 && year.bytes().all(|byte| byte.is_ascii_digit());
    let leap = year.parse::<u32>().is_ok_and(|year| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    });
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 31,
    };
    year_ok && day <= days && (time.is_empty() || is_time(time))
}

/// `T21:59:43.10-05:00`, or a space and no zone.
fn is_time(text: &str) -> bool {
    let (separator, text) = text.split_at(1);
    let zone_at = text.find(['Z', '+', '-']).unwrap_or(text.len());
    let (clock, zone) = text.split_at(zone_at);
    if (separator == " ") != zone.is_empty() {
        return false;
    }
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let mut parts = clock.split(':');
    let (Some(hour), Some(minute), Some(second), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    in_range(hour, 0, 23).is_some()
        && minute.len() == 2
        && in_range(minute, 0, 59).is_some()
        && second.len() == 2
        && in_range(second, 0, 59).is_some()
        && !fraction.is_empty()
        && fraction.bytes().all(|byte| byte.is_ascii_digit())
        && is_zone(zone)
}

fn is_zone(zone: &str) -> bool {
    let Some(offset) = zone.strip_prefix(['+', '-']) else {
        return zone.is_empty() || zone == "Z";
    };
    offset.split_once(':').is_some_and(|(hours, minutes)| {
        hours.len() == 2
            && minutes.len() == 2
            && in_range(hours, 0, 24).is_some()
            && in_range(minutes, 0, 59).is_some()
    })
}

/// A number of one or two digits in a range.
fn in_range(text: &str, least: u32, most: u32) -> Option<u32> {
    if !(1..=2).contains(&text.len()) || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number = text.parse().ok()?;
    (least..=most).contains(&number).then_some(number)
}

/// `22:22`, a number in YAML 1.1.
fn is_sexagesimal(text: &str) -> bool {
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    let mut parts = text.split(':');
    let first = parts.next().unwrap_or_default();
    let digit_or_underscore = |byte: u8| byte.is_ascii_digit() || byte == b'_';
    if !first.starts_with(|char: char| char.is_ascii_digit())
        || !first.bytes().all(digit_or_underscore)
    {
        return false;
    }
    let mut rest: Vec<&str> = parts.collect();
    let Some(last) = rest.pop() else {
        return false;
    };
    let (last, fraction) = last.split_once('.').unwrap_or((last, ""));
    fraction.bytes().all(digit_or_underscore)
        && rest
            .into_iter()
            .chain([last])
            .all(|part| in_range(part, 0, 59).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_what_reads_as_another_type() {
        for text in [
            "0o-0",
            "0b+1",
            "",
            "~",
            "null",
            "true",
            "yes",
            "off",
            "n",
            "0",
            "-1",
            "0x1F",
            "0644",
            "1_000",
            "1.",
            ".5",
            "1e3",
            "1e+3",
            ".inf",
            "-.INF",
            ".NaN",
            "22:22",
            "190:20:30",
            "2001-12-14",
            "2001-1-1",
            "2001-12-14T21:59:43Z",
            "2001-12-15 2:59:43.10",
            "08:00",
            "100000000000000000000",
        ] {
            assert_eq!(style(text, false), Style::Double, "{text}");
        }
    }

    #[test]
    fn leaves_other_texts_plain() {
        for text in [
            "a",
            "nan",
            "inf",
            "0o9",
            "1.2.3",
            "1d",
            "10s",
            "3306:3306",
            "0xG",
            "0x",
            "e3",
            "1e",
            "1e400",
            "tRuE",
            ".",
            "_1",
            "2024-13-45",
            "1,000",
            "a b",
            "a#b",
            "a:b",
            "-a",
            "?a",
            ":a",
            "=",
            "/a/b:ro",
            "é",
            "2001-12-14 21:59:43.10 -5",
            "a'b",
            "a\"b",
        ] {
            assert_eq!(style(text, false), Style::Plain, "{text}");
        }
    }

    #[test]
    fn quotes_what_has_a_meaning_in_yaml() {
        for text in [
            "#a", "a: b", "a #b", "[a", "{a", "*a", "&a", "!a", "|", ">", "%a", "@a", "`a", "'a",
            "- a", "-", "?", ": a", "a:", " a", "a ", "---", "... x",
        ] {
            assert_eq!(style(text, false), Style::Single, "{text}");
        }
    }

    #[test]
    fn escapes_or_blocks_the_rest() {
        assert_eq!(style("<<", false), Style::Plain);
        assert_eq!(style("<<", true), Style::Double);
        assert_eq!(style("a\tb", false), Style::Double);
        assert_eq!(style("a\rb", false), Style::Double);
        assert_eq!(style("\u{1F600}", false), Style::Double);
        assert_eq!(style("a\nb", false), Style::Literal);
        assert_eq!(style("a\tb\nc", false), Style::Literal);
        assert_eq!(style("a \nb", false), Style::Double);
        assert_eq!(style("a\nb", true), Style::Double);
        assert_eq!(style("a\n b ", false), Style::Double);
    }
}
