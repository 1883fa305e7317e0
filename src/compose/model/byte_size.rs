//! A size as compose files write it (`64m`).

use std::fmt;
use std::str::FromStr;

/// A size in bytes; `-1` means unlimited where the attribute allows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct ByteSize(pub i64);

/// The text is no size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a size is a number with a unit, such as 64m or 1.5g")]
pub struct InvalidByteSize;

impl FromStr for ByteSize {
    type Err = InvalidByteSize;

    /// Reads a number with an optional binary unit (`b k m g t p`, also `kb`, `KiB`), with at
    /// most one space between; integers without unit may be negative.
    fn from_str(text: &str) -> Result<Self, InvalidByteSize> {
        if let Ok(bytes) = text.parse() {
            return Ok(Self(bytes));
        }
        let last = text
            .rfind(|char: char| char.is_ascii_digit() || matches!(char, '.' | ' '))
            .ok_or(InvalidByteSize)?;
        let unit = &text[last + 1..];
        let number = if text[last..].starts_with(' ') {
            &text[..last]
        } else {
            &text[..=last]
        };
        let number: f64 = number.parse().map_err(|_| InvalidByteSize)?;
        if !(number.is_finite() && number >= 0.0) {
            return Err(InvalidByteSize);
        }
        let factor = factor(&unit.to_ascii_lowercase()).ok_or(InvalidByteSize)?;
        Ok(Self((number * factor) as i64))
    }
}

fn factor(unit: &str) -> Option<f64> {
    let power = match unit.strip_suffix("ib").or(unit.strip_suffix('b')) {
        Some(prefix) if prefix.is_empty() && unit == "ib" => return None,
        Some(prefix) => prefix,
        None => unit,
    };
    let power = match power {
        "" => 0,
        "k" => 1,
        "m" => 2,
        "g" => 3,
        "t" => 4,
        "p" => 5,
        _ => return None,
    };
    Some(1024_f64.powi(power))
}

impl fmt::Display for ByteSize {
    /// The number of bytes.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<i64> {
        text.parse::<ByteSize>().ok().map(|size| size.0)
    }

    #[test]
    fn reads_numbers_with_units() {
        for (text, bytes) in [
            ("0", 0),
            ("-1", -1),
            ("1024", 1024),
            ("64m", 64 << 20),
            ("1.5g", 3 << 29),
            ("10 kb", 10 << 10),
            ("1KiB", 1024),
            ("7b", 7),
            ("1.9", 1),
            ("2T", 2 << 40),
        ] {
            assert_eq!(read(text), Some(bytes), "{text}");
        }
    }

    #[test]
    fn refuses_other_texts() {
        for text in ["", "m", "1x", "1mm", "-1m", "1 2", "1ib", "64mbb", "é1é"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
