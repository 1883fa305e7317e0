//! `undefined-argument` and `unused-build-arg`.

use crate::compose::{Diagnostic, Severity};
use crate::dockerfile::{Instruction, Keyword, Pair, variables};
use crate::lint::finding::Report;
use crate::lint::input::Input;
use crate::lint::stages::{self, Stages};

/// Arguments that every Dockerfile has without declaring them.
const PREDEFINED: [&str; 12] = [
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "FTP_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "SOURCE_DATE_EPOCH",
    "TARGETPLATFORM",
    "TARGETOS",
    "TARGETARCH",
    "TARGETVARIANT",
    "TARGETSTAGE",
    "BUILDPLATFORM",
];

/// Most variables of a `FROM` that are looked at.
const MOST: usize = 100;

fn is_predefined(name: &str) -> bool {
    let upper = name.to_uppercase();
    PREDEFINED.contains(&upper.as_str())
        || upper.starts_with("BUILDKIT_")
        || upper.starts_with("BUILD")
}

pub(in crate::lint) fn undefined(input: &Input<'_>, report: &mut Report) {
    stages::for_files(input, &mut |stages| {
        for stage in &stages.list {
            for (name, has_default) in variables(&stage.base.text).into_iter().take(MOST) {
                if has_default || is_predefined(name) {
                    continue;
                }
                let Some((message, help)) = missing(stages, name) else {
                    continue;
                };
                report.add(
                    Diagnostic::error(message)
                        .at(stages.file.span(stage.base.range.clone()))
                        .help(help),
                );
            }
        }
    });
}

/// Why a variable of a `FROM` has no value.
fn missing(stages: &Stages<'_>, name: &str) -> Option<(String, String)> {
    let declared = declaration(stages.file.file.global(), name);
    let is_given = stages
        .builds
        .iter()
        .any(|build| build.args.contains_key(name));
    match declared {
        Some(pair) if pair.value.is_some() || is_given => None,
        // Without a project, who builds may give it.
        Some(_) if stages.builds.is_empty() => None,
        Some(_) => Some((
            format!("{name} has no value: its ARG has no default, and no build gives one"),
            format!("give it a default (`ARG {name}=…`), or a value by `build.args`"),
        )),
        None => {
            let inside = stages
                .list
                .iter()
                .any(|stage| declaration(stage.instructions, name).is_some());
            let message = if inside {
                format!("{name} is not known here: its ARG stands behind a FROM")
            } else {
                format!("{name} is not known here: no ARG stands above the first FROM")
            };
            Some((
                message,
                format!("write `ARG {name}=…` above the first FROM"),
            ))
        }
    }
}

fn declaration(instructions: &[Instruction], name: &str) -> Option<Pair> {
    let arguments = instructions
        .iter()
        .filter(|one| one.keyword == Keyword::Arg);
    let mut pairs = arguments.flat_map(Instruction::pairs);
    pairs.rfind(|pair| pair.name == name)
}

pub(in crate::lint) fn unused(input: &Input<'_>, report: &mut Report) {
    stages::for_files(input, &mut |stages| {
        // An instruction kept for later may take it too.
        let keeps = |one: &Instruction| one.keyword == Keyword::Onbuild;
        let all = &stages.file.file.instructions;
        if stages.list.is_empty() || all.iter().any(keeps) {
            return;
        }
        for user in &stages.file.uses {
            let service = input.project().services.get(&user.service);
            let Some(build) = service.and_then(|service| service.build.as_ref()) else {
                continue;
            };
            for name in build.args.keys() {
                if is_predefined(name) || declaration(all, name).is_some() {
                    continue;
                }
                let used = all.iter().any(|one| {
                    variables(one.arguments.text())
                        .iter()
                        .any(|(own, _)| own == name)
                });
                let help = if used {
                    format!("write `ARG {name}` in the stage that uses it")
                } else {
                    "remove it, or correct its name".to_owned()
                };
                report.add_as(
                    Severity::Warning,
                    Diagnostic::warning(format!(
                        "no ARG of the Dockerfile of service \"{}\" takes {name}",
                        user.service
                    ))
                    .at(input.attribute_key(&user.service, &["build", "args"], name))
                    .help(help),
                );
            }
        }
    });
}
