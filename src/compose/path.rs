//! A place in the tree as keys from the root, and patterns that match such places.

use std::fmt;

use super::node::{Node, Value};

/// The part of a [`Path`] that stands for an element of a sequence.
pub(crate) const ITEM: &str = "[]";

/// A pattern: one part per level, `*` matching any key or element.
pub(crate) type Pattern = &'static [&'static str];

/// Keys from the root to a node. Lives on the stack of the walk that builds it.
#[derive(Clone, Copy)]
pub(crate) struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    key: &'a str,
    /// The number of an element of a sequence, where it is known.
    index: Option<usize>,
    depth: usize,
}

impl<'a> Path<'a> {
    /// The root of the tree.
    pub(crate) const ROOT: Path<'static> = Path {
        parent: None,
        key: "",
        index: None,
        depth: 0,
    };

    /// The place of `key` below this one.
    pub(crate) fn key(&'a self, key: &'a str) -> Path<'a> {
        Path {
            parent: Some(self),
            key,
            index: None,
            depth: self.depth + 1,
        }
    }

    /// The place of an element of the sequence here.
    pub(crate) fn item(&'a self) -> Path<'a> {
        self.key(ITEM)
    }

    /// The place of the element of the sequence here that has this number.
    pub(crate) fn item_at(&'a self, index: usize) -> Path<'a> {
        Path {
            index: Some(index),
            ..self.item()
        }
    }

    /// Whether every part matches.
    pub(crate) fn matches(&self, pattern: &[&str]) -> bool {
        if self.depth != pattern.len() {
            return false;
        }
        let mut place = self;
        for part in pattern.iter().rev() {
            if *part != "*" && *part != place.key {
                return false;
            }
            let Some(parent) = place.parent else {
                return true;
            };
            place = parent;
        }
        true
    }

    /// The value of the first entry whose pattern matches.
    pub(crate) fn find<T: Copy>(&self, table: &[(Pattern, T)]) -> Option<T> {
        table
            .iter()
            .find(|(pattern, _)| self.matches(pattern))
            .map(|(_, value)| *value)
    }
}

/// Calls `use_path` with the place of these keys below `path`.
pub(crate) fn with<T>(path: Path<'_>, keys: &[&str], use_path: impl FnOnce(Path<'_>) -> T) -> T {
    match keys.split_first() {
        Some((key, rest)) => with(path.key(key), rest, use_path),
        None => use_path(path),
    }
}

/// Hands every node below `node` (which is at `path`) whose path is in the table to `apply`, with the
/// table's value; what is inside such a node is not looked at.
pub(crate) fn for_each<T: Copy>(
    node: &mut Node,
    path: Path<'_>,
    table: &[(Pattern, T)],
    apply: fn(&mut Node, T),
) {
    if let Some(value) = path.find(table) {
        apply(node, value);
        return;
    }
    match &mut node.value {
        Value::Map(map) => {
            for (key, entry) in map {
                for_each(&mut entry.node, path.key(key), table, apply);
            }
        }
        Value::Seq(items) => {
            for item in items {
                for_each(item, path.item(), table, apply);
            }
        }
        _ => {}
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(parent) = self.parent else {
            return Ok(());
        };
        parent.fmt(out)?;
        match (self.key, self.index, parent.depth) {
            (ITEM, Some(index), _) => write!(out, "[{index}]"),
            (ITEM, None, _) => out.write_str(ITEM),
            (key, _, 0) => out.write_str(key),
            (key, _, _) => write!(out, ".{key}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_by_level() {
        let root = Path::ROOT;
        let services = root.key("services");
        let web = services.key("web");
        let ports = web.key("ports");
        let item = ports.item();
        assert!(ports.matches(&["services", "*", "ports"]));
        assert!(item.matches(&["services", "*", "ports", "*"]));
        assert!(!ports.matches(&["services", "*"]));
        assert!(!ports.matches(&["services", "*", "volumes"]));
        assert_eq!(item.to_string(), "services.web.ports[]");
        assert_eq!(ports.item_at(2).to_string(), "services.web.ports[2]");
    }
}
