//! Walking the documents of a project.

use crate::compose::Span;
use crate::compose::node::{Node, Value};

/// What stands for an item of a list in a path, and in a pattern for any step.
pub(super) const ITEM: &str = "[]";
const ANY: &str = "*";

/// A node on its way: its path from the root, the place of its key (its own in a list), itself.
pub(super) struct Visit<'p, 'a> {
    /// Keys from the root; [`ITEM`] for an item of a list.
    pub(super) path: &'p [&'a str],
    /// The place of its key; its own where it is an item of a list.
    pub(super) key: Span,
    /// The node.
    pub(super) node: &'a Node,
}

impl Visit<'_, '_> {
    /// Whether the path is one of these, where `*` is any step.
    pub(super) fn is_any(&self, patterns: &[&[&str]]) -> bool {
        patterns.iter().any(|pattern| matches(pattern, self.path))
    }
}

fn matches(pattern: &[&str], path: &[&str]) -> bool {
    pattern.len() == path.len()
        && pattern
            .iter()
            .zip(path)
            .all(|(wanted, step)| *wanted == ANY || wanted == step)
}

/// Calls `each` with every node below the root, parents first.
pub(super) fn walk<'a>(document: &'a Node, each: &mut dyn FnMut(&Visit<'_, 'a>)) {
    let mut path = Vec::new();
    children(document, &mut path, each);
}

fn children<'a>(node: &'a Node, path: &mut Vec<&'a str>, each: &mut dyn FnMut(&Visit<'_, 'a>)) {
    match &node.value {
        Value::Map(map) => {
            for (key, entry) in map {
                path.push(key);
                step(&entry.node, entry.key, path, each);
                path.pop();
            }
        }
        Value::Seq(items) => {
            path.push(ITEM);
            for item in items {
                step(item, item.span, path, each);
            }
            path.pop();
        }
        _ => {}
    }
}

fn step<'a>(
    node: &'a Node,
    key: Span,
    path: &mut Vec<&'a str>,
    each: &mut dyn FnMut(&Visit<'_, 'a>),
) {
    each(&Visit { path, key, node });
    children(node, path, each);
}
