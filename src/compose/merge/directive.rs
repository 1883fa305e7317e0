//! `!reset` and `!override`.

use std::collections::HashMap;

use crate::compose::node::{Directive, Node, Value};

/// The places of a document that carry a directive: what earlier documents say there is
/// dropped before merging.
#[derive(Debug, Clone, Default)]
pub(crate) struct Directives {
    cut: bool,
    below: HashMap<String, Directives>,
}

impl Directives {
    /// Collects the directives of `node` and takes them out: values to be reset are removed,
    /// values that override stay as plain values.
    pub(crate) fn take(node: &mut Node) -> Self {
        let mut found = Self {
            cut: node.directive.take().is_some(),
            below: HashMap::new(),
        };
        match &mut node.value {
            Value::Map(map) => map.retain(|key, entry| {
                let reset = entry.node.directive == Some(Directive::Reset);
                let inner = Self::take(&mut entry.node);
                if !inner.is_empty() {
                    found.below.insert(key.clone(), inner);
                }
                !reset
            }),
            Value::Seq(items) => {
                items.retain(|item| item.directive != Some(Directive::Reset));
                for item in items {
                    Self::take(item);
                }
            }
            _ => {}
        }
        found
    }

    /// Removes from `base` what the directives name.
    pub(crate) fn apply(&self, base: &mut Node) {
        let Value::Map(map) = &mut base.value else {
            return;
        };
        for (key, directives) in &self.below {
            if directives.cut {
                map.shift_remove(key);
            } else if let Some(entry) = map.get_mut(key) {
                directives.apply(&mut entry.node);
            }
        }
    }

    /// The directives below a place.
    pub(crate) fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter()
            .try_fold(self, |found, key| found.below.get(*key))
    }

    fn is_empty(&self) -> bool {
        !self.cut && self.below.is_empty()
    }
}
