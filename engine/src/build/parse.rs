//! A Dockerfile's instructions.

use super::here_document;
use crate::{Error, Result};

/// One instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Instruction {
    /// Upper case: `COPY`.
    pub(crate) name: String,
    /// `--from=x` as (`from`, `x`); a flag without value has an empty one.
    pub(crate) flags: Vec<(String, String)>,
    /// Everything after the flags.
    pub(crate) rest: String,
    /// The first line, from 1.
    pub(crate) line: usize,
}

/// Reads a Dockerfile.
///
/// # Errors
/// 400 for instructions that are not known and here-documents without an end, naming the line, and 501 for
/// here-documents that are not scripts of `RUN`.
pub(crate) fn parse(text: &str) -> Result<Vec<Instruction>> {
    let escape = escape(text);
    let mut instructions = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        if is_left_out(line) {
            continue;
        }
        let mut logical = String::new();
        let mut part = line;
        loop {
            let trimmed = part.trim_end();
            let Some(more) = trimmed.strip_suffix(escape) else {
                logical.push_str(part);
                break;
            };
            logical.push_str(more);
            // Comments and empty lines within an instruction are left out.
            match lines
                .by_ref()
                .map(|(_, line)| line)
                .find(|line| !is_left_out(line))
            {
                Some(next) => part = next,
                None => break,
            }
        }
        let mut instruction = instruction(logical.trim(), number + 1)?;
        if here_document::takes(&instruction.name) {
            let mut following = lines.by_ref().map(|(_, line)| line);
            here_document::read(&mut instruction, &mut following)?;
        }
        instructions.push(instruction);
    }
    Ok(instructions)
}

fn is_left_out(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || line.starts_with('#')
}

/// The `# escape=` directive among the first comments.
fn escape(text: &str) -> char {
    let directives = text.lines().map_while(|line| line.trim().strip_prefix('#'));
    let mut directives = directives.map_while(|line| line.split_once('='));
    let found = directives.find(|(key, _)| key.trim().eq_ignore_ascii_case("escape"));
    if found.is_some_and(|(_, value)| value.trim() == "`") {
        '`'
    } else {
        '\\'
    }
}

fn instruction(text: &str, line: usize) -> Result<Instruction> {
    let (name, mut rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let name = name.to_ascii_uppercase();
    rest = rest.trim();
    let mut flags = Vec::new();
    if matches!(
        name.as_str(),
        "FROM" | "COPY" | "ADD" | "RUN" | "HEALTHCHECK"
    ) {
        while let Some(flag) = rest.strip_prefix("--") {
            let (flag, after) = flag.split_once(char::is_whitespace).unwrap_or((flag, ""));
            let (key, value) = flag.split_once('=').unwrap_or((flag, ""));
            flags.push((key.to_owned(), value.to_owned()));
            rest = after.trim_start();
        }
    }
    let known = [
        "ADD",
        "ARG",
        "CMD",
        "COPY",
        "ENTRYPOINT",
        "ENV",
        "EXPOSE",
        "FROM",
        "HEALTHCHECK",
        "LABEL",
        "MAINTAINER",
        "ONBUILD",
        "RUN",
        "SHELL",
        "STOPSIGNAL",
        "USER",
        "VOLUME",
        "WORKDIR",
    ];
    if !known.contains(&name.as_str()) {
        let message = format!("dockerfile parse error on line {line}: unknown instruction: {name}");
        return Err(Error::bad_request(message));
    }
    if rest.is_empty() && !matches!(name.as_str(), "CMD" | "ENTRYPOINT") {
        let message = format!("dockerfile parse error on line {line}: {name} requires arguments");
        return Err(Error::bad_request(message));
    }
    Ok(Instruction {
        name,
        flags,
        rest: rest.to_owned(),
        line,
    })
}

impl Instruction {
    /// The JSON form `["a", "b"]`, where it is one.
    pub(crate) fn json(&self) -> Option<Vec<String>> {
        if !self.rest.starts_with('[') {
            return None;
        }
        serde_json::from_str(&self.rest).ok()
    }

    /// As written, with one space between the parts.
    pub(crate) fn text(&self) -> String {
        let mut text = self.name.clone();
        for (key, value) in &self.flags {
            text.push_str(" --");
            text.push_str(key);
            if !value.is_empty() {
                text.push('=');
                text.push_str(value);
            }
        }
        text.push(' ');
        text.push_str(&self.rest);
        text.trim_end().to_owned()
    }

    /// 400 about this instruction.
    pub(crate) fn error(&self, message: impl std::fmt::Display) -> Error {
        Error::bad_request(format!(
            "dockerfile line {}: {}: {message}",
            self.line, self.name
        ))
    }

    /// Refuses flags that are not in `known`, by name.
    pub(crate) fn check_flags(&self, known: &[&str]) -> Result<()> {
        match self
            .flags
            .iter()
            .find(|(key, _)| !known.contains(&key.as_str()))
        {
            Some((key, _)) => Err(Error::not_supported(format!(
                "dockerfile line {}: {} --{key}",
                self.line, self.name
            ))),
            None => Ok(()),
        }
    }

    /// The value of a flag.
    pub(crate) fn flag(&self, name: &str) -> Option<&str> {
        let mut flags = self.flags.iter().filter(|(key, _)| key == name);
        flags.next_back().map(|(_, value)| value.as_str())
    }
}
