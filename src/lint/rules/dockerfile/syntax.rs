//! `dockerfile-syntax`: what no builder can read.

use crate::compose::Diagnostic;
use crate::lint::finding::Report;
use crate::lint::input::Input;

pub(in crate::lint) fn check(input: &Input<'_>, report: &mut Report) {
    for file in input.dockerfiles {
        for problem in &file.file.problems {
            report.add(Diagnostic {
                help: problem.help.clone(),
                ..Diagnostic::error(&problem.message).at(file.span(problem.range.clone()))
            });
        }
    }
}
