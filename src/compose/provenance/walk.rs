//! Going down the merged tree and every layer side by side.

use super::layers::Layer;
use super::steps::{Step, keys};
use crate::compose::merge;
use crate::compose::node::{Directive, Entry, Node, Value};
use crate::compose::source::Span;

/// Where the walk has come to.
pub(super) struct Walk<'t> {
    /// The value of the merged tree; `None` where it has none.
    pub(super) merged: Option<&'t Node>,
    /// How many steps were gone: attributes may be finer in the model than in the files.
    pub(super) depth: usize,
    /// The layers that have a value there.
    pub(super) cursors: Vec<Cursor<'t>>,
}

/// A value in a layer.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'t> {
    /// Index of the layer.
    pub(super) layer: usize,
    /// The place of its key.
    pub(super) key: Span,
    /// The value.
    pub(super) node: &'t Node,
}

impl Cursor<'_> {
    /// Whether the value of the merged tree is this one.
    pub(super) fn is_origin_of(&self, merged: &Node) -> bool {
        self.node.span == merged.span || self.key == merged.span
    }

    /// The place to name: that of the value where it is written, else that of its key.
    pub(super) fn place(&self) -> Span {
        if self.node.is_null() || self.node.span.start == self.node.span.end {
            self.key
        } else {
            self.node.span
        }
    }
}

/// Goes down as far as the files tell values apart.
pub(super) fn walk<'t>(tree: &'t Node, layers: &'t [Layer<'t>], steps: &[Step]) -> Walk<'t> {
    let cursor = |(layer, known): (usize, &'t Layer<'t>)| Cursor {
        layer,
        key: known.document.tree.span,
        node: &known.document.tree,
    };
    let mut walk = Walk {
        merged: Some(tree),
        depth: 0,
        cursors: layers.iter().enumerate().map(cursor).collect(),
    };
    for (depth, step) in steps.iter().enumerate() {
        let keys = keys(&steps[..depth]);
        if walk.is_whole(&keys) {
            break;
        }
        walk.step(step, &keys, layers);
        walk.depth = depth + 1;
    }
    walk
}

impl Walk<'_> {
    /// Whether the value came from one layer as a whole.
    fn is_whole(&self, keys: &[&str]) -> bool {
        let scalar = |node: &Node| !matches!(node.value, Value::Map(_) | Value::Seq(_));
        let null = |node: &Node| node.is_null();
        let over = |node: &Node| scalar(node) && !null(node);
        merge::replaces(keys)
            || self.merged.is_some_and(over)
            || (self.merged.is_none()
                && !self.cursors.is_empty()
                && self.cursors.iter().all(|cursor| over(cursor.node)))
    }

    fn step(&mut self, step: &Step, keys: &[&str], layers: &[Layer<'_>]) {
        let merged = self.merged.and_then(|node| child(node, step));
        // The layer that has the element says what identifies it: in the merged tree its paths are
        // absolute already.
        let identity = merged.and_then(|merged| {
            let mut items = self.cursors.iter().flat_map(|cursor| elements(cursor.node));
            let item = items.find(|item| item.span == merged.span && same_kind(item, merged))?;
            identity(keys, item)
        });
        let mut cursors = Vec::with_capacity(self.cursors.len());
        for cursor in &self.cursors {
            let found = match step {
                Step::Key(key) if keys.len() == 1 => {
                    let key = layers[cursor.layer].name.as_deref().unwrap_or(key);
                    entry(cursor.node, key)
                }
                Step::Key(key) => entry(cursor.node, key),
                Step::Index(..) => element(cursor.node, merged, identity.as_deref(), keys),
            };
            cursors.extend(found.map(|(key, node)| Cursor {
                layer: cursor.layer,
                key,
                node,
            }));
        }
        self.merged = merged;
        self.cursors = cursors;
    }
}

/// The value in a node that a step leads to.
fn child<'t>(node: &'t Node, step: &Step) -> Option<&'t Node> {
    match (&node.value, step) {
        (_, Step::Key(key)) => entry(node, key).map(|(_, node)| node),
        (Value::Seq(items), Step::Index(index, text)) => {
            let at = items.get(*index);
            let Some(text) = text else {
                return at;
            };
            let is_it = |item: &&Node| item.as_str() == Some(text.as_str());
            // One line of `extra_hosts` may hold several addresses: its host tells.
            let has_key = |item: &&Node| {
                let host = |text: &str| text.split(['=', ':']).next().map(str::to_owned);
                item.as_str().is_some_and(|item| host(item) == host(text))
            };
            at.filter(is_it)
                .or_else(|| items.iter().find(is_it))
                .or(at)
                .or_else(|| items.iter().find(has_key))
        }
        (Value::Map(map), Step::Index(_, Some(text))) => {
            let key = text.split(['=', ':']).next().unwrap_or_default();
            map.get(key).map(|entry| &entry.node)
        }
        _ => None,
    }
}

/// The value of a key; lists of `key=value` have keys too.
fn entry<'t>(node: &'t Node, key: &str) -> Option<(Span, &'t Node)> {
    match &node.value {
        Value::Map(map) => map.get(key).map(|entry| (entry.key, &entry.node)),
        Value::Seq(items) => items
            .iter()
            .rev()
            .find(|item| {
                let rest = item.as_str().and_then(|text| text.strip_prefix(key));
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
            })
            .map(|item| (item.span, item)),
        _ => None,
    }
}

fn elements(node: &Node) -> &[Node] {
    match &node.value {
        Value::Seq(items) => items,
        _ => std::slice::from_ref(node),
    }
}

/// The element that became `merged` or that it took the place of.
fn element<'t>(
    node: &'t Node,
    merged: Option<&Node>,
    identity_of_merged: Option<&str>,
    keys: &[&str],
) -> Option<(Span, &'t Node)> {
    let merged = merged?;
    if let Value::Map(map) = &node.value {
        let same = |entry: &&Entry| entry.node.span == merged.span || entry.key == merged.span;
        return map
            .values()
            .find(same)
            .map(|entry| (entry.key, &entry.node));
    }
    let same = |item: &&Node| match identity_of_merged {
        Some(wanted) => identity(keys, item).as_deref() == Some(wanted),
        None => item.span == merged.span,
    };
    let item = elements(node).iter().rev().find(same)?;
    Some((item.span, item))
}

/// What makes an element the same as one of another layer.
fn identity(keys: &[&str], item: &Node) -> Option<String> {
    if let ["networks", _, "ipam", "config"] = keys {
        return item.get("subnet")?.as_str().map(str::to_owned);
    }
    merge::identity(keys, item)
}

/// Several elements have one place where a range of ports is written: the container port tells.
fn same_kind(item: &Node, merged: &Node) -> bool {
    match (item.get("target"), merged.get("target")) {
        (Some(item), Some(merged)) if item.span == merged.span && item.as_str().is_none() => {
            item.value == merged.value
        }
        _ => true,
    }
}

/// A directive in a layer at the path or above it, and its place.
pub(super) fn directive(layer: &Layer<'_>, steps: &[Step]) -> Option<(Directive, Span)> {
    let mut node = layer.document.raw;
    for (depth, step) in steps.iter().enumerate() {
        let Step::Key(key) = step else {
            return None;
        };
        let key = match &layer.name {
            Some(name) if depth == 1 => name,
            _ => key,
        };
        let entry = node.as_map()?.get(key)?;
        node = &entry.node;
        if let Some(directive) = node.directive {
            let place = if node.span.start == node.span.end {
                entry.key
            } else {
                node.span
            };
            return Some((directive, place));
        }
    }
    None
}
