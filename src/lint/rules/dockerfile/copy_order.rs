//! `copy-before-install`: dependencies that are installed anew after each change of any file.

use crate::compose::Diagnostic;
use crate::dockerfile::shell::Command;
use crate::dockerfile::{Instruction, Keyword};
use crate::lint::finding::Report;
use crate::lint::input::Input;
use crate::lint::stages;

pub(in crate::lint) fn check(input: &Input<'_>, report: &mut Report) {
    stages::for_files(input, &mut |stages| {
        for stage in &stages.list {
            let mut all: Option<&Instruction> = None;
            for instruction in stage.instructions {
                if copies_all(instruction) {
                    all.get_or_insert(instruction);
                }
                let Some(copy) = all else {
                    continue;
                };
                let commands = instruction.commands(&stages.file.text);
                let has_cache = instruction
                    .flag_values("mount")
                    .any(|mount| mount.contains("type=cache"));
                let found = commands
                    .iter()
                    .find_map(|command| Some((command, manifest(command)?)));
                let Some((command, manifest)) = found.filter(|_| !has_cache) else {
                    continue;
                };
                report.add(
                    Diagnostic::warning(
                        "after each change of any file, the dependencies are installed anew",
                    )
                    .at(stages.file.span(command.whole()))
                    .related(
                        stages.file.span(copy.range.clone()),
                        "what every file of the context changes",
                    )
                    .help(format!(
                        "copy {manifest} alone and install before the rest is copied"
                    )),
                );
                break;
            }
        }
    });
}

/// `COPY . …` of the context.
fn copies_all(instruction: &Instruction) -> bool {
    let words = instruction.words();
    let sources = words.split_last().map_or(&[][..], |(_, sources)| sources);
    matches!(instruction.keyword, Keyword::Copy | Keyword::Add)
        && instruction.flag("from").is_none()
        && sources
            .iter()
            .any(|word| matches!(word.text.as_str(), "." | "./" | "/" | "*"))
}

/// The file that a command takes the names of dependencies from.
fn manifest(command: &Command) -> Option<&str> {
    let operands: Vec<&str> = command.operands().map(|word| word.text.as_str()).collect();
    let file_behind = |option: &str| {
        let arguments = command.arguments();
        let at = arguments.iter().position(|word| word.text == option)?;
        arguments.get(at + 1).map(|word| word.text.as_str())
    };
    match (command.program(), operands.as_slice()) {
        ("pip" | "pip3", ["install", ..]) => {
            file_behind("-r").or_else(|| file_behind("--requirement"))
        }
        ("python" | "python3", ["pip", "install", ..]) => file_behind("-r"),
        ("npm", ["ci" | "install" | "i"]) => Some("package.json and its lock file"),
        ("yarn", [] | ["install"]) | ("pnpm", ["install" | "i"]) => {
            Some("package.json and its lock file")
        }
        ("bundle", ["install", ..]) => Some("Gemfile and Gemfile.lock"),
        ("go", ["mod", "download"]) => Some("go.mod and go.sum"),
        ("cargo", ["fetch"]) => Some("Cargo.toml and Cargo.lock"),
        ("composer", ["install"]) => Some("composer.json and composer.lock"),
        ("poetry", ["install"]) | ("uv", ["sync"]) => Some("pyproject.toml and its lock file"),
        _ => None,
    }
}
