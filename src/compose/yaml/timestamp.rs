//! Dates and times as go-yaml recognises them.

use std::fmt::Write;

/// `text` as RFC 3339 if it is a date (`2001-1-2`), a date and time with an offset
/// (`2001-1-2T3:4:5Z`, `t` and a fraction allowed) or one with a space and no offset.
pub(super) fn parse(text: &str) -> Option<String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if digits != 4 || text.as_bytes().get(4) != Some(&b'-') {
        return None;
    }
    let mut cursor = Cursor(&text[5..]);
    let year: i32 = text[..4].parse().ok()?;
    let month = cursor.number(1..=12)?;
    cursor.expect('-')?;
    let day = cursor.number(1..=31)?;
    if !is_date(year, month, day) {
        return None;
    }
    let mut out = format!("{year:04}-{month:02}-{day:02}");
    if cursor.0.is_empty() {
        out.push_str("T00:00:00Z");
        return Some(out);
    }
    let zoned = cursor.expect('T').or_else(|| cursor.expect('t')).is_some();
    if !zoned {
        cursor.spaces()?;
    }
    write_time(&mut cursor, &mut out)?;
    if zoned {
        out.push_str(&cursor.offset()?);
    } else {
        out.push('Z');
    }
    cursor.0.is_empty().then_some(out)
}

fn is_date(year: i32, month: u32, day: u32) -> bool {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    day <= days
}

fn write_time(cursor: &mut Cursor, out: &mut String) -> Option<()> {
    let hour = cursor.number(0..=23)?;
    cursor.expect(':')?;
    let minute = cursor.number(0..=59)?;
    cursor.expect(':')?;
    let second = cursor.number(0..=59)?;
    write!(out, "T{hour:02}:{minute:02}:{second:02}").ok()?;
    let fraction = cursor.fraction();
    if !fraction.is_empty() {
        write!(out, ".{fraction}").ok()?;
    }
    Some(())
}

/// The part of the text that is still to be read.
struct Cursor<'t>(&'t str);

impl<'t> Cursor<'t> {
    fn expect(&mut self, character: char) -> Option<()> {
        self.0 = self.0.strip_prefix(character)?;
        Some(())
    }

    fn spaces(&mut self) -> Option<()> {
        self.expect(' ')?;
        self.0 = self.0.trim_start_matches(' ');
        Some(())
    }

    /// One or two digits whose number is in `range`.
    fn number(&mut self, range: std::ops::RangeInclusive<u32>) -> Option<u32> {
        let length = self
            .0
            .bytes()
            .take(2)
            .take_while(u8::is_ascii_digit)
            .count();
        let (digits, rest) = self.0.split_at(length);
        let number = digits.parse().ok()?;
        self.0 = rest;
        range.contains(&number).then_some(number)
    }

    /// Nanoseconds after a dot or comma without trailing zeros; empty where there is none.
    fn fraction(&mut self) -> &'t str {
        let Some(rest) = self.0.strip_prefix(['.', ',']) else {
            return "";
        };
        let length = rest.bytes().take_while(u8::is_ascii_digit).count();
        if length == 0 {
            return "";
        }
        self.0 = &rest[length..];
        rest[..length.min(9)].trim_end_matches('0')
    }

    fn offset(&mut self) -> Option<String> {
        if self.expect('Z').is_some() {
            return Some("Z".into());
        }
        let [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] = *self.0.as_bytes() else {
            return None;
        };
        let digits = [h1, h2, m1, m2];
        if !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let [h1, h2, m1, m2] = digits.map(|digit| digit - b'0');
        if h1 * 10 + h2 > 23 || m1 * 10 + m2 > 59 {
            return None;
        }
        self.0 = "";
        let utc = [h1, h2, m1, m2] == [0; 4];
        Some(if utc {
            "Z".into()
        } else {
            format!("{}{h1}{h2}:{m1}{m2}", char::from(sign))
        })
    }
}
