//! Instructions that change an image's configuration alone.

use std::fmt::Write as _;

use bollard_stubs::models::ImageConfig;

use super::expand::{Expander, Lookup, raw_words};
use super::{Instruction, healthcheck, parse};
use crate::{Error, Result};

/// The shell of commands that are not in the JSON form.
pub(crate) fn shell(config: &ImageConfig) -> Vec<String> {
    config
        .shell
        .clone()
        .filter(|shell| !shell.is_empty())
        .unwrap_or_else(default_shell)
}

fn default_shell() -> Vec<String> {
    vec!["/bin/sh".to_owned(), "-c".to_owned()]
}

/// The `changes` of an import or a commit.
///
/// # Errors
/// 400 for instructions that make no sense there.
pub(crate) fn changes(config: &mut ImageConfig, changes: &[String]) -> Result<()> {
    let instructions = parse(&changes.join("\n")).map_err(|failure| failure.error)?;
    for instruction in instructions {
        if configure(config, &instruction, &|_| None)?.is_none() {
            let message = format!("{} is not a valid change command", instruction.name);
            return Err(Error::bad_request(message));
        }
    }
    Ok(())
}

/// Applies one instruction; answers how an image's history tells it, or `None` when it is none
/// of these. That text is empty for what history does not tell.
///
/// # Errors
/// 400 for values that make no sense.
pub(crate) fn configure(
    config: &mut ImageConfig,
    instruction: &Instruction,
    lookup: &Lookup<'_>,
) -> Result<Option<String>> {
    let name = instruction.name.as_str();
    if name == "HEALTHCHECK" {
        return healthcheck::configure(config, instruction).map(Some);
    }
    if !CONFIGURING.contains(&name) {
        return Ok(None);
    }
    let told = configured(config, instruction, lookup);
    told.map(Some).map_err(|message| instruction.error(message))
}

/// The instructions that change the configuration alone, or first.
const CONFIGURING: &[&str] = &[
    "ENV",
    "LABEL",
    "USER",
    "WORKDIR",
    "STOPSIGNAL",
    "EXPOSE",
    "VOLUME",
    "CMD",
    "ENTRYPOINT",
    "SHELL",
    "ONBUILD",
    "MAINTAINER",
];

fn configured(
    config: &mut ImageConfig,
    instruction: &Instruction,
    lookup: &Lookup<'_>,
) -> Result<String, String> {
    let rest = instruction.rest.as_str();
    let name = instruction.name.as_str();
    let expander = Expander::new(instruction.escape, lookup);
    let told = match name {
        "ENV" | "LABEL" => {
            let pairs = pairs(rest, expander)?;
            let told: Vec<String> = pairs
                .iter()
                .map(|(key, value)| format!("{key}={value}"))
                .collect();
            if name == "LABEL" {
                config.labels.get_or_insert_default().extend(pairs);
            } else {
                let variables = config.env.get_or_insert_default();
                for (key, value) in pairs {
                    set_variable(variables, &key, &value);
                }
            }
            told.join(" ")
        }
        "USER" => config.user.insert(expander.word(rest)?).clone(),
        "WORKDIR" => {
            let path = join(config.working_dir.as_deref(), &expander.word(rest)?);
            config.working_dir.insert(path).clone()
        }
        "STOPSIGNAL" => stop_signal(config, expander.word(rest)?)?,
        "EXPOSE" => {
            let mut words = raw_words(rest, expander.escape);
            words.sort();
            let words = words.iter().map(|word| expander.word(word));
            expose_all(config, &words.collect::<Result<Vec<_>, _>>()?)?
        }
        "VOLUME" => volumes(config, instruction, expander)?,
        "CMD" => go_list(
            config
                .cmd
                .insert(command(config.shell.as_deref(), instruction)?),
        ),
        "ENTRYPOINT" => {
            let words = command(config.shell.as_deref(), instruction)?;
            let told = go_list(&words);
            config.entrypoint = Some(words).filter(|words| !words.is_empty());
            told
        }
        "SHELL" => {
            let shell = instruction.json().filter(|shell| !shell.is_empty());
            let shell = shell.ok_or("requires the arguments to be in JSON form")?;
            format!("[{}]", config.shell.insert(shell).join(" "))
        }
        "ONBUILD" => {
            check_trigger(rest)?;
            let triggers = config.on_build.get_or_insert_default();
            triggers.push(instruction.rest_with_documents());
            return Ok(String::new());
        }
        _ => rest.to_owned(),
    };
    Ok(format!("{name} {told}"))
}

/// Refuses what no base can trigger.
fn check_trigger(rest: &str) -> Result<(), String> {
    let name = rest.split_whitespace().next().unwrap_or_default();
    match name.to_ascii_uppercase().as_str() {
        "ONBUILD" => Err("chaining ONBUILD via `ONBUILD ONBUILD` is not allowed".to_owned()),
        name @ ("FROM" | "MAINTAINER") => {
            Err(format!("{name} is not allowed as an ONBUILD trigger"))
        }
        _ => parse(rest).map(drop).or_else(|failure| {
            // Its here-documents are not in the line.
            if rest.contains("<<") {
                Ok(())
            } else {
                Err(failure.error.message)
            }
        }),
    }
}

