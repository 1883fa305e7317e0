//! `apt-lists`: package lists that stay in the image.

use super::apt;
use crate::compose::Diagnostic;
use crate::dockerfile::shell::Command;
use crate::lint::finding::Report;
use crate::lint::input::Input;
use crate::lint::stages;

/// Where apt keeps its lists.
const FOLDER: &str = "/var/lib/apt/lists";

pub(in crate::lint) fn check(input: &Input<'_>, report: &mut Report) {
    stages::for_runs(input, &mut |step, commands| {
        let update = commands
            .iter()
            .position(|command| apt::does(command, "update"));
        let Some(update) = update.filter(|_| step.is_shipped && !step.mounts(&[FOLDER])) else {
            return;
        };
        if !commands[update..].iter().any(removes_lists) {
            report.add(
                Diagnostic::warning("the package lists stay in the image, and grow old in it")
                    .at(step.at(commands[update].whole()))
                    .help(
                        "end the same RUN with `&& rm -rf /var/lib/apt/lists/*`, or mount a cache: \
                         `--mount=type=cache,target=/var/lib/apt`",
                    ),
            );
        }
    });
}

fn removes_lists(command: &Command) -> bool {
    let mut operands = command.operands().map(|word| word.text.as_str());
    match command.program() {
        // `/var/lib/apt/*` covers the lists too.
        "rm" | "find" => operands.any(|word| {
            word.starts_with("/var/lib/apt") || word.contains("{apt") || word == "/var/lib/*"
        }),
        "apt-get" | "apt" => operands.any(|word| matches!(word, "distclean" | "dist-clean")),
        _ => false,
    }
}
