//! Variables from env files and the shell: for interpolation, for services, for secrets.

use std::collections::BTreeMap;
use std::path::Path;

use super::diagnostic::{Diagnostic, code};
use super::dotenv::{self, Variables};
use super::loader::Loader;
use super::model::{EnvFile, Environment, Project, Service};
use super::node::{Entry, Map, Node, Value};
use super::source::{Relation, Span};
use super::written::EnvText;

/// The attribute that carries a secret's value from the tree to the model.
pub(crate) const SECRET_VALUE: &str = "x-#value";

/// Reads an env file into `read`, as far as it can be read; problems are reported. Inside it,
/// `shell` beats what the file sets, and that beats what was read before.
pub(crate) fn read_env_file(
    loader: &mut Loader<'_>,
    path: &Path,
    place: Option<Span>,
    shell: &BTreeMap<String, String>,
    read: &mut BTreeMap<String, String>,
) {
    let parent = place.map(|span| (Relation::EnvFile, span));
    let Some((source, text)) = loader.read(path, parent) else {
        loader.gaps.variables = true;
        return;
    };
    let known = read.clone();
    if loader.record.is_some() {
        loader.record_env_file(EnvText {
            source,
            raw: false,
            known: shell.keys().chain(known.keys()).cloned().collect(),
        });
    }
    let lookup = |name: &str| shell.get(name).cloned();
    let earlier = |name: &str| known.get(name).cloned();
    let found = dotenv::read_after(source, &text, &lookup, &earlier);
    loader.gaps.variables |= !found.problems.is_empty();
    loader.problems.extend(found.problems);
    if spend(loader, &found.variables).is_none() {
        return;
    }
    if let Some(layers) = &mut loader.layers {
        layers.env_file(&found.variables);
    }
    for (name, variable) in found.variables {
        if let Some(value) = variable.value.or_else(|| lookup(&name)) {
            read.insert(name, value);
        }
    }
}

/// Takes from the budget what the variables of a file add to what uses it.
fn spend(loader: &mut Loader<'_>, variables: &Variables) -> Option<()> {
    let cost = variables
        .iter()
        .map(|(name, variable)| name.len() + variable.value.as_ref().map_or(0, String::len))
        .sum();
    let Some(first) = variables.values().next() else {
        return Some(());
    };
    loader.spend(cost, "env files", first.span)
}

/// Fills in bare names of `environment` lists, and the values of secrets and configs that
/// come from the environment.
pub(crate) fn resolve_in_tree(tree: &mut Node, environment: &BTreeMap<String, String>) {
    let Some(root) = tree.as_map_mut() else {
        return;
    };
    for_each_entry(root, "services", |service| {
        let Some(list) = service.get_mut("environment") else {
            return;
        };
        let Value::Seq(items) = &mut list.node.value else {
            return;
        };
        for item in items {
            if let Value::Str(text) = &mut item.value
                && let Some(value) = environment.get(text.as_str())
            {
                *text = format!("{text}={value}");
            }
        }
    });
    for (section, key) in [("secrets", SECRET_VALUE), ("configs", "content")] {
        for_each_entry(root, section, |object| {
            let Some(source) = object.get("environment") else {
                return;
            };
            let span = source.node.span;
            let value = source.node.as_str().and_then(|name| environment.get(name));
            if let Some(value) = value.cloned() {
                let entry = Entry {
                    key: span,
                    node: Node::str(value, span),
                };
                object.insert(key.to_owned(), entry);
            }
        });
    }
}

fn for_each_entry(root: &mut Map, section: &str, mut change: impl FnMut(&mut Map)) {
    let section = root
        .get_mut(section)
        .and_then(|entry| entry.node.as_map_mut());
    for entry in section.into_iter().flat_map(Map::values_mut) {
        if let Some(map) = entry.node.as_map_mut() {
            change(map);
        }
    }
}

/// Moves the values of secrets from their hidden attribute to their content.
pub(crate) fn take_secret_values(project: &mut Project) {
    for secret in project.secrets.values_mut() {
        if let Some(node) = secret.extensions.remove(SECRET_VALUE) {
            secret.content = node.as_str().map(str::to_owned);
        }
    }
}

/// Merges the env files of every enabled service into its environment.
pub(crate) fn resolve_services(loader: &mut Loader<'_>, project: &mut Project) {
    let mut services = std::mem::take(&mut project.services);
    for (name, service) in &mut services {
        resolve_service(loader, project, name, service);
    }
    project.services = services;
}

