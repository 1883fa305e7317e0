//! `build` and its attributes.

use super::{Context, LongForm, walk_children};
use crate::compose::diagnostic::{Diagnostic, code};
use crate::compose::node::{Entry, Map, Node, Value};
use crate::compose::path::Path;

/// `build: folder`.
pub(super) fn build(node: &mut Node, path: Path<'_>, context: &mut Context<'_>) {
    if let Some(text) = node.as_str() {
        *node = LongForm::new(node.span).text("context", text).build();
    } else {
        walk_children(node, path, context);
    }
}

/// `provenance` and `sbom`: a flag is text.
pub(super) fn text_or_flag(node: &mut Node, _: Path<'_>, _: &mut Context<'_>) {
    if let Value::Bool(flag) = node.value {
        node.value = Value::Str(flag.to_string());
    }
}

/// `additional_contexts: [name=context]`.
pub(super) fn additional_contexts(node: &mut Node, path: Path<'_>, context: &mut Context<'_>) {
    let Some(items) = node.as_seq() else {
        return;
    };
    let mut map = Map::new();
    for item in items {
        let Some(text) = item.as_str() else {
            return;
        };
        let Some((name, value)) = text.split_once('=') else {
            if !context.lenient {
                context.problems.push(
                    Diagnostic::error(format!("\"{text}\" in {path} names no context"))
                        .code(code::INVALID_VALUE)
                        .path(path.to_string())
                        .at(item.span)
                        .help("write it as name=context"),
                );
                continue;
            }
            return;
        };
        let entry = Entry {
            key: item.span,
            node: Node::str(value, item.span),
        };
        map.insert(name.to_owned(), entry);
    }
    node.value = Value::Map(map);
}

/// `ssh: [default, id=path]`.
pub(super) fn ssh(node: &mut Node, _: Path<'_>, context: &mut Context<'_>) {
    let Some(items) = node.as_seq() else {
        return;
    };
    let mut map = Map::new();
    for item in items {
        let Some(text) = item.as_str() else {
            return;
        };
        let (id, value) = match text.split_once('=') {
            Some((id, path)) => (id, Value::Str(path.to_owned())),
            None => (text, Value::Null),
        };
        if matches!(value, Value::Null) && id != "default" {
            context.problems.push(
                Diagnostic::error(format!("ssh key \"{text}\" has no path"))
                    .code(code::INVALID_VALUE)
                    .at(item.span)
                    .help("write it as id=path, or `default` for the agent"),
            );
            continue;
        }
        let entry = Entry {
            key: item.span,
            node: Node::new(value, item.span),
        };
        map.insert(id.to_owned(), entry);
    }
    node.value = Value::Map(map);
}
