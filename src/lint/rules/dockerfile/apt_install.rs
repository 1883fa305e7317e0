//! `apt-recommends` and `apt-yes`: what an `apt-get install` should say.

use super::apt;
use crate::compose::Diagnostic;
use crate::dockerfile::shell::{Before, Command};
use crate::lint::finding::Report;
use crate::lint::input::Input;
use crate::lint::stages;

pub(in crate::lint) fn recommends(input: &Input<'_>, report: &mut Report) {
    stages::for_runs(input, &mut |step, commands| {
        // Switched off by a file, or by an option of any spelling.
        let is_known = step.stages.file.text.contains("Install-Recommends");
        if is_known || !step.is_shipped {
            return;
        }
        let installs = commands.iter().filter(|command| {
            let is_told = command.has_option("--no-install-recommends", None);
            apt::does(command, "install") && !is_told && !only_looks(command)
        });
        for command in installs {
            report.add(
                Diagnostic::warning("packages that are only recommended are installed too")
                    .at(step.at(command.whole()))
                    .help("add `--no-install-recommends`, and name those of them that are needed"),
            );
        }
    });
}

pub(in crate::lint) fn yes(input: &Input<'_>, report: &mut Report) {
    const ASKS: [&str; 9] = [
        "install",
        "reinstall",
        "upgrade",
        "dist-upgrade",
        "full-upgrade",
        "remove",
        "purge",
        "autoremove",
        "build-dep",
    ];
    stages::for_runs(input, &mut |step, commands| {
        if step.stages.file.text.contains("Assume-Yes") {
            return;
        }
        for (index, command) in commands.iter().enumerate() {
            let asks = apt::action(command).is_some_and(|action| ASKS.contains(&action));
            let is_told = command.before == Before::Pipe
                && index > 0
                && matches!(commands[index - 1].program(), "yes" | "echo");
            if asks && !is_told && !answers(command) {
                report.add(
                    Diagnostic::warning(format!(
                        "{} asks before it goes on, and nobody answers: the build fails",
                        command.program()
                    ))
                    .at(step.at(command.whole()))
                    .help("add `-y`"),
                );
            }
        }
    });
}

/// `-y`, its long forms, and `-qq`, which means it too.
fn answers(command: &Command) -> bool {
    let quiet: usize = command
        .arguments()
        .iter()
        .filter(|word| word.text.starts_with('-') && !word.text.starts_with("--"))
        .map(|word| word.text.matches('q').count())
        .sum();
    let is_quiet = quiet >= 2 || command.arguments().iter().any(|word| word.text == "-q=2");
    let variable = command
        .arguments()
        .iter()
        .any(|word| word.text.starts_with('$'));
    is_quiet
        || variable
        || command.has_option("--yes", Some('y'))
        || command.has_option("--assume-yes", None)
        || command.has_option("--download-only", None)
        || only_looks(command)
}

/// Whether nothing is done, only shown.
fn only_looks(command: &Command) -> bool {
    let long = ["--simulate", "--dry-run", "--just-print", "--no-act"];
    let named = long.iter().any(|option| command.has_option(option, None));
    named || command.has_option("--simulate", Some('s'))
}
