//! Instructions that change an image's configuration alone.

use std::time::Duration;

use bollard_stubs::models::{HealthConfig, ImageConfig};
use jiff::SignedDuration;

use super::expand::{raw_words, word, words};
use super::{Instruction, parse};
use crate::{Error, Result};

/// The shell of commands that are not in the JSON form.
pub(crate) fn shell(config: &ImageConfig) -> Vec<String> {
    let default = || vec!["/bin/sh".to_owned(), "-c".to_owned()];
    config
        .shell
        .clone()
        .filter(|shell| !shell.is_empty())
        .unwrap_or_else(default)
}

/// The `changes` of an import or a commit.
///
/// # Errors
/// 400 for instructions that make no sense there.
pub(crate) fn changes(config: &mut ImageConfig, changes: &[String]) -> Result<()> {
    for instruction in parse(&changes.join("\n"))? {
        if !configure(config, &instruction, &|_| None)? {
            let message = format!("{} is not a valid change command", instruction.name);
            return Err(Error::bad_request(message));
        }
    }
    Ok(())
}

/// Applies one instruction; `false` when it is none of these.
///
/// # Errors
/// 400 for values that make no sense.
pub(crate) fn configure(
    config: &mut ImageConfig,
    instruction: &Instruction,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<bool> {
    let rest = instruction.rest.as_str();
    let wrong = |message: String| instruction.error(message);
    let expanded = || words(rest, lookup).map_err(wrong);
    match instruction.name.as_str() {
        "ENV" => {
            for (key, value) in pairs(rest, lookup).map_err(wrong)? {
                set_variable(config.env.get_or_insert_default(), &key, &value);
            }
        }
        "LABEL" => config
            .labels
            .get_or_insert_default()
            .extend(pairs(rest, lookup).map_err(wrong)?),
        "USER" => config.user = Some(word(rest, lookup).map_err(wrong)?),
        "WORKDIR" => {
            let path = word(rest, lookup).map_err(wrong)?;
            config.working_dir = Some(join(config.working_dir.as_deref(), &path));
        }
        "STOPSIGNAL" => config.stop_signal = Some(word(rest, lookup).map_err(wrong)?),
        "EXPOSE" => {
            for port in expanded()? {
                expose(config, &port).map_err(wrong)?;
            }
        }
        "VOLUME" => {
            let paths = instruction.json().map_or_else(expanded, Ok)?;
            let volumes = config.volumes.get_or_insert_default();
            volumes.extend(paths);
            volumes.sort();
            volumes.dedup();
        }
        "CMD" => config.cmd = Some(command(config, instruction)),
        "ENTRYPOINT" => {
            config.entrypoint = Some(command(config, instruction));
        }
        "SHELL" => {
            let shell = instruction.json();
            config.shell = Some(shell.ok_or_else(|| wrong("requires the JSON form".to_owned()))?);
        }
        "HEALTHCHECK" => config.healthcheck = Some(health(config, instruction)?),
        "ONBUILD" => config
            .on_build
            .get_or_insert_default()
            .push(rest.to_owned()),
        "MAINTAINER" => {}
        _ => return Ok(false),
    }
    Ok(true)
}

fn command(config: &ImageConfig, instruction: &Instruction) -> Vec<String> {
    if let Some(command) = instruction.json() {
        return command;
    }
    if instruction.rest.is_empty() {
        return Vec::new();
    }
    let mut command = shell(config);
    command.push(instruction.rest.clone());
    command
}

/// `a=b c="d e"`, or the older `a b c`, which is one pair.
fn pairs(
    text: &str,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<(String, String)>, String> {
    let raw = raw_words(text);
    let is_old = raw.first().is_some_and(|first| !first.contains('='));
    if is_old {
        let (key, value) = text
            .split_once(char::is_whitespace)
            .ok_or("must have two arguments")?;
        return Ok(vec![(word(key, lookup)?, word(value.trim(), lookup)?)]);
    }
    let pair = |text: &String| {
        let (key, value) =
            split_pair(text).ok_or_else(|| format!("syntax error: {text} has no '='"))?;
        if key.is_empty() {
            return Err("names can not be blank".to_owned());
        }
        Ok((word(key, lookup)?, word(value, lookup)?))
    };
    raw.iter().map(pair).collect()
}

/// Splits at the first `=` that is not in quotes.
fn split_pair(text: &str) -> Option<(&str, &str)> {
    let mut quote = None;
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' if quote != Some('\'') => {
                letters.next();
            }
            '"' | '\'' if quote.is_none() => quote = Some(letter),
            letter if quote == Some(letter) => quote = None,
            '=' if quote.is_none() => return Some((&text[..at], &text[at + 1..])),
            _ => {}
        }
    }
    None
}

