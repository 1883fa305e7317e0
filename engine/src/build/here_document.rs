//! Here-documents of `RUN`: lines after an instruction, up to one with the delimiter alone.

use super::parse::Instruction;
use crate::{Error, Result};

/// Whether an instruction may have here-documents.
pub(super) fn takes(instruction: &str) -> bool {
    matches!(instruction, "RUN" | "COPY" | "ADD")
}

/// One `<<EOF` of a command.
struct Mark<'a> {
    delimiter: &'a str,
    /// `<<-`: leading tabs are not part of the lines.
    without_tabs: bool,
    /// What the mark takes of the command.
    whole: &'a str,
}

/// Reads the here-documents of an instruction from the lines that follow it. A `RUN` that is nothing else is the script
/// itself; any other is left to the shell with its documents.
///
/// # Errors
/// 400 for one without an end, 501 for those of other instructions and for scripts that name their interpreter.
pub(super) fn read<'a>(
    instruction: &mut Instruction,
    lines: &mut impl Iterator<Item = &'a str>,
) -> Result<()> {
    let command = instruction.rest.clone();
    let marks = marks(&command);
    if marks.is_empty() || instruction.json().is_some() {
        return Ok(());
    }
    let unsupported = |what: &str| {
        let (line, name) = (instruction.line, &instruction.name);
        Error::not_supported(format!("dockerfile line {line}: {what} of {name}"))
    };
    if instruction.name != "RUN" {
        return Err(unsupported("a here-document"));
    }
    let mut script = String::new();
    let mut documents = String::new();
    for mark in &marks {
        loop {
            let line = lines.next().ok_or_else(|| {
                instruction.error(format!("no line ends the here-document {}", mark.delimiter))
            })?;
            let text = if mark.without_tabs {
                line.trim_start_matches('\t')
            } else {
                line
            };
            documents.push('\n');
            documents.push_str(line);
            if text.trim_end_matches('\r') == mark.delimiter {
                break;
            }
            script.push_str(text);
            script.push('\n');
        }
    }
    if marks.len() > 1 || marks[0].whole != command {
        instruction.rest = command + &documents;
        return Ok(());
    }
    if script.starts_with("#!") {
        return Err(unsupported("a here-document with an interpreter"));
    }
    instruction.rest = script;
    Ok(())
}

/// The marks of a command; `<<<` is none.
fn marks(command: &str) -> Vec<Mark<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(next) = command[at..].find("<<") {
        let start = at + next;
        let after = &command[start + 2..];
        if after.starts_with('<') {
            at = start + 2 + after.len() - after.trim_start_matches('<').len();
            continue;
        }
        let bare = after.strip_prefix('-').unwrap_or(after);
        let word = &bare[..bare.find(char::is_whitespace).unwrap_or(bare.len())];
        let end = start + 2 + (after.len() - bare.len()) + word.len();
        at = end;
        let delimiter = word.trim_matches(['"', '\'']);
        let is_word = |first: char| first.is_ascii_alphabetic() || first == '_';
        if delimiter.starts_with(is_word) {
            found.push(Mark {
                delimiter,
                without_tabs: after.starts_with('-'),
                whole: &command[start..end],
            });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::parse::parse;

    fn run(text: &str) -> Vec<String> {
        let instructions = parse(text).unwrap();
        instructions.into_iter().map(|one| one.rest).collect()
    }

    #[test]
    fn a_document_alone_is_the_script() {
        let text =
            "RUN <<'EOF'\necho a\n# kept\necho $b \\\n\n  more\nEOF\nRUN <<-X\n\tone\n\tX\nCMD x";
        let script = "echo a\n# kept\necho $b \\\n\n  more\n";
        assert_eq!(run(text), [script, "one\n", "x"]);
    }

    #[test]
    fn the_shell_reads_those_of_a_command() {
        assert_eq!(
            run("RUN cat <<A <<B >x\n1\nA\n2\nB\nCMD x"),
            ["cat <<A <<B >x\n1\nA\n2\nB", "x"]
        );
        let plain = ["echo $((1<<2))", "cat <<<word"];
        let text = plain.map(|command| format!("RUN {command}\n")).concat();
        assert_eq!(run(&text), plain);
    }

    #[test]
    fn what_cannot_be_read_is_said_with_its_line() {
        for (text, status, message) in [
            (
                "RUN <<EOF\necho",
                400,
                "line 1: RUN: no line ends the here-document EOF",
            ),
            (
                "FROM x\nCOPY <<EOF /x\nEOF",
                501,
                "line 2: a here-document of COPY",
            ),
            (
                "RUN <<EOF\n#!/bin/x\nEOF",
                501,
                "a here-document with an interpreter",
            ),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(error.status, status);
            assert!(error.message.contains(message), "{}", error.message);
        }
    }
}
