//! `down`.

use std::collections::{BTreeMap, BTreeSet};

use super::super::error::PlanError;
use super::super::graph::Graph;
use super::super::observed::Observed;
use super::super::options::{Down, RemoveImages, Settings};
use super::super::reason::Reason;
use super::super::step::{Action, Edge, Plan, StepId};
use super::super::{labels, names};
use super::current::existing;
use super::lifecycle::{Ordered, containers_of, may_run, stop_action};
use super::orphans;
use super::scope::Scope;
use crate::compose::Diagnostic;
use crate::compose::model::Service;

const DEFAULT_TAG: &str = ":latest";

/// Removes the containers of the project, dependents first, then its networks and, if asked,
/// its volumes and images.
pub fn down(
    scope: &Scope,
    observed: &Observed,
    settings: &Settings,
    options: &Down,
) -> Result<Plan, PlanError> {
    let mut plan = Plan::default();
    let services = scope.select(&options.services)?;
    if services.is_empty() && !options.services.is_empty() {
        plan.warnings.push(Diagnostic::warning(format!(
            "none of the services {} is running in project \"{}\"",
            options.services.join(", "),
            scope.name
        )));
        return Ok(plan);
    }
    let mut removed = remove_services(&mut plan, scope, observed, options, &services)?;
    removed.extend(remove_hooks(&mut plan, observed, &services));
    if options.remove_orphans {
        removed.extend(remove_orphans(
            &mut plan, scope, observed, settings, options,
        )?);
    }
    let found_containers = !plan.steps.is_empty();
    let after: Vec<Edge> = removed.into_iter().map(Edge::required).collect();
    remove_networks(&mut plan, scope, observed, &after);
    if options.volumes {
        remove_volumes(&mut plan, scope, observed, &after);
    }
    remove_images(&mut plan, scope, observed, settings, options, &after);
    let has_resources =
        !scope.networks.is_empty() || (options.volumes && !scope.volumes.is_empty());
    if !found_containers && plan.steps.is_empty() && !has_resources {
        plan.warnings.push(Diagnostic::warning(format!(
            "no resource found to remove for project \"{}\"",
            scope.name
        )));
    }
    Ok(plan)
}

fn remove_services(
    plan: &mut Plan,
    scope: &Scope,
    observed: &Observed,
    options: &Down,
    services: &[String],
) -> Result<Vec<StepId>, PlanError> {
    let graph = Graph::new(&scope.services)?;
    // What depends on a removed service goes as well.
    let selected = graph.with_dependents(services.iter().map(String::as_str));
    let mut steps = Ordered::default();
    let mut removed = Vec::new();
    for name in graph.order().iter().rev() {
        if !selected.contains(name) {
            continue;
        }
        let before = steps.after_dependents(&graph, name);
        let mut containers = containers_of(observed, name);
        if options.remove_orphans {
            containers.extend(one_offs(observed, name));
        }
        for container in containers {
            let mut after = before.clone();
            if may_run(container) {
                let model = scope.services.get(*name);
                let stop = stop_action(existing(container), model, options.timeout);
                let step = plan.push(Action::Stop(stop), Reason::Requested, after);
                after = vec![Edge::required(step)];
            }
            let action = Action::Remove {
                container: existing(container),
                volumes: options.volumes,
                force: true,
            };
            let step = plan.push(action, Reason::Requested, after);
            steps.add(name, step);
            removed.push(step);
        }
    }
    Ok(removed)
}

/// Removes what failed `pre_start` hooks have left.
fn remove_hooks(plan: &mut Plan, observed: &Observed, services: &[String]) -> Vec<StepId> {
    let mut removed = Vec::new();
    for container in &observed.hooks {
        if services.contains(&super::scope::service_name(container)) {
            let action = Action::Remove {
                container: existing(container),
                volumes: true,
                force: true,
            };
            removed.push(plan.push(action, Reason::Requested, Vec::new()));
        }
    }
    removed
}

