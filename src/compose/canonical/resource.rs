//! Top-level networks, volumes, secrets and configs.

use super::{Context, walk_children};
use crate::compose::diagnostic::{Diagnostic, code};
use crate::compose::node::{Entry, Node, Value};
use crate::compose::path::Path;

/// `external: {name: x}` stands for `name: x` and `external: true`.
pub(super) fn maybe_external(node: &mut Node, path: Path<'_>, context: &mut Context<'_>) {
    walk_children(node, path, context);
    let Some(resource) = node.as_map_mut() else {
        return;
    };
    let Some(external) = resource.get_mut("external") else {
        return;
    };
    let span = external.node.span;
    let Value::Map(details) = &external.node.value else {
        return;
    };
    let Some(old_name) = details.get("name").map(|entry| entry.node.clone()) else {
        external.node = Node::new(Value::Bool(true), span);
        return;
    };
    external.node = Node::new(Value::Bool(true), span);
    context.problems.push(
        Diagnostic::warning(format!("{path}: `external.name` is deprecated"))
            .code(code::OBSOLETE_ATTRIBUTE)
            .path(path.to_string())
            .at(old_name.span)
            .help("set `name` and `external: true`"),
    );
    match resource.get("name") {
        None => {
            let entry = Entry {
                key: span,
                node: old_name,
            };
            resource.insert("name".into(), entry);
        }
        Some(name) if name.node.value != old_name.value => {
            context.problems.push(
                Diagnostic::error(format!("{path}: `name` and `external.name` differ"))
                    .code(code::CONFLICTING_ATTRIBUTES)
                    .path(path.to_string())
                    .at(name.node.span)
                    .related(old_name.span, "`external.name`")
                    .help("keep only `name`"),
            );
        }
        Some(_) => {}
    }
}
