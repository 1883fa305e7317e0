//! A duration as compose files write it (`1m30s`).

use std::fmt;
use std::str::FromStr;

/// A length of time in nanoseconds; may be negative, as Go's `time.Duration`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Duration {
    /// Nanoseconds.
    pub nanos: i64,
}

const SECOND: i64 = 1_000_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

/// The text is no duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a duration is a number with a unit, such as 30s, 1m30s or 500ms")]
pub struct InvalidDuration;

impl Duration {
    /// A duration of whole seconds.
    pub fn from_secs(seconds: i64) -> Self {
        Self {
            nanos: seconds.saturating_mul(SECOND),
        }
    }

    /// As a duration of the standard library; negative ones are zero.
    pub fn to_std(self) -> std::time::Duration {
        std::time::Duration::from_nanos(u64::try_from(self.nanos).unwrap_or(0))
    }

    /// Seconds, cut off.
    pub fn as_secs(self) -> i64 {
        self.nanos / SECOND
    }
}

impl FromStr for Duration {
    type Err = InvalidDuration;

    /// Reads numbers with units (`ns us µs ms s m h d w`), as in `1h30m`; `0` needs no unit.
    fn from_str(text: &str) -> Result<Self, InvalidDuration> {
        let (negative, mut rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        if rest == "0" {
            return Ok(Self::default());
        }
        if rest.is_empty() {
            return Err(InvalidDuration);
        }
        let mut nanos: i64 = 0;
        while !rest.is_empty() {
            let (part, tail) = component(rest)?;
            nanos = nanos.checked_add(part).ok_or(InvalidDuration)?;
            rest = tail;
        }
        let nanos = if negative { -nanos } else { nanos };
        Ok(Self { nanos })
    }
}

/// Reads one number with its unit; returns nanoseconds and the rest.
fn component(text: &str) -> Result<(i64, &str), InvalidDuration> {
    let whole_end = digits_end(text);
    let (whole, mut rest) = text.split_at(whole_end);
    let mut fraction = "";
    if let Some(after) = rest.strip_prefix('.') {
        let end = digits_end(after);
        (fraction, rest) = after.split_at(end);
    }
    if whole.is_empty() && fraction.is_empty() {
        return Err(InvalidDuration);
    }
    let unit_end = rest
        .find(|char: char| char == '.' || char.is_ascii_digit())
        .unwrap_or(rest.len());
    let (unit, rest) = rest.split_at(unit_end);
    let unit = unit_nanos(unit).ok_or(InvalidDuration)?;
    let mut nanos = if whole.is_empty() {
        0
    } else {
        let whole: i64 = whole.parse().map_err(|_| InvalidDuration)?;
        whole.checked_mul(unit).ok_or(InvalidDuration)?
    };
    if !fraction.is_empty() {
        let (digits, scale) = leading_digits(fraction);
        nanos = nanos
            .checked_add((digits as f64 * (unit as f64 / scale)) as i64)
            .ok_or(InvalidDuration)?;
    }
    Ok((nanos, rest))
}

/// The digits of a fraction as a number, as many as fit, and the power of ten below it.
fn leading_digits(fraction: &str) -> (i64, f64) {
    let mut number: i64 = 0;
    let mut scale = 1.0;
    for digit in fraction.bytes().map(|byte| i64::from(byte - b'0')) {
        let Some(next) = number.checked_mul(10).and_then(|it| it.checked_add(digit)) else {
            break;
        };
        number = next;
        scale *= 10.0;
    }
    (number, scale)
}

fn digits_end(text: &str) -> usize {
    text.find(|char: char| !char.is_ascii_digit())
        .unwrap_or(text.len())
}

fn unit_nanos(unit: &str) -> Option<i64> {
    Some(match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => SECOND,
        "m" => MINUTE,
        "h" => HOUR,
        "d" => 24 * HOUR,
        "w" => 7 * 24 * HOUR,
        _ => return None,
    })
}

impl fmt::Display for Duration {
    /// As Go prints it: `1m30s`, `48h0m0s`, `1.5s`, `100ms`, `0s`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.nanos.unsigned_abs();
        if self.nanos < 0 {
            out.write_str("-")?;
        }
        match nanos {
            0 => return out.write_str("0s"),
            1..1_000 => return write!(out, "{nanos}ns"),
            1_000..1_000_000 => {
                return write!(out, "{}µs", decimal(nanos, 1_000));
            }
            1_000_000..1_000_000_000 => {
                return write!(out, "{}ms", decimal(nanos, 1_000_000));
            }
            _ => {}
        }
        let (hour, minute) = (HOUR.unsigned_abs(), MINUTE.unsigned_abs());
        if nanos >= hour {
            write!(out, "{}h", nanos / hour)?;
        }
        if nanos >= minute {
            write!(out, "{}m", nanos % hour / minute)?;
        }
        write!(out, "{}s", decimal(nanos % minute, SECOND.unsigned_abs()))
    }
}

/// `nanos / unit` as a decimal number without trailing zeros.
fn decimal(nanos: u64, unit: u64) -> String {
    let (whole, fraction) = (nanos / unit, nanos % unit);
    if fraction == 0 {
        return whole.to_string();
    }
    let width = unit.ilog10() as usize;
    let digits = format!("{fraction:0width$}");
    format!("{whole}.{}", digits.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<i64> {
        text.parse::<Duration>().ok().map(|duration| duration.nanos)
    }

    #[test]
    fn reads_numbers_with_units() {
        for (text, nanos) in [
            ("10s", 10 * SECOND),
            ("1m30s", 90 * SECOND),
            ("1.5h", 90 * MINUTE),
            (".5s", SECOND / 2),
            ("-2ms", -2_000_000),
            ("2d", 48 * HOUR),
            ("1w", 168 * HOUR),
            ("3us", 3_000),
            ("0", 0),
            ("0s", 0),
            ("20.523794743s", 20_523_794_743),
            ("0.99999999999999999999999s", SECOND),
            ("1.0000000005s", SECOND),
        ] {
            assert_eq!(read(text), Some(nanos), "{text}");
        }
    }

    #[test]
    fn refuses_other_texts() {
        for text in ["", "10", "s", "1x", "1 s", "10s5", "1h-1m", "99999999999h"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn prints_as_go_does() {
        for (nanos, text) in [
            (0, "0s"),
            (90 * SECOND, "1m30s"),
            (48 * HOUR, "48h0m0s"),
            (SECOND + SECOND / 2, "1.5s"),
            (100_000_000, "100ms"),
            (1_500, "1.5µs"),
            (7, "7ns"),
            (-MINUTE, "-1m0s"),
            (HOUR + 1, "1h0m0.000000001s"),
        ] {
            assert_eq!(Duration { nanos }.to_string(), text);
        }
    }
}
