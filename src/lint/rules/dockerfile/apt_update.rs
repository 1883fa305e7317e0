//! `apt-update-alone` and `apt-upgrade`.

use super::apt;
use crate::compose::Diagnostic;
use crate::lint::finding::Report;
use crate::lint::input::Input;
use crate::lint::stages;

pub(in crate::lint) fn alone(input: &Input<'_>, report: &mut Report) {
    stages::for_runs(input, &mut |step, commands| {
        let Some(update) = commands.iter().find(|command| apt::does(command, "update")) else {
            return;
        };
        let uses = |command| matches!(apt::action(command), Some(action) if action != "update" && !action.ends_with("clean"));
        // Scripts and other programs may install as well.
        let others = commands.iter().any(|command| {
            let text = command.whole();
            uses(command) || step.stages.file.slice(text).contains("install")
        });
        if !others && !step.mounts(&["/var/lib/apt/lists"]) {
            report.add(
                Diagnostic::warning("the lists are cached as a layer: a later install uses old ones, and fails one day")
                    .at(step.at(update.whole()))
                    .help("write `apt-get update && apt-get install …` in one RUN"),
            );
        }
    });
}

pub(in crate::lint) fn upgrade(input: &Input<'_>, report: &mut Report) {
    stages::for_runs(input, &mut |step, commands| {
        for command in commands {
            let action = apt::action(command);
            if matches!(action, Some("upgrade" | "dist-upgrade" | "full-upgrade")) {
                report.add(
                    Diagnostic::warning(
                        "an upgrade doubles the packages of the base, and each build brings others",
                    )
                    .at(step.at(command.whole()))
                    .help("use a newer base image, and install what must be newer by name"),
                );
            }
        }
    });
}