fn resolve_service(loader: &mut Loader<'_>, project: &Project, name: &str, service: &mut Service) {
    let shell = &project.environment;
    for (key, value) in &mut service.environment {
        if value.is_none() {
            *value = shell.get(key).cloned();
        }
    }
    let own = std::mem::take(&mut service.environment);
    let mut read = BTreeMap::new();
    for (index, file) in std::mem::take(&mut service.env_file).iter().enumerate() {
        let at = |key| item_span(project, name, "env_file", index, key);
        let places = (at("path"), at("format"));
        read_service_file(loader, name, file, places, shell, &own, &mut read);
    }
    let mut merged: Environment = read
        .into_iter()
        .map(|(key, value)| (key, Some(value)))
        .collect();
    merged.extend(own);
    service.environment = merged;
}

fn read_service_file(
    loader: &mut Loader<'_>,
    service: &str,
    file: &EnvFile,
    (place, format_place): (Span, Span),
    shell: &BTreeMap<String, String>,
    own: &Environment,
    read: &mut BTreeMap<String, String>,
) {
    let path = Path::new(&file.path);
    let missing = |error: std::io::Error| error.kind() == std::io::ErrorKind::NotFound;
    if path.metadata().is_err_and(missing) {
        if file.required {
            loader.problems.push(
                Diagnostic::error(format!("env file {} does not exist", loader.shown(path)))
                    .code(code::FILE_NOT_FOUND)
                    .at(place)
                    .help("create it, or write it with `required: false`"),
            );
        }
        return;
    }
    let Some((source, text)) = loader.read(path, Some((Relation::EnvFile, place))) else {
        return;
    };
    let known = read.clone();
    let lookup = |name: &str| {
        let set = || own.get(name).cloned().flatten();
        shell.get(name).cloned().or_else(set)
    };
    let earlier = |name: &str| known.get(name).cloned();
    let found = match file.format.as_deref() {
        None | Some("" | ".env") => dotenv::read_after(source, &text, &lookup, &earlier),
        Some("raw") => dotenv::read_raw(source, &text, &lookup),
        Some(format) => {
            loader.problems.push(
                Diagnostic::error(format!("unknown env_file format \"{format}\""))
                    .code(code::INVALID_VALUE)
                    .at(format_place)
                    .help("write `format: raw`, or leave it out"),
            );
            return;
        }
    };
    loader.problems.extend(found.problems);
    if spend(loader, &found.variables).is_none() {
        return;
    }
    if let Some(layers) = &mut loader.layers {
        layers.attached(service, "environment", &found.variables);
    }
    read.extend(
        found
            .variables
            .into_iter()
            .filter_map(|(name, variable)| Some((name, variable.value?))),
    );
}

/// Merges the label files of every enabled service into its labels.
pub(crate) fn resolve_labels(loader: &mut Loader<'_>, project: &mut Project) {
    let mut services = std::mem::take(&mut project.services);
    for (name, service) in &mut services {
        resolve_service_labels(loader, project, name, service);
    }
    project.services = services;
}

fn resolve_service_labels(
    loader: &mut Loader<'_>,
    project: &Project,
    name: &str,
    service: &mut Service,
) {
    let mut labels: BTreeMap<String, String> = BTreeMap::new();
    for (index, file) in std::mem::take(&mut service.label_file).iter().enumerate() {
        let place = item_span(project, name, "label_file", index, "");
        let parent = Some((Relation::LabelFile, place));
        let Some((source, text)) = loader.read(Path::new(file), parent) else {
            continue;
        };
        let known = labels.clone();
        let lookup = |name: &str| known.get(name).cloned();
        let found = dotenv::read(source, &text, &lookup);
        loader.problems.extend(found.problems);
        if spend(loader, &found.variables).is_none() {
            return;
        }
        if let Some(layers) = &mut loader.layers {
            layers.attached(name, "labels", &found.variables);
        }
        for (name, variable) in found.variables {
            if let Some(value) = variable.value.or_else(|| lookup(&name)) {
                labels.insert(name, value);
            }
        }
    }
    labels.append(&mut service.labels);
    service.labels = labels;
}

/// The place of `inner` in an element of a list of a service, else of the element.
fn item_span(project: &Project, service: &str, key: &str, index: usize, inner: &str) -> Span {
    let path = ["services", service, key];
    project
        .tree
        .at(&path)
        .and_then(Node::as_seq)
        .and_then(|items| items.get(index))
        .map_or_else(
            || project.span_of(&path),
            |item| item.get(inner).unwrap_or(item).span,
        )
}
