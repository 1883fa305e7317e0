//! `HEALTHCHECK`.

use bollard_stubs::models::{HealthConfig, ImageConfig};

use super::configure::{go_list, words_or_text};
use super::{Instruction, duration};
use crate::Result;

/// Sets an image's health check; answers how its history tells it.
///
/// # Errors
/// 400 for values that make no sense.
pub(super) fn configure(config: &mut ImageConfig, instruction: &Instruction) -> Result<String> {
    let nanoseconds = |flag: &str| -> Result<Option<i64>> {
        let Some(text) = instruction.flag(flag) else {
            return Ok(None);
        };
        let nanoseconds = duration::parse(text)
            .ok_or_else(|| instruction.error(format!("invalid duration {text:?} of --{flag}")))?;
        if (1..1_000_000).contains(&nanoseconds) || nanoseconds < 0 {
            let message = format!("--{flag} cannot be less than 1ms");
            return Err(instruction.error(message));
        }
        Ok(Some(nanoseconds).filter(|nanoseconds| *nanoseconds != 0))
    };
    let health = HealthConfig {
        test: Some(test(instruction)?),
        interval: nanoseconds("interval")?,
        timeout: nanoseconds("timeout")?,
        start_period: nanoseconds("start-period")?,
        start_interval: nanoseconds("start-interval")?,
        retries: retries(instruction)?,
    };
    let told = told(&health);
    config.healthcheck = Some(health);
    Ok(told)
}

fn retries(instruction: &Instruction) -> Result<Option<i64>> {
    let Some(text) = instruction.flag("retries") else {
        return Ok(None);
    };
    let wrong = |_| instruction.error(format!("invalid number {text:?} of --retries"));
    let retries: i64 = text.parse().map_err(wrong)?;
    if retries < 0 {
        return Err(instruction.error(format!("--retries cannot be negative ({retries})")));
    }
    Ok(Some(retries).filter(|retries| *retries != 0))
}

fn test(instruction: &Instruction) -> Result<Vec<String>> {
    let (kind, rest) = instruction
        .rest
        .split_once(char::is_whitespace)
        .unwrap_or((&instruction.rest, ""));
    match kind.to_ascii_uppercase().as_str() {
        "NONE" if rest.is_empty() => Ok(vec!["NONE".to_owned()]),
        "NONE" => Err(instruction.error("NONE takes no arguments")),
        "CMD" => {
            let command = Instruction {
                rest: rest.trim().to_owned(),
                ..instruction.clone()
            };
            let words = words_or_text(&command).map_err(|error| instruction.error(error))?;
            match words {
                Some(words) if !words.is_empty() => Ok([vec!["CMD".to_owned()], words].concat()),
                None if !command.rest.is_empty() => Ok(vec!["CMD-SHELL".to_owned(), command.rest]),
                _ => Err(instruction.error("the command after CMD is missing")),
            }
        }
        other => Err(instruction.error(format!("unknown type {other:?} (try CMD)"))),
    }
}

/// As BuildKit writes it into history: a structure of Go, quoted.
fn told(health: &HealthConfig) -> String {
    let time = |nanoseconds: Option<i64>| duration::shown(nanoseconds.unwrap_or(0));
    format!(
        "HEALTHCHECK &{{{} {:?} {:?} {:?} {:?} {}}}",
        go_list(&health.test.clone().unwrap_or_default()),
        time(health.interval),
        time(health.timeout),
        time(health.start_period),
        time(health.start_interval),
        go_letter(health.retries.unwrap_or(0))
    )
}

/// A number as Go quotes it: as a letter.
fn go_letter(number: i64) -> String {
    let letter = u32::try_from(number).ok().and_then(char::from_u32);
    match letter.unwrap_or(char::REPLACEMENT_CHARACTER) {
        '\u{7}' => r"'\a'".to_owned(),
        '\u{8}' => r"'\b'".to_owned(),
        '\u{b}' => r"'\v'".to_owned(),
        '\u{c}' => r"'\f'".to_owned(),
        letter @ ('\t' | '\n' | '\r' | '\'' | '\\') => format!("'{}'", letter.escape_default()),
        letter if letter.is_control() => format!(r"'\x{:02x}'", u32::from(letter)),
        letter => format!("'{letter}'"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_as_letters() {
        for (number, expected) in [
            (0, r"'\x00'"),
            (3, r"'\x03'"),
            (7, r"'\a'"),
            (10, r"'\n'"),
            (39, r"'\''"),
            (65, "'A'"),
        ] {
            assert_eq!(go_letter(number), expected);
        }
    }
}
