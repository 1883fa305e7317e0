//! `apt-command`: `apt`, which is for people.

use super::apt;
use crate::compose::Diagnostic;
use crate::dockerfile::shell::Command;
use crate::lint::finding::Report;
use crate::lint::input::Input;
use crate::lint::stages;

pub(in crate::lint) fn check(input: &Input<'_>, report: &mut Report) {
    stages::for_runs(input, &mut |step, commands| {
        let is_apt =
            |command: &&Command| command.program() == "apt" && apt::action(command).is_some();
        // Who uses it once, uses it for the rest of the script too.
        if let Some(command) = commands.iter().find(is_apt) {
            report.add(
                Diagnostic::warning("`apt` is for people: its options and output may change")
                    .at(step.at(command.place()))
                    .help("use `apt-get`"),
            );
        }
    });
}
