//! `apt-command`: `apt`, which is for people.

use super::apt;
use crate::compose::Diagnostic;
use crate::lint::finding::Report;
use crate::lint::input::Input;
use crate::lint::stages;

pub(in crate::lint) fn check(input: &Input<'_>, report: &mut Report) {
    stages::for_runs(input, &mut |step, commands| {
        for command in commands {
            if command.program() == "apt" && apt::action(command).is_some() {
                report.add(
                    Diagnostic::warning("`apt` is for people: its options and output may change")
                        .at(step.at(command.place()))
                        .help("use `apt-get`"),
                );
            }
        }
    });
}
