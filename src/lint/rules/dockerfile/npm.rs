//! `npm-install`: `npm install` beside a lock file.

use crate::compose::Diagnostic;
use crate::dockerfile::{Instruction, Keyword};
use crate::lint::finding::Report;
use crate::lint::input::Input;
use crate::lint::stages::{self, Stages};

/// Lock files of npm.
const LOCKS: [&str; 2] = ["package-lock.json", "npm-shrinkwrap.json"];

pub(in crate::lint) fn check(input: &Input<'_>, report: &mut Report) {
    stages::for_runs(input, &mut |step, commands| {
        for command in commands.iter().filter(|command| command.program() == "npm") {
            let operands: Vec<&str> = command.operands().map(|word| word.text.as_str()).collect();
            let is_global = command.has_option("--global", Some('g'));
            let installs_all = matches!(operands.as_slice(), ["install" | "i"]);
            if installs_all && !is_global && has_lock(step.stages) {
                report.add(
                    Diagnostic::warning("`npm install` may change what the lock file says")
                        .at(step.at(command.whole()))
                        .help("use `npm ci`, which installs what the lock file says, or fails"),
                );
            }
        }
    });
}

/// Whether there is a lock file: in the build context, or by name in a `COPY`.
fn has_lock(stages: &Stages<'_>) -> bool {
    let contexts = stages
        .file
        .uses
        .iter()
        .filter_map(|user| user.context.as_ref());
    let mut names = contexts.flat_map(|context| &context.names);
    let copies = |instruction: &Instruction| {
        instruction.keyword == Keyword::Copy
            && LOCKS
                .iter()
                .any(|lock| instruction.arguments.text().contains(lock))
    };
    names.any(|name| LOCKS.contains(&name.as_str()))
        || stages
            .list
            .iter()
            .any(|stage| stage.instructions.iter().any(copies))
}
