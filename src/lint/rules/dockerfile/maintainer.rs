//! `maintainer`.

use crate::compose::Diagnostic;
use crate::dockerfile::Keyword;
use crate::lint::finding::Report;
use crate::lint::input::Input;
use crate::lint::stages;

pub(in crate::lint) fn check(input: &Input<'_>, report: &mut Report) {
    stages::for_each(input, Keyword::Maintainer, &mut |step| {
        let name = step.instruction.arguments.text().trim_matches(['"', '\'']);
        report.add(
            Diagnostic::warning("MAINTAINER is deprecated")
                .at(step.at(step.instruction.range.clone()))
                .help(format!(
                    "write LABEL org.opencontainers.image.authors=\"{name}\", or remove it"
                )),
        );
    });
}
