//! `sudo-in-run`.

use crate::compose::Diagnostic;
use crate::lint::finding::Report;
use crate::lint::input::Input;
use crate::lint::stages;

pub(in crate::lint) fn check(input: &Input<'_>, report: &mut Report) {
    stages::for_runs(input, &mut |step, commands| {
        for command in commands {
            if let Some(word) = command.leading().iter().find(|word| word.text == "sudo") {
                report.add(
                    Diagnostic::warning("RUN has no terminal for sudo, and needs none")
                        .at(step.at(word.range.clone()))
                        .help("run it before USER, or behind `USER root`"),
                );
            }
        }
    });
}