fn one_offs<'a>(
    observed: &'a Observed,
    service: &'a str,
) -> impl Iterator<Item = &'a super::super::observed::Container> {
    observed.containers.iter().filter(move |container| {
        super::current::is_one_off(container) && super::scope::service_name(container) == service
    })
}

fn remove_orphans(
    plan: &mut Plan,
    scope: &Scope,
    observed: &Observed,
    settings: &Settings,
    options: &Down,
) -> Result<Vec<StepId>, PlanError> {
    let planned: BTreeSet<String> = plan
        .steps
        .iter()
        .filter_map(|step| match &step.action {
            Action::Remove { container, .. } => Some(container.name.clone()),
            _ => None,
        })
        .collect();
    let known: BTreeSet<&str> = scope
        .services
        .keys()
        .chain(&scope.disabled)
        .map(String::as_str)
        .collect();
    let orphans: Vec<_> = orphans::orphans(&observed.containers, &known)
        .into_iter()
        .filter(|orphan| !planned.contains(&orphan.name))
        .collect();
    if !settings.strict && !options.adopt {
        orphans::check_ownership(&orphans, scope.working_dir.as_deref())?;
    }
    // They may use what the services offer, but nothing says so: they go first.
    Ok(orphans
        .into_iter()
        .map(|orphan| orphans::remove(plan, orphan, options.timeout, Vec::new()))
        .collect())
}

fn remove_networks(plan: &mut Plan, scope: &Scope, observed: &Observed, after: &[Edge]) {
    for (key, name) in &scope.networks {
        let own = observed.networks.iter().filter(|network| {
            network.name == *name
                && has_label(&network.labels, labels::PROJECT, &scope.name)
                && has_label(&network.labels, labels::NETWORK, key)
        });
        for network in own {
            let action = Action::RemoveNetwork {
                id: network.id.clone(),
                name: network.name.clone(),
                required: false,
            };
            plan.push(action, Reason::Requested, after.to_vec());
        }
    }
}

fn has_label(labels: &BTreeMap<String, String>, key: &str, value: &str) -> bool {
    labels.get(key).is_some_and(|actual| actual == value)
}

fn remove_volumes(plan: &mut Plan, scope: &Scope, observed: &Observed, after: &[Edge]) {
    for name in scope.volumes.values() {
        if observed.volume(name).is_none() {
            continue;
        }
        let action = Action::RemoveVolume {
            name: name.clone(),
            required: false,
        };
        plan.push(action, Reason::Requested, after.to_vec());
    }
}

fn remove_images(
    plan: &mut Plan,
    scope: &Scope,
    observed: &Observed,
    settings: &Settings,
    options: &Down,
    after: &[Edge],
) {
    if options.images == RemoveImages::None {
        return;
    }
    let default_name = |service: &Service| names::image(&scope.name, service, settings.separator);
    let named = scope.services.values().filter_map(|service| {
        let wanted = options.images == RemoveImages::All || service.image.is_none();
        let name = default_name(service);
        (wanted && observed.images.contains_key(&name)).then_some(name)
    });
    let labelled = observed.project_images.iter().filter_map(|image| {
        let known = image
            .labels
            .get(labels::SERVICE)
            .is_some_and(|service| scope.services.contains_key(service));
        (options.remove_orphans || known)
            .then(|| image.tags.first().cloned())
            .flatten()
    });
    let images: BTreeSet<String> = named.chain(labelled).map(with_tag).collect();
    for image in images {
        plan.push(
            Action::RemoveImage { image },
            Reason::Requested,
            after.to_vec(),
        );
    }
}

/// A reference with the default tag where it has neither tag nor digest.
fn with_tag(image: String) -> String {
    let name = image.rsplit('/').next().unwrap_or(&image);
    if name.contains(':') || name.contains('@') {
        image
    } else {
        image + DEFAULT_TAG
    }
}
