//! Merging of one tree over another: override files, further documents, `extends`, `include`.
//!
//! Mappings merge by key, sequences append, anything else is replaced; [`rules`] lists the
//! attributes that differ. A `null` in the overriding tree keeps what is there.

#[cfg(test)]
mod associative;
mod directive;
mod rules;
mod unique;

pub(crate) use directive::Directives;
pub(crate) use unique::{enforce as enforce_unique, identity};

use super::diagnostic::{Diagnostic, code};
use super::node::{Entry, Map, Node, Value};
use super::path::{self, Path};

/// Merges `over` into `base`. Kinds that do not fit together are reported and the base kept.
pub(crate) fn merge(base: &mut Node, over: Node, problems: &mut Vec<Diagnostic>) {
    merge_at(base, over, Path::ROOT, problems);
}

/// Merges the service `over` into the service `base`.
pub(crate) fn merge_service(base: &mut Node, over: Node, problems: &mut Vec<Diagnostic>) {
    let services = Path::ROOT.key("services");
    merge_at(base, over, services.key("*"), problems);
}

/// Merges what an importing file says of `section`.`name` into what was included.
pub(crate) fn merge_resource(
    base: &mut Node,
    over: Node,
    section: &str,
    name: &str,
    problems: &mut Vec<Diagnostic>,
) {
    let section = Path::ROOT.key(section);
    merge_at(base, over, section.key(name), problems);
}

/// Whether a later value of the attribute with these keys replaces an earlier one as a whole.
pub(crate) fn replaces(keys: &[&str]) -> bool {
    path::with(Path::ROOT, keys, |path| {
        rules::rule(&path) == Some(rules::Rule::Replace)
    })
}

fn merge_at(base: &mut Node, over: Node, path: Path<'_>, problems: &mut Vec<Diagnostic>) {
    if let Some(rule) = rules::rule(&path) {
        rules::apply(rule, base, over, path, problems);
        return;
    }
    merge_plain(base, over, path, problems);
}

fn merge_plain(base: &mut Node, over: Node, path: Path<'_>, problems: &mut Vec<Diagnostic>) {
    if over.is_null() {
        return;
    }
    match (&mut base.value, over.value) {
        (Value::Map(map), Value::Map(other)) => merge_maps(map, other, path, problems),
        (Value::Seq(items), Value::Seq(other)) => items.extend(other),
        (Value::Map(_) | Value::Seq(_), value) => {
            let over = Node::new(value, over.span);
            problems.push(
                Diagnostic::error(format!(
                    "{path} is {} here, but {} in what it is merged with",
                    over.a_type(),
                    base.a_type()
                ))
                .code(code::MERGE_CONFLICT)
                .path(path.to_string())
                .at(over.span)
                .related(base.span, "merged with this")
                .help(format!(
                    "write {}, or replace the value with `!override`",
                    base.a_type()
                )),
            );
        }
        (_, value) => {
            *base = Node::new(value, over.span);
        }
    }
}

fn merge_maps(map: &mut Map, other: Map, path: Path<'_>, problems: &mut Vec<Diagnostic>) {
    for (key, entry) in other {
        merge_entry(map, key, entry, path, problems);
    }
}

fn merge_entry(
    map: &mut Map,
    key: String,
    entry: Entry,
    path: Path<'_>,
    problems: &mut Vec<Diagnostic>,
) {
    match map.get_mut(&key) {
        Some(existing) => {
            merge_at(&mut existing.node, entry.node, path.key(&key), problems);
        }
        None => {
            map.insert(key, entry);
        }
    }
}

#[cfg(test)]
mod tests;
