//! Timestamps, which go-yaml turns into times: `2001-12-14`, `2001-12-14T21:59:43.1-05:00`.

/// The timestamp in RFC 3339 form, if `text` is one.
pub(super) fn parse(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    if bytes.len() < 8 || bytes[4] != b'-' || !bytes[..4].iter().all(u8::is_ascii_digit) {
        return None;
    }
    let (date, rest) = match text.find(['T', 't', ' ']) {
        Some(at) => (&text[..at], Some((bytes[at], &text[at + 1..]))),
        None => (text, None),
    };
    let (year, month, day) = parse_date(date)?;
    let day_text = format!("{year:04}-{month:02}-{day:02}");
    let Some((separator, time)) = rest else {
        return Some(format!("{day_text}T00:00:00Z"));
    };
    let (clock, zone) = if separator == b' ' {
        (time, "Z".to_owned())
    } else {
        split_zone(time)?
    };
    Some(format!("{day_text}T{}{zone}", parse_clock(clock)?))
}

fn parse_date(text: &str) -> Option<(i16, u8, u8)> {
    let mut parts = text.split('-');
    let year: i16 = parts.next()?.parse().ok()?;
    let month = one_or_two_digits(parts.next()?)?;
    let day = one_or_two_digits(parts.next()?)?;
    let valid = parts.next().is_none()
        && jiff::civil::Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).is_ok();
    valid.then_some((year, month, day))
}

fn one_or_two_digits(text: &str) -> Option<u8> {
    let valid = matches!(text.len(), 1 | 2) && text.bytes().all(|b| b.is_ascii_digit());
    if valid { text.parse().ok() } else { None }
}

fn parse_clock(text: &str) -> Option<String> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = whole.split(':');
    let hour = one_or_two_digits(parts.next()?).filter(|hour| *hour < 24)?;
    let minute = one_or_two_digits(parts.next()?).filter(|minute| *minute < 60)?;
    let second = one_or_two_digits(parts.next()?).filter(|second| *second < 60)?;
    let digits = fraction.bytes().all(|b| b.is_ascii_digit());
    if parts.next().is_some() || !digits || (text.contains('.') && fraction.is_empty()) {
        return None;
    }
    let fraction = fraction.get(..9).unwrap_or(fraction).trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    Some(format!(
        "{hour:02}:{minute:02}:{second:02}{point}{fraction}"
    ))
}

/// Splits `21:59:43-05:00` into the clock and the zone (`Z` or `±hh:mm`).
fn split_zone(text: &str) -> Option<(&str, String)> {
    if let Some(clock) = text.strip_suffix('Z') {
        return Some((clock, "Z".to_owned()));
    }
    let at = text.rfind(['+', '-'])?;
    let (hours, minutes) = text[at + 1..].split_once(':')?;
    let valid = hours.len() == 2
        && minutes.len() == 2
        && one_or_two_digits(hours)? < 24
        && one_or_two_digits(minutes)? < 60;
    valid.then(|| (&text[..at], text[at..].to_owned()))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn dates_and_times_are_normalised() {
        for (text, expected) in [
            ("2001-12-14", "2001-12-14T00:00:00Z"),
            ("2001-1-1", "2001-01-01T00:00:00Z"),
            (
                "2001-12-14t21:59:43.10-05:00",
                "2001-12-14T21:59:43.1-05:00",
            ),
            ("2001-12-15 2:59:43.10", "2001-12-15T02:59:43.1Z"),
            ("2001-12-14T21:59:43Z", "2001-12-14T21:59:43Z"),
        ] {
            assert_eq!(parse(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_timestamp_is_not_taken_for_one() {
        for text in [
            "2024-13-45",
            "2001-12-14 21:59:43.10 -5",
            "2001-12",
            "2001-12-14T21:59",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
