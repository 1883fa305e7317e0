//! `relative-workdir` and `cd-in-run`.

use crate::compose::Diagnostic;
use crate::dockerfile::Keyword;
use crate::lint::finding::Report;
use crate::lint::input::Input;
use crate::lint::stages::{self, Step};

pub(in crate::lint) fn relative(input: &Input<'_>, report: &mut Report) {
    stages::for_each(input, Keyword::Workdir, &mut |step| {
        let path = step.instruction.arguments.text();
        if !is_absolute(path) && !is_behind_absolute(step) {
            report.add(
                Diagnostic::warning(format!("where {path} is depends on the base image"))
                    .at(step.at(step.instruction.arguments.whole()))
                    .help("write a path that starts with `/`"),
            );
        }
    });
}

fn is_absolute(path: &str) -> bool {
    let path = path.trim_start_matches(['"', '\'']);
    let is_drive = path.get(1..2) == Some(":");
    path.starts_with(['/', '\\', '$']) || is_drive
}

/// Whether an absolute `WORKDIR` comes before it, in its stage or those it starts from.
fn is_behind_absolute(step: &Step<'_, '_>) -> bool {
    let chain = step.stages.chain(step.stage.index);
    let stages = chain
        .iter()
        .filter_map(|index| step.stages.list.get(*index));
    stages
        .flat_map(|stage| stage.instructions)
        .filter(|one| one.keyword == Keyword::Workdir)
        .filter(|one| one.range.start < step.instruction.range.start)
        .any(|one| is_absolute(one.arguments.text()))
}

pub(in crate::lint) fn cd(input: &Input<'_>, report: &mut Report) {
    stages::for_runs(input, &mut |step, commands| {
        let first = &commands[0];
        let folder = first
            .operands()
            .next()
            .map_or("", |word| word.text.as_str());
        if first.program() == "cd" && folder.starts_with('/') && commands.len() > 1 {
            report.add(
                Diagnostic::warning("the folder holds for this RUN only")
                    .at(step.at(first.whole()))
                    .help(format!("write `WORKDIR {folder}` above it")),
            );
        }
    });
}
