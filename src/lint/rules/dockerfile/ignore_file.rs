//! `missing-dockerignore`: what a `COPY .` takes along.

use crate::compose::Diagnostic;
use crate::dockerfile::{Instruction, Keyword};
use crate::lint::finding::Report;
use crate::lint::input::Input;
use crate::lint::stages;

/// Folders and files that belong to the machine of a developer.
const OWN: [&str; 8] = [
    ".git",
    "node_modules",
    ".venv",
    "venv",
    "__pycache__",
    "target",
    ".env",
    ".terraform",
];

pub(in crate::lint) fn check(input: &Input<'_>, report: &mut Report) {
    stages::for_files(input, &mut |stages| {
        let steps = stages
            .steps(Keyword::Copy)
            .chain(stages.steps(Keyword::Add));
        let Some(copy) = steps
            .map(|step| step.instruction)
            .find(|one| copies_all(one))
        else {
            return;
        };
        for context in stages
            .file
            .uses
            .iter()
            .filter_map(|user| user.context.as_ref())
        {
            let taken: Vec<&str> = OWN
                .into_iter()
                .filter(|own| context.names.iter().any(|name| name == own))
                .collect();
            if context.has_ignore_file || taken.is_empty() {
                continue;
            }
            let list = taken.join(", ");
            report.add(
                Diagnostic::warning(format!(
                    "this takes {list} into the image: there is no .dockerignore"
                ))
                .at(stages.file.span(copy.range.clone()))
                .help(format!(
                    "write .dockerignore in the build context, with a line for each: {list}"
                )),
            );
        }
    });
}

/// `COPY . …` of the context, of all that is in it.
fn copies_all(instruction: &Instruction) -> bool {
    let words = instruction.words();
    let sources = words.split_last().map_or(&[][..], |(_, sources)| sources);
    let is_all = |text: &str| matches!(text, "." | "./" | "/");
    instruction.flag("from").is_none()
        && instruction.flag("exclude").is_none()
        && sources.iter().any(|word| is_all(&word.text))
}
