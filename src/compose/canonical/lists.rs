//! Lists of `key=value` → mappings.

use super::super::node::{Entry, Map, Node, Value};
use super::super::path::{self, Path, Pattern};

/// What a key without `=` means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bare {
    /// A variable to be taken from the environment.
    Null,
    /// An empty text.
    Empty,
}

const LISTS: &[(Pattern, Bare)] = &[
    (&["services", "*", "environment"], Bare::Null),
    (&["services", "*", "build", "args"], Bare::Null),
    (
        &["services", "*", "post_start", "*", "environment"],
        Bare::Null,
    ),
    (
        &["services", "*", "pre_start", "*", "environment"],
        Bare::Null,
    ),
    (
        &["services", "*", "pre_stop", "*", "environment"],
        Bare::Null,
    ),
    (
        &[
            "services",
            "*",
            "develop",
            "watch",
            "*",
            "exec",
            "environment",
        ],
        Bare::Null,
    ),
    (&["services", "*", "labels"], Bare::Empty),
    (&["services", "*", "annotations"], Bare::Empty),
    (&["services", "*", "sysctls"], Bare::Empty),
    (&["services", "*", "build", "labels"], Bare::Empty),
    (&["services", "*", "deploy", "labels"], Bare::Empty),
    (
        &["services", "*", "volumes", "*", "volume", "labels"],
        Bare::Empty,
    ),
    (&["volumes", "*", "labels"], Bare::Empty),
    (&["networks", "*", "labels"], Bare::Empty),
    (&["secrets", "*", "labels"], Bare::Empty),
    (&["configs", "*", "labels"], Bare::Empty),
];

/// Turns every list of `key=value` in a tree in long form into a mapping.
pub(crate) fn expand(tree: &mut Node) {
    path::for_each(tree, Path::ROOT, LISTS, to_map);
}

fn to_map(node: &mut Node, bare: Bare) {
    let Some(items) = node.as_seq() else {
        return;
    };
    if items.iter().any(|item| item.as_str().is_none()) {
        return;
    }
    let mut map = Map::new();
    for item in items {
        let text = item.as_str().unwrap_or_default();
        let (key, value) = match text.split_once('=') {
            Some((key, value)) => (key, Value::Str(value.to_owned())),
            None if bare == Bare::Null => (text, Value::Null),
            None => (text, Value::Str(String::new())),
        };
        let entry = Entry {
            key: item.span,
            node: Node::new(value, item.span),
        };
        map.insert(key.to_owned(), entry);
    }
    node.value = Value::Map(map);
}
