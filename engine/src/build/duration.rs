//! Durations as Go reads and writes them: `1m30s`.

/// Nanoseconds of a unit.
const UNITS: &[(&str, f64)] = &[
    ("ns", 1.0),
    ("us", 1e3),
    ("µs", 1e3),
    ("ms", 1e6),
    ("s", 1e9),
    ("m", 60e9),
    ("h", 3600e9),
];

/// Nanoseconds of `1h2.5s`; `None` for what is no duration.
pub(super) fn parse(text: &str) -> Option<i64> {
    if text == "0" {
        return Some(0);
    }
    let (is_negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest.is_empty() {
        return None;
    }
    let mut total = 0.0;
    while !rest.is_empty() {
        let is_number = |letter: char| letter.is_ascii_digit() || letter == '.';
        let end = rest.find(|letter| !is_number(letter))?;
        let (number, after) = rest.split_at(end);
        let end = after.find(is_number).unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit)?;
        total += number.parse::<f64>().ok()? * factor;
        rest = after;
    }
    let total = if is_negative { -total } else { total };
    // As far as Go's type goes.
    (total.abs() < 9.2e18).then_some(total as i64)
}

/// `1m30s` of nanoseconds that are not negative.
pub(super) fn shown(nanoseconds: i64) -> String {
    let fraction = |value: i64, unit: i64, name: &str| {
        let (whole, rest) = (value / unit, value % unit);
        let digits = unit.ilog10() as usize;
        let decimals = format!("{rest:0digits$}");
        let decimals = decimals.trim_end_matches('0');
        let point = if decimals.is_empty() || unit == 1 {
            ""
        } else {
            "."
        };
        let decimals = if unit == 1 { "" } else { decimals };
        format!("{whole}{point}{decimals}{name}")
    };
    match nanoseconds {
        0 => "0s".to_owned(),
        small @ 1..1_000 => fraction(small, 1, "ns"),
        small @ 1_000..1_000_000 => fraction(small, 1_000, "µs"),
        small @ 1_000_000..1_000_000_000 => fraction(small, 1_000_000, "ms"),
        long => {
            let minutes = long / 60_000_000_000;
            let seconds = fraction(long % 60_000_000_000, 1_000_000_000, "s");
            match (minutes / 60, minutes % 60) {
                (0, 0) => seconds,
                (0, minutes) => format!("{minutes}m{seconds}"),
                (hours, minutes) => format!("{hours}h{minutes}m{seconds}"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_shown_as_go_does() {
        for (text, nanoseconds, again) in [
            ("2s", 2_000_000_000, "2s"),
            ("1m30s", 90_000_000_000, "1m30s"),
            ("1.5h", 5_400_000_000_000, "1h30m0s"),
            ("250ms", 250_000_000, "250ms"),
            ("1.5us", 1_500, "1.5µs"),
            ("7ns", 7, "7ns"),
            ("0", 0, "0s"),
        ] {
            assert_eq!(parse(text), Some(nanoseconds), "{text}");
            assert_eq!(shown(nanoseconds), again);
        }
        assert_eq!(parse("-1s"), Some(-1_000_000_000));
        for text in ["", "1", "s", "1x", "1s2", "1..2s"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
