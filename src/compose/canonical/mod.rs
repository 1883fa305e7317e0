//! Short forms → long forms. A value of a wrong type is left as it is: decoding reports it.

mod build;
mod defaults;
mod device;
mod lists;
mod ports;
mod resource;
mod service;
mod volume;

pub(crate) use defaults::set as set_defaults;
pub(crate) use lists::expand as expand_lists;
pub(crate) use volume::{is_bind_source, target as volume_target};

use super::budget::Budget;
use super::diagnostic::Diagnostic;
use super::node::{Entry, Map, Node, Value};
use super::path::{Path, Pattern};
use super::source::Span;

/// What a transformation needs beside the node.
pub(crate) struct Context<'a> {
    /// Whether text that cannot be read is left alone: it may hold a variable.
    pub(crate) lenient: bool,
    /// Where problems go.
    pub(crate) problems: &'a mut Vec<Diagnostic>,
    /// What port ranges may still add.
    pub(crate) budget: &'a mut Budget,
}

type Transform = fn(&mut Node, Path<'_>, &mut Context<'_>);

const TRANSFORMS: &[(Pattern, Transform)] = &[
    (&["services", "*", "build"], build::build),
    (
        &["services", "*", "build", "secrets", "*"],
        service::file_reference,
    ),
    (
        &["services", "*", "build", "provenance"],
        build::text_or_flag,
    ),
    (&["services", "*", "build", "sbom"], build::text_or_flag),
    (
        &["services", "*", "build", "additional_contexts"],
        build::additional_contexts,
    ),
    (&["services", "*", "build", "ssh"], build::ssh),
    (&["services", "*", "depends_on"], service::depends_on),
    (&["services", "*", "env_file"], service::env_file),
    (&["services", "*", "label_file"], service::string_or_list),
    (&["services", "*", "extends"], service::extends),
    (&["services", "*", "gpus"], device::gpus),
    (&["services", "*", "networks"], service::list_to_keys),
    (&["services", "*", "models"], service::list_to_keys),
    (&["services", "*", "volumes", "*"], volume::mount),
    (&["services", "*", "dns"], service::string_or_list),
    (&["services", "*", "devices", "*"], device::mapping),
    (&["services", "*", "secrets", "*"], service::file_reference),
    (&["services", "*", "configs", "*"], service::file_reference),
    (&["services", "*", "ports"], ports::ports),
    (
        &["services", "*", "develop", "watch", "*", "ignore"],
        service::string_or_list,
    ),
    (
        &["services", "*", "develop", "watch", "*", "include"],
        service::string_or_list,
    ),
    (&["volumes", "*"], resource::maybe_external),
    (&["networks", "*"], resource::maybe_external),
    (&["secrets", "*"], resource::maybe_external),
    (&["configs", "*"], resource::maybe_external),
];

/// Brings a whole tree into long form.
pub(crate) fn canonicalize(tree: &mut Node, context: &mut Context<'_>) {
    walk(tree, Path::ROOT, context);
    service::drop_empty_dns(tree);
}

fn walk(node: &mut Node, path: Path<'_>, context: &mut Context<'_>) {
    if let Some(transform) = path.find(TRANSFORMS) {
        transform(node, path, context);
    } else {
        walk_children(node, path, context);
    }
}

fn walk_children(node: &mut Node, path: Path<'_>, context: &mut Context<'_>) {
    match &mut node.value {
        Value::Map(map) => {
            for (key, entry) in map {
                walk(&mut entry.node, path.key(key), context);
            }
        }
        Value::Seq(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                walk(item, path.item_at(index), context);
            }
        }
        _ => {}
    }
}

/// Builds the long form of a value that was written at `span`.
struct LongForm {
    span: Span,
    map: Map,
}

impl LongForm {
    fn new(span: Span) -> Self {
        Self::with_capacity(span, 0)
    }

    /// Has room for so many attributes.
    fn with_capacity(span: Span, room: usize) -> Self {
        Self {
            span,
            map: Map::with_capacity(room),
        }
    }

    fn with(mut self, key: &str, value: Value) -> Self {
        let node = Node::new(value, self.span);
        self.insert(key, node);
        self
    }

    fn text(self, key: &str, text: impl Into<String>) -> Self {
        self.with(key, Value::Str(text.into()))
    }

    fn insert(&mut self, key: &str, node: Node) {
        let entry = Entry {
            key: self.span,
            node,
        };
        self.map.insert(key.to_owned(), entry);
    }

    fn build(self) -> Node {
        Node::new(Value::Map(self.map), self.span)
    }
}

#[cfg(test)]
mod tests;
