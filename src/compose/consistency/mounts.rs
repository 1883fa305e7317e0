//! Mounts and watched files.

use std::collections::BTreeMap;

use super::Checker;
use crate::compose::diagnostic::{Diagnostic, code};
use crate::compose::model::WatchAction;
use crate::compose::node::Node;
use crate::compose::source::Span;

impl Checker<'_> {
    /// No two mounts have the same place in the container.
    pub(super) fn mounts(&mut self) {
        let service = self.service;
        let mut taken: BTreeMap<&str, Span> = BTreeMap::new();
        let tmpfs = service.tmpfs.iter().enumerate().map(|(index, text)| {
            let target = text.split(':').next().unwrap_or_default();
            (target, self.item_span(&["tmpfs"], index, "", target))
        });
        let volumes = service.volumes.iter().enumerate().map(|(index, mount)| {
            let target = mount.target.as_deref().unwrap_or_default();
            (
                target,
                self.item_span(&["volumes"], index, "target", target),
            )
        });
        let all: Vec<(&str, Span)> = tmpfs.chain(volumes).collect();
        for (target, span) in all {
            let Some(other) = taken.insert(target, span) else {
                continue;
            };
            self.problems.push(
                Diagnostic::error(format!(
                    "service \"{}\" mounts two things at {target}",
                    self.name
                ))
                .code(code::DUPLICATE_MOUNT)
                .at(span)
                .related(other, "the other mount")
                .help("keep one of them"),
            );
        }
    }

    pub(super) fn watch(&mut self) {
        let Some(develop) = &self.service.develop else {
            return;
        };
        for (index, trigger) in develop.watch.iter().enumerate() {
            let path = ["services", self.name, "develop", "watch"];
            let item = self.project.tree.at(&path).and_then(Node::as_seq);
            let item = item.and_then(|items| items.get(index));
            if item.is_some_and(|item| item.get("action").is_none()) {
                // Which has been said.
                continue;
            }
            let needs_target =
                !matches!(trigger.action, WatchAction::Rebuild | WatchAction::Restart);
            if needs_target && trigger.target.as_deref().unwrap_or_default().is_empty() {
                let span = self.item_span(
                    &["develop", "watch"],
                    index,
                    "action",
                    trigger.action.as_str(),
                );
                self.problems.push(
                    Diagnostic::error(format!(
                        "watching with {} needs a target (service \"{}\")",
                        trigger.action.as_str(),
                        self.name
                    ))
                    .code(code::MISSING_ATTRIBUTE)
                    .path(self.path(&[&format!("develop.watch[{index}]"), "target"]))
                    .at(span)
                    .help("set `target` to a path in the container"),
                );
            }
        }
    }
}
