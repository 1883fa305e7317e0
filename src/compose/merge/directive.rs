//! `!reset` and `!override`.

use std::collections::HashMap;

use crate::compose::node::{Directive, Node, Value};
use crate::compose::source::Span;

/// The places of a document that carry a directive: what earlier documents say there is
/// dropped before merging.
#[derive(Debug, Clone, Default)]
pub(crate) struct Directives {
    /// Where the directive stands, if there is one here.
    cut: Option<Span>,
    below: HashMap<String, Directives>,
}

impl Directives {
    /// Collects the directives of `node` and takes them out: values to be reset are removed,
    /// values that override stay as plain values.
    pub(crate) fn take(node: &mut Node) -> Self {
        let mut found = Self {
            cut: node.directive.take().map(|_| node.span),
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
            if directives.cut.is_some() {
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

    /// The top-level sections, and what is in them, that a directive takes out: paths such as
    /// `services.web`, each with the place of its directive.
    pub(crate) fn cuts(&self) -> Vec<(String, Span)> {
        let mut cuts = Vec::new();
        for (section, inner) in &self.below {
            cuts.extend(inner.cut.map(|span| (section.clone(), span)));
            for (name, inner) in &inner.below {
                cuts.extend(inner.cut.map(|span| (format!("{section}.{name}"), span)));
            }
        }
        cuts
    }

    fn is_empty(&self) -> bool {
        self.cut.is_none() && self.below.is_empty()
    }
}
