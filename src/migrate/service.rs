//! The attributes of one service.

use super::tree::{Pair, Written};
use super::volumes::Wanted;
use super::{Facts, Work};

impl Work<'_> {
    /// Rewrites a mapping of attributes, but for its links.
    pub(super) fn service(&mut self, facts: &Facts<'_>, body: &Written, wanted: &mut Wanted) {
        self.build(body);
        self.logging(body);
        self.net(facts, body);
        self.volume_driver(facts, body, wanted);
        if facts.first {
            self.volumes_from(facts, body);
            self.external_links(body);
        }
    }

    /// `net` → `network_mode`.
    fn net(&mut self, facts: &Facts<'_>, body: &Written) {
        let Some(pair) = body.pair("net") else {
            return;
        };
        if body.pair("network_mode").is_some() {
            self.warn(
                &pair.key,
                "`net` beside `network_mode` means nothing now",
                "remove it",
            );
            self.comment_out(body, pair, "replaced by `network_mode`:");
            return;
        }
        self.edits.replace(pair.key.range.clone(), "network_mode");
        let other = pair
            .value
            .text()
            .and_then(|text| text.strip_prefix("container:"));
        match other.filter(|name| facts.services.contains(name)) {
            Some(name) => {
                self.replace_in(pair, "container:", "service:");
                self.changed(
                    &pair.key,
                    format!("`net` is `network_mode` now, and {name} is a service of this file"),
                );
            }
            None => self.changed(&pair.key, "`net` is `network_mode` now"),
        }
    }

    fn replace_in(&mut self, pair: &Pair, old: &str, new: &str) {
        let raw = self.raw(&pair.value);
        if let Some(offset) = raw.find(old) {
            let start = pair.value.range.start + offset;
            self.edits.replace(start..start + old.len(), new);
        }
    }

    /// A container that is no service of the file is called `container:NAME`.
    fn volumes_from(&mut self, facts: &Facts<'_>, body: &Written) {
        let Some(pair) = body.pair("volumes_from") else {
            return;
        };
        for item in pair.value.items() {
            let Some(text) = item.text() else {
                continue;
            };
            let name = text.split(':').next().unwrap_or_default();
            if facts.services.contains(name) || name == "container" || text.contains('$') {
                continue;
            }
            let at = item.range.start + self.raw(item).find(text).unwrap_or_default();
            self.edits.insert(at, "container:");
            self.changed(
                item,
                format!("{name} is no service of this file: `container:{name}`"),
            );
        }
    }

    /// These still exist, but both containers have to share a network.
    fn external_links(&mut self, body: &Written) {
        let Some(pair) = body.pair("external_links") else {
            return;
        };
        self.warn(
            &pair.key,
            "`external_links` works only where both containers share a network: services are on one of their own now",
            "name a network of the other container under `networks`, with `external: true`",
        );
        if !body.is_flow() {
            let indent = self.edits.indentation(pair.key.range.start);
            let line = self.edits.line_start(pair.key.range.start);
            let newline = self.edits.newline;
            self.edits.insert(
                line,
                format!("{indent}# external_links: the containers have to share a network, see `networks`{newline}"),
            );
        }
    }
}
