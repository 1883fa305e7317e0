//! `root-user`: images whose program runs as root.

use crate::compose::Diagnostic;
use crate::dockerfile::{Instruction, Keyword, Stage, is_scratch};
use crate::lint::finding::Report;
use crate::lint::input::Input;
use crate::lint::stages::{self, Stages};

/// Parts of the names of bases that bring a user of their own.
const OWN_USER: [&str; 3] = ["nonroot", "rootless", "unprivileged"];

pub(in crate::lint) fn check(input: &Input<'_>, report: &mut Report) {
    stages::for_files(input, &mut |stages| {
        let is_given = |name: &str| {
            let service = input.project().services.get(name);
            service.is_some_and(|service| service.user.is_some())
        };
        let mut uses = stages.file.uses.iter().peekable();
        if uses.peek().is_some() && uses.all(|user| is_given(&user.service)) {
            return;
        }
        for target in stages.targets() {
            let Some(stage) = stages.list.get(*target) else {
                continue;
            };
            match last_user(stages, *target) {
                Some(user) if !is_root(user.arguments.text()) => {}
                Some(user) => report.add(finding(
                    Diagnostic::warning("the program of the image runs as root")
                        .at(stages.file.span(user.range.clone())),
                )),
                None if brings_user(stages, *target) => {}
                None => report.add(finding(
                    Diagnostic::warning("no USER is set: the program of the image runs as root")
                        .at(stages.file.span(place(stage))),
                )),
            }
        }
    });
}

fn finding(diagnostic: Diagnostic) -> Diagnostic {
    diagnostic.help(
        "end the stage with a USER that may do no more than it needs, or set `user` of the service",
    )
}

fn place(stage: &Stage<'_>) -> std::ops::Range<usize> {
    stage.from.range.clone()
}

/// The `USER` that holds at the end of a stage.
fn last_user<'a>(stages: &Stages<'a>, index: usize) -> Option<&'a Instruction> {
    let chain = stages.chain(index);
    let stages = chain.iter().filter_map(|index| stages.list.get(*index));
    let mut users = stages.flat_map(|stage| stage.instructions.iter().rev());
    users.find(|one| one.keyword == Keyword::User)
}

/// Whether the base may bring a user: one that says so, or one that is not known.
fn brings_user(stages: &Stages<'_>, index: usize) -> bool {
    let chain = stages.chain(index);
    let first = chain.last().and_then(|index| stages.list.get(*index));
    let base = first.and_then(|stage| stages.base(stage));
    base.is_none_or(|base| !is_scratch(&base) && OWN_USER.iter().any(|part| base.contains(part)))
}

fn is_root(user: &str) -> bool {
    let name = user.split(':').next().unwrap_or(user);
    matches!(name, "root" | "0")
}
