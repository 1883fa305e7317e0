//! Which services take part: profiles, and services named on the command line.

use std::collections::BTreeSet;

use super::diagnostic::similar::did_you_mean;
use super::diagnostic::{Diagnostic, code};
use super::model::{MountType, Project, Service};

/// Sorts services into enabled and disabled ones.
pub(crate) fn apply_profiles(project: &mut Project, profiles: Vec<String>) {
    let mut all = std::mem::take(&mut project.services);
    all.append(&mut project.disabled_services);
    let is_disabled = |(_, service): &(&String, &Service)| !is_enabled(service, &profiles);
    let disabled: Vec<String> = all
        .iter()
        .filter(is_disabled)
        .map(|(name, _)| name.clone())
        .collect();
    for name in disabled {
        if let Some((name, service)) = all.remove_entry(&name) {
            project.disabled_services.insert(name, service);
        }
    }
    project.services = all;
    project.profiles = profiles;
}

fn is_enabled(service: &Service, profiles: &[String]) -> bool {
    service.profiles.is_empty()
        || profiles.iter().any(|profile| profile == "*")
        || service.profiles.iter().any(|own| profiles.contains(own))
}

/// Enables services named on the command line whatever their profiles, with others of these
/// profiles. Returns what was not enabled before.
pub(crate) fn enable(project: &mut Project, names: &[String]) -> BTreeSet<String> {
    let mut profiles = project.profiles.clone();
    for name in names {
        if let Some(service) = project.disabled_services.get(name) {
            profiles.extend(service.profiles.iter().cloned());
        }
    }
    let before: BTreeSet<String> = project.services.keys().cloned().collect();
    apply_profiles(project, profiles);
    let now = project.services.keys().cloned();
    now.filter(|name| !before.contains(name)).collect()
}

/// The services that `patterns` name and what they depend on.
pub(crate) fn selection(
    project: &Project,
    patterns: &[String],
    problems: &mut Vec<Diagnostic>,
) -> BTreeSet<String> {
    let mut wanted: BTreeSet<String> = BTreeSet::new();
    for pattern in patterns {
        let matched: Vec<&String> = project
            .services
            .keys()
            .filter(|name| glob(pattern, name))
            .collect();
        if matched.is_empty() {
            problems.push(no_such_service(project, pattern));
        }
        for name in matched {
            add_with_dependencies(project, name, &mut wanted);
        }
    }
    wanted
}

fn no_such_service(project: &Project, name: &str) -> Diagnostic {
    let known: Vec<&str> = project.services.keys().map(String::as_str).collect();
    let help = did_you_mean(name, known.iter().copied(), || {
        format!("the project has the services {}", known.join(", "))
    });
    Diagnostic::error(format!("no such service: {name}"))
        .code(code::UNDEFINED_SERVICE)
        .help(help)
}

fn add_with_dependencies(project: &Project, name: &str, wanted: &mut BTreeSet<String>) {
    let mut queue = vec![name];
    while let Some(name) = queue.pop() {
        let Some(service) = project.services.get(name) else {
            continue;
        };
        if wanted.insert(name.to_owned()) {
            queue.extend(service.depends_on.keys().map(String::as_str));
        }
    }
}

/// Disables all other services.
pub(crate) fn keep(project: &mut Project, wanted: &BTreeSet<String>) {
    for (name, mut service) in std::mem::take(&mut project.services) {
        if wanted.contains(&name) {
            service
                .depends_on
                .retain(|target, _| wanted.contains(target));
            project.services.insert(name, service);
        } else {
            project.disabled_services.insert(name, service);
        }
    }
}

/// Whether a name matches a pattern of `*`, `?` and literal characters.
fn glob(pattern: &str, name: &str) -> bool {
    fn matches(pattern: &[char], name: &[char]) -> bool {
        match (pattern, name) {
            ([], []) => true,
            (['*', rest @ ..], _) => (0..=name.len()).any(|skip| matches(rest, &name[skip..])),
            (['?', rest @ ..], [_, tail @ ..]) => matches(rest, tail),
            ([first, rest @ ..], [head, tail @ ..]) => first == head && matches(rest, tail),
            _ => false,
        }
    }
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    matches(&pattern, &name)
}

/// Drops networks, volumes, secrets, configs and models that no enabled service uses.
pub(crate) fn drop_unused(project: &mut Project) {
    let mut networks = BTreeSet::new();
    let mut volumes = BTreeSet::new();
    let mut secrets = BTreeSet::new();
    let mut configs = BTreeSet::new();
    let mut models = BTreeSet::new();
    for service in project.services.values() {
        networks.extend(service.networks.keys().cloned());
        volumes.extend(
            service
                .volumes
                .iter()
                .filter(|mount| mount.kind == MountType::Volume)
                .filter_map(|mount| mount.source.clone()),
        );
        secrets.extend(service.secrets.iter().map(|secret| secret.source.clone()));
        if let Some(build) = &service.build {
            secrets.extend(build.secrets.iter().map(|secret| secret.source.clone()));
        }
        configs.extend(service.configs.iter().map(|config| config.source.clone()));
        models.extend(service.models.keys().cloned());
    }
    project.networks.retain(|key, _| networks.contains(key));
    project.volumes.retain(|key, _| volumes.contains(key));
    project.secrets.retain(|key, _| secrets.contains(key));
    project.configs.retain(|key, _| configs.contains(key));
    project.models.retain(|key, _| models.contains(key));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs() {
        assert!(glob("web", "web"));
        assert!(glob("w*", "web"));
        assert!(glob("w?b", "web"));
        assert!(!glob("w?", "web"));
    }
}
