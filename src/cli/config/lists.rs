//! The parts of a project that are printed one a line.

use std::collections::BTreeSet;

use crate::cli::Context;
use crate::compose::Project;
use crate::compose::model::Service;
use crate::compose::node::Node;
use crate::plan::hash;

/// One line for each text.
pub(super) fn lines<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> String {
    texts
        .into_iter()
        .fold(String::new(), |text, line| text + line.as_ref() + "\n")
}

/// The services, each after those it depends on.
pub(super) fn services(project: &Project) -> String {
    let mut ordered = Vec::new();
    let mut seen = BTreeSet::new();
    for name in project.services.keys() {
        visit(project, name, &mut seen, &mut ordered);
    }
    lines(ordered)
}

fn visit<'a>(
    project: &'a Project,
    name: &'a str,
    seen: &mut BTreeSet<&'a str>,
    ordered: &mut Vec<&'a str>,
) {
    let Some(service) = project.services.get(name) else {
        return;
    };
    if !seen.insert(name) {
        return;
    }
    for dependency in service.depends_on.keys() {
        visit(project, dependency, seen, ordered);
    }
    ordered.push(name);
}

/// The services of a tree, sorted.
pub(super) fn services_of_tree(tree: &Node) -> String {
    let services = tree.get("services").and_then(Node::as_map);
    let names: BTreeSet<&String> = services.into_iter().flat_map(|map| map.keys()).collect();
    lines(names)
}

/// The AI models.
pub(super) fn models(project: &Project) -> String {
    lines(
        project
            .models
            .values()
            .filter_map(|model| model.model.as_ref()),
    )
}

/// The profiles of all services, enabled or not.
pub(super) fn profiles(project: &Project) -> String {
    let services = project
        .services
        .values()
        .chain(project.disabled_services.values());
    let profiles: BTreeSet<&String> = services.flat_map(|service| &service.profiles).collect();
    lines(profiles)
}

/// The image of each service: the one it names, else the one that a build makes.
pub(super) fn images(context: &Context, project: &Project) -> String {
    let separator = if context.compatibility() { "_" } else { "-" };
    lines(project.services.values().map(|service| {
        service
            .image
            .clone()
            .unwrap_or_else(|| format!("{}{separator}{}", project.name, service.name))
    }))
}

/// The variables used for interpolation.
pub(super) fn environment(project: &Project) -> String {
    let line = |(name, value): (&String, &String)| format!("{name}={value}");
    let mut variables: Vec<String> = project.environment.iter().map(line).collect();
    variables.sort();
    lines(variables)
}

/// A service and its hash a line.
pub(super) fn hashes<'a>(services: impl Iterator<Item = &'a Service>) -> String {
    lines(services.map(|service| format!("{} {}", service.name, hash::service(service))))
}