/// Sets a variable in a list of `KEY=value`.
pub(super) fn set_variable(variables: &mut Vec<String>, key: &str, value: &str) {
    let new = format!("{key}={value}");
    let of_key = |text: &String| text.split('=').next() == Some(key);
    match variables.iter().position(of_key) {
        Some(at) => variables[at] = new,
        None => variables.push(new),
    }
}

/// `path` from a working directory on, absolute and without `.` and `..`.
pub(super) fn join(working: Option<&str>, path: &str) -> String {
    let joined = std::path::Path::new("/")
        .join(working.unwrap_or("/"))
        .join(path);
    let mut parts: Vec<String> = Vec::new();
    for component in joined.components() {
        match component {
            std::path::Component::Normal(name) => parts.push(name.to_string_lossy().into_owned()),
            std::path::Component::ParentDir => {
                parts.pop();
            }
            _ => {}
        }
    }
    format!("/{}", parts.join("/"))
}

fn expose(config: &mut ImageConfig, port: &str) -> Result<(), String> {
    let (numbers, protocol) = port.split_once('/').unwrap_or((port, "tcp"));
    let protocol = protocol.to_ascii_lowercase();
    let invalid = || format!("invalid containerPort: {port}");
    if !matches!(protocol.as_str(), "tcp" | "udp" | "sctp") {
        return Err(format!("invalid proto: {protocol}"));
    }
    let (first, last) = numbers.split_once('-').unwrap_or((numbers, numbers));
    let first: u16 = first.parse().map_err(|_| invalid())?;
    let last: u16 = last.parse().map_err(|_| invalid())?;
    let ports = config.exposed_ports.get_or_insert_default();
    ports.extend((first..=last).map(|number| format!("{number}/{protocol}")));
    ports.sort();
    ports.dedup();
    Ok(())
}

fn health(config: &ImageConfig, instruction: &Instruction) -> Result<HealthConfig> {
    instruction.check_flags(&[
        "interval",
        "timeout",
        "start-period",
        "start-interval",
        "retries",
    ])?;
    let nanoseconds = |flag: &str| -> Result<Option<i64>> {
        let Some(text) = instruction.flag(flag) else {
            return Ok(None);
        };
        let duration: SignedDuration = text
            .parse()
            .map_err(|_| instruction.error(format!("invalid duration {text:?} of --{flag}")))?;
        let duration = Duration::try_from(duration).map_err(|error| instruction.error(error))?;
        Ok(i64::try_from(duration.as_nanos()).ok())
    };
    let retries = instruction.flag("retries").map(str::parse).transpose();
    let (kind, rest) = instruction
        .rest
        .split_once(char::is_whitespace)
        .unwrap_or((&instruction.rest, ""));
    let test = match kind.to_ascii_uppercase().as_str() {
        "NONE" => vec!["NONE".to_owned()],
        "CMD" => {
            let command = Instruction {
                name: "CMD".to_owned(),
                rest: rest.trim().to_owned(),
                ..instruction.clone()
            };
            match command.json() {
                Some(words) => [vec!["CMD".to_owned()], words].concat(),
                None if config.shell.is_none() => vec!["CMD-SHELL".to_owned(), command.rest],
                None => [vec!["CMD".to_owned()], shell(config), vec![command.rest]].concat(),
            }
        }
        other => return Err(instruction.error(format!("unknown type {other:?} (try CMD)"))),
    };
    Ok(HealthConfig {
        test: Some(test),
        interval: nanoseconds("interval")?,
        timeout: nanoseconds("timeout")?,
        start_period: nanoseconds("start-period")?,
        start_interval: nanoseconds("start-interval")?,
        retries: retries.map_err(|error| instruction.error(error))?,
    })
}
