//! `--since` and `--until`.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// Reads a time: RFC 3339, the same without zone (local time) or without time of day, seconds
/// since 1970 with an optional fraction, or a duration before `now` such as `42m` or `1h30m`.
pub fn parse(text: &str, now: Timestamp) -> Option<Timestamp> {
    if let Some(duration) = duration(text) {
        return now.checked_sub(duration).ok();
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    let local = TimeZone::system();
    if let Some(day) = text
        .strip_suffix('Z')
        .and_then(|day| day.parse::<Date>().ok())
    {
        return day.to_zoned(TimeZone::UTC).ok().map(|at| at.timestamp());
    }
    // A date alone also parses as a date and time, at midnight.
    if text.contains('-')
        && let Ok(at) = text.parse::<DateTime>()
    {
        return at.to_zoned(local).ok().map(|at| at.timestamp());
    }
    seconds(text)
}

/// `1136073845.000000001`.
fn seconds(text: &str) -> Option<Timestamp> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let whole: i64 = whole.parse().ok()?;
    if fraction.len() > 9 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let nanos: i32 = format!("{fraction:0<9}").parse().ok()?;
    Timestamp::new(whole, nanos).ok()
}

/// A duration as Go writes it: numbers with units, `1h30m`, `-1.5s`, `300ms`.
fn duration(text: &str) -> Option<SignedDuration> {
    let (sign, mut rest) = match text.as_bytes().first()? {
        b'-' => (-1.0, &text[1..]),
        b'+' => (1.0, &text[1..]),
        _ => (1.0, text),
    };
    if rest.is_empty() {
        return None;
    }
    let mut total = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let unit_end = rest
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(rest.len());
        total += number * unit_seconds(&rest[..unit_end])?;
        rest = &rest[unit_end..];
    }
    SignedDuration::try_from_secs_f64(sign * total).ok()
}

fn unit_seconds(unit: &str) -> Option<f64> {
    Some(match unit {
        "h" => 3600.0,
        "m" => 60.0,
        "s" => 1.0,
        "ms" => 1e-3,
        "us" | "µs" | "μs" => 1e-6,
        "ns" => 1e-9,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Option<String> {
        let now = "2026-11-21T12:00:00Z".parse().ok()?;
        parse(text, now).map(|at| at.to_string())
    }

    #[test]
    fn durations_count_back_from_now() {
        assert_eq!(at("42m").as_deref(), Some("2026-11-21T11:18:00Z"));
        assert_eq!(at("1h30m").as_deref(), Some("2026-11-21T10:30:00Z"));
        assert_eq!(at("1.5s").as_deref(), Some("2026-11-21T11:59:58.5Z"));
        assert_eq!(at("-10m").as_deref(), Some("2026-11-21T12:10:00Z"));
    }

    #[test]
    fn timestamps_and_seconds() {
        assert_eq!(
            at("2013-01-02T13:23:37Z").as_deref(),
            Some("2013-01-02T13:23:37Z")
        );
        assert_eq!(
            at("2013-01-02T13:23:37+02:00").as_deref(),
            Some("2013-01-02T11:23:37Z")
        );
        assert_eq!(
            at("1136073845.000000001").as_deref(),
            Some("2006-01-01T00:04:05.000000001Z")
        );
        assert!(at("2013-01-02").is_some());
        assert!(at("2013-01-02T13:23").is_some());
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "yesterday", "12x", "m", "2013-13-01", "1.2.3"] {
            assert_eq!(at(text), None, "{text}");
        }
    }
}
