//! The variables that a project's files use, for `config --variables`.

use std::collections::BTreeMap;

use super::node::{Node, Value};
use super::template;

/// A variable and what its uses say of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Variable {
    /// Value taken where the variable is unset; empty where none is given.
    pub default: String,
    /// Text that replaces the variable where it is set; empty where none is given.
    pub alternate: String,
    /// Whether loading fails without it.
    pub required: bool,
}

/// The variables in every text of a tree that was loaded without interpolation, by name.
/// Where uses differ, the last in the order of the tree counts.
pub fn variables(tree: &Node) -> BTreeMap<String, Variable> {
    let mut found = BTreeMap::new();
    collect(tree, &mut found);
    found
}

fn collect(node: &Node, found: &mut BTreeMap<String, Variable>) {
    match &node.value {
        Value::Str(text) if text.contains('$') => {
            for used in template::variables(text) {
                let variable = Variable {
                    default: used.default.unwrap_or_default(),
                    alternate: used.alternate.unwrap_or_default(),
                    required: used.required,
                };
                found.insert(used.name, variable);
            }
        }
        Value::Map(map) => {
            for entry in map.values() {
                collect(&entry.node, found);
            }
        }
        Value::Seq(items) => {
            for item in items {
                collect(item, found);
            }
        }
        _ => {}
    }
}
