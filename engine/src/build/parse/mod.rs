//! A Dockerfile's instructions.

mod directives;
mod flags;
mod here_document;
mod instruction;
mod lines;
#[cfg(test)]
mod tests;

use super::Failure;
use super::progress::Lines;
use crate::Error;
use directives::Directives;
use lines::Reader;

pub(crate) use here_document::Document;
pub(crate) use instruction::Instruction;

/// Names of all instructions.
const KNOWN: &[&str] = &[
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

/// Reads a Dockerfile.
///
/// # Errors
/// 400 for directives that make no sense, instructions that are not known or have no arguments, and
/// here-documents without an end; with the lines.
pub(crate) fn parse(text: &str) -> Result<Vec<Instruction>, Failure> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let escape = Directives::read(text)?.escape;
    let mut reader = Reader::new(text, escape);
    let mut instructions = Vec::new();
    while let Some((line, first)) = reader.logical() {
        let mut instruction = instruction(&line, first, escape)?;
        if instruction.takes_documents() {
            let documents = here_document::read(&line, first, &mut reader)?;
            instruction.documents = documents;
        }
        instruction.lines.last = reader.line();
        instructions.push(instruction);
    }
    Ok(instructions)
}

fn instruction(text: &str, line: usize, escape: char) -> Result<Instruction, Failure> {
    let lines = Lines {
        first: line,
        last: line,
    };
    let text = text.trim();
    let (name, arguments) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let (name, arguments) = (name.to_ascii_uppercase(), arguments.trim());
    if !KNOWN.contains(&name.as_str()) {
        return Err(wrong(lines, &format!("unknown instruction: {name}")));
    }
    let (flags, rest) = flags::split(arguments, escape);
    flags::check(&name, &flags).map_err(|message| wrong(lines, &message))?;
    let rest = rest.trim();
    if rest.is_empty() && !matches!(name.as_str(), "CMD" | "ENTRYPOINT") {
        return Err(wrong(lines, &format!("{name} requires arguments")));
    }
    Ok(Instruction {
        flags,
        rest: rest.to_owned(),
        name,
        arguments: arguments.to_owned(),
        documents: Vec::new(),
        escape,
        lines,
    })
}

/// What is wrong with lines of a Dockerfile.
fn wrong(lines: Lines, message: &str) -> Failure {
    let line = lines.first;
    let message = format!("dockerfile parse error on line {line}: {message}");
    Failure {
        lines: Some(lines),
        ..Error::bad_request(message).into()
    }
}
