//! The merge key `<<`: entries of other mappings that the mapping itself does not set.

use super::super::diagnostic::{Diagnostic, code};
use super::super::node::{Map, Node, Value};

/// Adds to `map` what `value`, the value of its `<<`, brings. Keys that are there already stay;
/// of several mappings the earlier wins. Gives the problem, if `value` is neither a mapping nor a
/// list of mappings.
pub(super) fn merge(map: &mut Map, value: Node) -> Option<Diagnostic> {
    match value.value {
        Value::Map(brought) => add(map, brought),
        Value::Seq(items) => {
            for item in items {
                let Value::Map(brought) = item.value else {
                    return Some(not_a_mapping(&item));
                };
                add(map, brought);
            }
        }
        _ => return Some(not_a_mapping(&value)),
    }
    None
}

fn add(map: &mut Map, brought: Map) {
    for (key, entry) in brought {
        map.entry(key).or_insert(entry);
    }
}

fn not_a_mapping(node: &Node) -> Diagnostic {
    Diagnostic::error(format!(
        "`<<` takes a mapping or a list of mappings, not {}",
        node.a_type()
    ))
    .code(code::INVALID_MERGE_KEY)
    .at(node.span)
}
