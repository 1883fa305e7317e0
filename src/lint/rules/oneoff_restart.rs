//! `oneoff-restart`: a service that others wait for to complete, and that is restarted forever.

use crate::compose::Diagnostic;
use crate::compose::model::{Condition, Service};
use crate::lint::finding::Report;
use crate::lint::input::Input;

pub(in crate::lint) fn check(input: &Input<'_>, report: &mut Report) {
    for service in input.services() {
        for (target, dependency) in &service.depends_on {
            let Some(other) = input.project().services.get(target) else {
                continue;
            };
            if dependency.condition != Condition::CompletedSuccessfully {
                continue;
            }
            let Some((path, policy)) = policy(other) else {
                continue;
            };
            report.add(
                Diagnostic::warning(format!(
                    "service \"{target}\" never completes: `{policy}` restarts it, while \
                     \"{}\" waits for its end",
                    service.name
                ))
                .at(input.attribute(target, path))
                .related(
                    input.attribute_key(&service.name, &["depends_on"], target),
                    "waits here",
                )
                .help("use `restart: \"no\"` or `restart: on-failure`"),
            );
        }
    }
}

/// Where the policy that restarts it whatever happens stands, and what it says.
fn policy(service: &Service) -> Option<(&'static [&'static str], &str)> {
    let deploy = service.deploy.as_ref();
    let condition = deploy
        .and_then(|deploy| deploy.restart_policy.as_ref())
        .and_then(|policy| policy.condition.as_deref());
    match (service.restart.as_deref(), condition) {
        (Some(policy @ ("always" | "unless-stopped")), _) => Some((&["restart"], policy)),
        (None, Some("any")) => Some((&["deploy", "restart_policy", "condition"], "any")),
        _ => None,
    }
}
