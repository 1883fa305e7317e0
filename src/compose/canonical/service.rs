//! Short forms of a service's attributes.

use super::{Context, LongForm};
use crate::compose::diagnostic::{Diagnostic, code};
use crate::compose::node::{Entry, Map, Node, Value};
use crate::compose::path::Path;

/// One text stands for a list of one.
pub(super) fn string_or_list(node: &mut Node, _: Path<'_>, _: &mut Context<'_>) {
    if node.as_str().is_some() {
        let item = node.clone();
        node.value = Value::Seq(vec![item]);
    }
}

/// `[a, b]` stands for `{a: null, b: null}`.
pub(super) fn list_to_keys(node: &mut Node, path: Path<'_>, context: &mut Context<'_>) {
    keyed(node, path, context, |item| {
        Node::new(Value::Null, item.span)
    });
}

/// `[a, b]` stands for a mapping of started, required dependencies.
pub(super) fn depends_on(node: &mut Node, path: Path<'_>, context: &mut Context<'_>) {
    keyed(node, path, context, |item| {
        LongForm::new(item.span)
            .text("condition", "service_started")
            .with("required", Value::Bool(true))
            .build()
    });
    let Some(map) = node.as_map_mut() else {
        return;
    };
    for entry in map.values_mut() {
        let span = entry.node.span;
        let Some(dependency) = entry.node.as_map_mut() else {
            continue;
        };
        if !dependency.contains_key("required") {
            let node = Node::new(Value::Bool(true), span);
            dependency.insert("required".into(), Entry { key: span, node });
        }
    }
}

/// Turns a list of names into a mapping; a name that comes twice is reported.
fn keyed(
    node: &mut Node,
    path: Path<'_>,
    context: &mut Context<'_>,
    value: impl Fn(&Node) -> Node,
) {
    let Some(items) = node.as_seq() else {
        return;
    };
    if items.iter().any(|item| item.as_str().is_none()) {
        return;
    }
    let mut map = Map::with_capacity(items.len());
    for item in items {
        let key = item.as_str().unwrap_or_default();
        let entry = Entry {
            key: item.span,
            node: value(item),
        };
        if map.insert(key.to_owned(), entry).is_some() {
            let problem = Diagnostic::error(format!("{path} contains \"{key}\" twice"))
                .code(code::DUPLICATE_ITEM)
                .path(path.to_string());
            context.problems.push(problem.at(item.span));
        }
    }
    node.value = Value::Map(map);
}

/// `env_file: path` and `env_file: [path]`.
pub(super) fn env_file(node: &mut Node, path: Path<'_>, context: &mut Context<'_>) {
    string_or_list(node, path, context);
    let Value::Seq(items) = &mut node.value else {
        return;
    };
    for item in items {
        if let Some(text) = item.as_str() {
            *item = LongForm::new(item.span)
                .text("path", text)
                .with("required", Value::Bool(true))
                .build();
        } else if let Value::Map(map) = &mut item.value {
            let span = item.span;
            map.entry("required".into()).or_insert_with(|| Entry {
                key: span,
                node: Node::new(Value::Bool(true), span),
            });
        }
    }
}

/// `extends: service`.
pub(super) fn extends(node: &mut Node, _: Path<'_>, _: &mut Context<'_>) {
    if let Some(text) = node.as_str() {
        *node = LongForm::new(node.span).text("service", text).build();
    }
}

/// `secrets: [name]` and `configs: [name]`.
pub(super) fn file_reference(node: &mut Node, _: Path<'_>, _: &mut Context<'_>) {
    if let Some(text) = node.as_str() {
        *node = LongForm::new(node.span).text("source", text).build();
    }
}

/// Empty entries of `dns` do not count.
pub(super) fn drop_empty_dns(tree: &mut Node) {
    let Some(services) = tree
        .as_map_mut()
        .and_then(|map| map.get_mut("services"))
        .and_then(|entry| entry.node.as_map_mut())
    else {
        return;
    };
    for service in services.values_mut() {
        let dns = service
            .node
            .as_map_mut()
            .and_then(|map| map.get_mut("dns"))
            .map(|entry| &mut entry.node.value);
        if let Some(Value::Seq(items)) = dns {
            items.retain(|item| !item.is_null() && item.as_str() != Some(""));
        }
    }
}
