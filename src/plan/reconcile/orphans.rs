//! Containers of the project whose service is gone from the files.

use std::collections::BTreeSet;

use super::super::error::PlanError;
use super::super::labels;
use super::super::observed::{Container, State};
use super::super::reason::Reason;
use super::super::step::{Action, Edge, Plan, StepId};
use super::current::{existing, is_one_off};
use super::lifecycle;
use super::scope::service_name;
use super::up::Planner;
use crate::compose::Diagnostic;

/// The containers that belong to none of the services. An ended one-off counts, a running one
/// does not.
pub(super) fn orphans<'a>(
    containers: &'a [Container],
    known: &BTreeSet<&str>,
) -> Vec<&'a Container> {
    containers
        .iter()
        .filter(|container| {
            if is_one_off(container) {
                matches!(container.state, State::Exited | State::Dead)
            } else {
                !known.contains(service_name(container).as_str())
            }
        })
        .collect()
}

/// Refuses to remove containers that a project of the same name in another folder made.
pub(super) fn check_ownership(
    orphans: &[&Container],
    working_dir: Option<&str>,
) -> Result<(), PlanError> {
    let Some(own) = working_dir else {
        return Ok(());
    };
    let foreign: Vec<(&str, &str)> = orphans
        .iter()
        .map(|container| {
            (
                container.name.as_str(),
                container.label(labels::WORKING_DIR),
            )
        })
        .filter(|(_, folder)| !folder.is_empty() && *folder != own)
        .collect();
    let Some((_, folder)) = foreign.first() else {
        return Ok(());
    };
    let names: Vec<&str> = foreign.iter().map(|(name, _)| *name).collect();
    Err(Diagnostic::error(format!(
        "refusing to remove {}: made by a project of the same name in {folder}",
        names.join(", ")
    ))
    .help("give this project another name with -p, or insist with --adopt")
    .into())
}

/// Stops and removes a container.
pub(super) fn remove(
    plan: &mut Plan,
    container: &Container,
    timeout: Option<i64>,
    after: Vec<Edge>,
) -> StepId {
    let mut after = after;
    if lifecycle::may_run(container) {
        let stop = lifecycle::stop_action(existing(container), None, timeout);
        let step = plan.push(Action::Stop(stop), Reason::Orphan, after);
        after = vec![Edge::required(step)];
    }
    let action = Action::Remove {
        container: existing(container),
        volumes: false,
        force: true,
    };
    plan.push(action, Reason::Orphan, after)
}

impl Planner<'_> {
    /// Removes orphans or warns of them.
    pub(super) fn orphans(&mut self) -> Result<(), PlanError> {
        if self.options.ignore_orphans {
            return Ok(());
        }
        let project = self.project;
        let known: BTreeSet<&str> = project
            .services
            .keys()
            .chain(project.disabled_services.keys())
            .map(String::as_str)
            .collect();
        let observed = self.observed;
        let orphans = orphans(&observed.containers, &known);
        if orphans.is_empty() {
            return Ok(());
        }
        if !self.options.remove_orphans {
            let names: Vec<&str> = orphans.iter().map(|orphan| orphan.name.as_str()).collect();
            let warning = Diagnostic::warning(format!(
                "found orphan containers ({}) for this project",
                names.join(", ")
            ))
            .help("if a service was removed or renamed in the compose file, --remove-orphans cleans up");
            self.plan.warnings.push(warning);
            return Ok(());
        }
        if !self.settings.strict && !self.options.adopt {
            let own = project.working_dir.display().to_string();
            check_ownership(&orphans, Some(&own))?;
        }
        for orphan in orphans {
            let step = remove(&mut self.plan, orphan, None, Vec::new());
            self.freed.insert(orphan.name.clone(), step);
        }
        Ok(())
    }
}