fn stop_signal(config: &mut ImageConfig, signal: String) -> Result<String, String> {
    crate::container::signal::parse(&signal).map_err(|error| error.message)?;
    Ok(config.stop_signal.insert(signal).clone())
}

fn volumes(
    config: &mut ImageConfig,
    instruction: &Instruction,
    expander: Expander<'_>,
) -> Result<String, String> {
    let written = instruction.json().unwrap_or_else(|| {
        let words = instruction.rest.split_whitespace();
        words.map(str::to_owned).collect()
    });
    let paths = written.iter().map(|path| expander.word(path.trim()));
    let paths: Vec<String> = paths.collect::<Result<_, _>>()?;
    if paths.iter().any(String::is_empty) {
        return Err("a volume can not be an empty string".to_owned());
    }
    let told = format!("[{}]", paths.join(" "));
    let volumes = config.volumes.get_or_insert_default();
    volumes.extend(paths);
    volumes.sort();
    volumes.dedup();
    Ok(told)
}

fn command(shell: Option<&[String]>, instruction: &Instruction) -> Result<Vec<String>, String> {
    if let Some(words) = words_or_text(instruction)? {
        return Ok(words);
    }
    if instruction.rest.is_empty() {
        return Ok(Vec::new());
    }
    let mut command = shell.map_or_else(default_shell, <[String]>::to_vec);
    command.push(instruction.rest.clone());
    Ok(command)
}

/// The JSON form; `None` where it is a command for the shell.
///
/// # Errors
/// For an array that has more than strings.
pub(super) fn words_or_text(instruction: &Instruction) -> Result<Option<Vec<String>>, String> {
    if let Some(words) = instruction.json() {
        return Ok(Some(words));
    }
    let is_array = instruction.rest.starts_with('[')
        && serde_json::from_str::<Vec<serde_json::Value>>(&instruction.rest).is_ok();
    if is_array {
        return Err("an array in JSON form must be of strings only".to_owned());
    }
    Ok(None)
}

/// A list as Go writes it with `%q`: `["a" "b"]`.
pub(super) fn go_list(words: &[String]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| go_quoted(word)).collect();
    format!("[{}]", quoted.join(" "))
}

fn go_quoted(word: &str) -> String {
    let mut out = String::from('"');
    for letter in word.chars() {
        match letter {
            '"' | '\\' => out.extend(['\\', letter]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            letter if letter.is_control() => {
                let _ = write!(out, "\\x{:02x}", u32::from(letter));
            }
            letter => out.push(letter),
        }
    }
    out.push('"');
    out
}

/// `a=b c="d e"`, or the older `a b c`, which is one pair.
pub(super) fn pairs(text: &str, expander: Expander<'_>) -> Result<Vec<(String, String)>, String> {
    let raw = raw_words(text, expander.escape);
    let is_old = raw.first().is_some_and(|first| !first.contains('='));
    if is_old {
        let (key, value) = text
            .split_once(char::is_whitespace)
            .ok_or("must have two arguments")?;
        return Ok(vec![(expander.word(key)?, expander.word(value.trim())?)]);
    }
    let pair = |text: &String| {
        let (key, value) = text.split_once('=').ok_or_else(|| {
            format!("syntax error: can't find = in {text:?}: it must be name=value")
        })?;
        if key.is_empty() {
            return Err("names can not be blank".to_owned());
        }
        Ok((expander.word(key)?, expander.word(value)?))
    };
    raw.iter().map(pair).collect()
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

/// Ports as an image has them; `[ip:][host:]port[-port][/protocol]` each, of which the machine's
/// side does not count.
fn expose_all(config: &mut ImageConfig, words: &[String]) -> Result<String, String> {
    let words = words.iter().flat_map(|words| words.split_whitespace());
    let mut told = Vec::new();
    for port in words {
        told.extend(expose(port)?);
    }
    let ports = config.exposed_ports.get_or_insert_default();
    ports.extend(told.iter().cloned());
    ports.sort();
    ports.dedup();
    Ok(format!("[{}]", told.join(" ")))
}

fn expose(port: &str) -> Result<Vec<String>, String> {
    let (numbers, protocol) = port.split_once('/').unwrap_or((port, "tcp"));
    let protocol = protocol.to_ascii_lowercase();
    let numbers = numbers.rsplit(':').next().unwrap_or(numbers);
    let invalid = || format!("invalid containerPort: {port}");
    if !matches!(protocol.as_str(), "tcp" | "udp" | "sctp") {
        return Err(format!("invalid proto: {protocol}"));
    }
    let (first, last) = numbers.split_once('-').unwrap_or((numbers, numbers));
    let first: u16 = first.parse().map_err(|_| invalid())?;
    let last: u16 = last.parse().map_err(|_| invalid())?;
    if last < first {
        return Err(invalid());
    }
    Ok((first..=last)
        .map(|number| format!("{number}/{protocol}"))
        .collect())
}
