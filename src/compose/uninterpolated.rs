//! Types in a tree whose variables were left as they are written.

use std::collections::{BTreeMap, BTreeSet};

use super::canonical;
use super::decode;
use super::interpolate::{Interpolation, Unset};
use super::loader::Loader;
use super::node::{Node, Value};

/// Reports wrong types, except where a variable stands: its value decides.
pub(crate) fn check(loader: &mut Loader<'_>, tree: &Node, environment: &BTreeMap<String, String>) {
    if loader.options.interpolate {
        return;
    }
    let mut probe = tree.clone();
    // What goes wrong with variables is no matter here.
    let mut ignored = Vec::new();
    Interpolation {
        sources: &loader.sources,
        lookup: &|name| environment.get(name).cloned(),
        unset: &mut Unset::default(),
        problems: &mut ignored,
        budget: &mut crate::compose::budget::Budget::new(),
    }
    .tree(&mut probe);
    canonical::canonicalize(
        &mut probe,
        &mut canonical::Context {
            lenient: true,
            problems: &mut ignored,
            budget: &mut crate::compose::budget::Budget::new(),
        },
    );
    let mut context = decode::Context::new();
    let _ = decode::project(&probe, &mut context);
    let mut variables = BTreeSet::new();
    collect(tree, &mut variables);
    context.diagnostics.retain(|problem| {
        problem
            .span
            .is_none_or(|span| !variables.contains(&(span.source, span.start)))
    });
    loader.problems.append(&mut context.diagnostics);
}

/// The places of texts with variables.
fn collect(node: &Node, places: &mut BTreeSet<(super::source::SourceId, u32)>) {
    match &node.value {
        Value::Str(text) if text.contains('$') => {
            places.insert((node.span.source, node.span.start));
        }
        Value::Map(map) => {
            for entry in map.values() {
                collect(&entry.node, places);
            }
        }
        Value::Seq(items) => {
            for item in items {
                collect(item, places);
            }
        }
        _ => {}
    }
}
