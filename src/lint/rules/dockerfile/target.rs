//! `unknown-target`: a `build.target` that the Dockerfile does not have.

use crate::compose::Diagnostic;
use crate::lint::finding::Report;
use crate::lint::input::Input;
use crate::lint::stages;

pub(in crate::lint) fn check(input: &Input<'_>, report: &mut Report) {
    stages::for_files(input, &mut |stages| {
        for user in stages.file.uses.iter().filter(|_| !stages.list.is_empty()) {
            let service = input.project().services.get(&user.service);
            let build = service.and_then(|service| service.build.as_ref());
            let Some(target) = build.and_then(|build| build.target.as_deref()) else {
                continue;
            };
            if target.is_empty() || stages.list.iter().any(|stage| stage.is_named(target)) {
                continue;
            }
            let names: Vec<&str> = stages
                .list
                .iter()
                .filter_map(|stage| Some(stage.name.as_ref()?.text.as_str()))
                .collect();
            let help = if names.is_empty() {
                format!("name a stage by `FROM … AS {target}`")
            } else {
                format!("its stages are {}", names.join(", "))
            };
            report.add(
                Diagnostic::error(format!(
                    "the Dockerfile of service \"{}\" has no stage {target}",
                    user.service
                ))
                .at(input.attribute(&user.service, &["build", "target"]))
                .help(help),
            );
        }
    });
}
