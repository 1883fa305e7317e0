//! Checks of the whole model: everything that is named exists, nothing contradicts itself.

mod cycle;
mod limits;
mod mounts;
mod references;

use std::collections::BTreeMap;

use super::diagnostic::{Code, Diagnostic, code};
use super::model::{Project, Service};
use super::source::Span;

/// Collects what is wrong with the enabled part of the project.
pub(crate) fn check(project: &Project, problems: &mut Vec<Diagnostic>) {
    let all = project.services.keys().map(String::as_str);
    check_services(project, all, problems);
    secrets(project, problems);
    cycle::check(project, problems);
}

/// Collects what is wrong with some enabled services.
pub(crate) fn check_services<'a>(
    project: &'a Project,
    names: impl Iterator<Item = &'a str>,
    problems: &mut Vec<Diagnostic>,
) {
    for name in names {
        let Some(service) = project.services.get(name) else {
            continue;
        };
        let mut checker = Checker {
            project,
            name,
            service,
            problems,
        };
        checker.image_or_build();
        checker.references();
        checker.limits();
        checker.mounts();
    }
}

/// Checks that no two services share a container name.
pub(crate) fn container_names(project: &Project, problems: &mut Vec<Diagnostic>) {
    let mut taken: BTreeMap<&str, &str> = BTreeMap::new();
    for (name, service) in &project.services {
        let Some(container) = service.container_name.as_deref() else {
            continue;
        };
        if container.is_empty() {
            continue;
        }
        let Some(other) = taken.insert(container, name) else {
            continue;
        };
        let span = |service: &str| project.span_of(&["services", service, "container_name"]);
        problems.push(
            Diagnostic::error(format!(
                "service \"{name}\": container name \"{container}\" is already in use by service \"{other}\""
            )).code(code::DUPLICATE_CONTAINER_NAME)
            .at(span(name))
            .related(span(other), "the other one")
            .help("give each its own, or none"),
        );
    }
}

/// Checks one service.
struct Checker<'a> {
    project: &'a Project,
    name: &'a str,
    service: &'a Service,
    problems: &'a mut Vec<Diagnostic>,
}

impl Checker<'_> {
    /// The place of an attribute of the service.
    fn span(&self, path: &[&str]) -> Span {
        let mut full = vec!["services", self.name];
        full.extend(path);
        self.project.span_of(&full)
    }

    /// The place of the key `key` in the mapping at `path`.
    fn key_span(&self, path: &[&str], key: &str) -> Span {
        let mut full = vec!["services", self.name];
        full.extend(path);
        self.project
            .tree
            .at(&full)
            .and_then(|node| node.as_map()?.get(key))
            .map_or_else(|| self.span(path), |entry| entry.key)
    }

    /// The path of an attribute of the service as text.
    fn path(&self, path: &[&str]) -> String {
        let mut text = format!("services.{}", self.name);
        for key in path {
            text.push('.');
            text.push_str(key);
        }
        text
    }

    fn error(&mut self, code: Code, message: String, path: &[&str], help: String) {
        let problem = Diagnostic::error(message)
            .code(code)
            .at(self.span(path))
            .path(self.path(path))
            .help(help);
        self.problems.push(problem);
    }

    fn image_or_build(&mut self) {
        let service = self.service;
        let has_image = service
            .image
            .as_deref()
            .is_some_and(|image| !image.is_empty());
        if has_image || service.build.is_some() || service.provider.is_some() {
            return;
        }
        let span = self
            .project
            .tree
            .get("services")
            .and_then(|services| services.as_map()?.get(self.name))
            .map_or_else(|| self.span(&[]), |entry| entry.key);
        self.problems.push(
            Diagnostic::error(format!(
                "service \"{}\" has neither an image nor a build context",
                self.name
            ))
            .code(code::MISSING_IMAGE)
            .path(self.path(&[]))
            .at(span)
            .help("add `image:` or `build:`"),
        );
    }
}

fn secrets(project: &Project, problems: &mut Vec<Diagnostic>) {
    for (key, secret) in &project.secrets {
        let is_set = |text: &Option<String>| text.as_deref().is_some_and(|text| !text.is_empty());
        if secret.external || is_set(&secret.file) || is_set(&secret.environment) {
            continue;
        }
        problems.push(
            Diagnostic::error(format!("secret \"{key}\" has no content"))
                .code(code::MISSING_CONTENT)
                .path(format!("secrets.{key}"))
                .at(project.span_of(&["secrets", key]))
                .help("set `file`, `environment` or `external: true`"),
        );
    }
}
