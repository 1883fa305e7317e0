//! Signals by name or number.

use nix::sys::signal::Signal;

use crate::{Error, Result};

/// The number of `SIGTERM`, `TERM`, `term`, `15` or `RTMIN+3`.
///
/// # Errors
/// 400 for anything else.
pub(crate) fn parse(text: &str) -> Result<i32> {
    let invalid = || Error::bad_request(format!("Invalid signal: {text}"));
    if let Ok(number) = text.parse::<i32>() {
        return (1..=64)
            .contains(&number)
            .then_some(number)
            .ok_or_else(invalid);
    }
    let upper = text.to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    if let Some(offset) = real_time(name) {
        return Ok(offset);
    }
    let signal: Signal = format!("SIG{name}").parse().map_err(|_| invalid())?;
    Ok(signal as i32)
}

fn real_time(name: &str) -> Option<i32> {
    let (base, rest) = match (name.strip_prefix("RTMIN"), name.strip_prefix("RTMAX")) {
        (Some(rest), _) => (34, rest),
        (_, Some(rest)) => (64, rest),
        _ => return None,
    };
    let offset = if rest.is_empty() {
        0
    } else {
        rest.parse().ok()?
    };
    Some(base + offset).filter(|number| (34..=64).contains(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_are_read() {
        for (text, number) in [
            ("SIGTERM", 15),
            ("kill", 9),
            ("2", 2),
            ("RTMIN+3", 37),
            ("SIGRTMAX", 64),
        ] {
            assert_eq!(parse(text).unwrap(), number);
        }
        for wrong in ["", "0", "SIGHUH", "-9", "65", "RTMIN+99"] {
            assert_eq!(parse(wrong).unwrap_err().status, 400, "{wrong}");
        }
    }
}
