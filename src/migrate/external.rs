//! `external: {name: x}` → `external: true` and `name: x`.

use super::tree::{Kind, Pair, Written};
use super::{Facts, Work};

impl Work<'_> {
    /// Rewrites the external networks, volumes, secrets or configs of a document.
    pub(super) fn externals(&mut self, facts: &Facts<'_>, section: &str) {
        let Some(pair) = facts
            .root
            .pair(section)
            .filter(|_| !facts.services.contains(section))
        else {
            return;
        };
        for resource in facts.resolved(&pair.value).pairs() {
            if let Some(external) = resource.value.pair("external") {
                self.external(&resource.value, external);
            }
        }
    }

    fn external(&mut self, resource: &Written, external: &Pair) {
        let Kind::Map { pairs, .. } = &external.value.kind else {
            return;
        };
        let [name] = &pairs[..] else {
            return;
        };
        if name.name() != "name" || external.value.has_anchor() {
            return;
        }
        let value = self.raw(&name.value);
        let place = external.value.range.clone();
        let known = resource.pair("name").is_some();
        self.changed(
            &external.key,
            "`external.name` is `name` now, beside `external: true`",
        );
        if external.value.is_flow() || resource.is_flow() {
            let text = match (known, resource.is_flow()) {
                (true, _) => "true".to_owned(),
                (false, true) => format!("true, name: {value}"),
                (false, false) => {
                    let indent = self.edits.indentation(external.key.range.start);
                    self.after_line(&external.value, &format!("{indent}name: {value}"));
                    "true".to_owned()
                }
            };
            self.edits.replace(place, text);
            return;
        }
        // In block style the line of `name` stays, with its comment, one level further left.
        let indent = self.edits.indentation(external.key.range.start);
        self.edits.insert(self.colon(external), " true");
        let line = self.edits.line_start(name.key.range.start);
        if known {
            self.edits
                .remove(self.edits.lines(name.key.range.start..name.end()));
        } else {
            self.edits.replace(line..name.key.range.start, indent);
        }
    }

    /// The byte after the colon of an entry in block style.
    fn colon(&self, pair: &Pair) -> usize {
        let end = pair.key.range.end;
        let colon = self.edits.text[end..].find(':');
        colon.map_or(end, |offset| end + offset + 1)
    }

    fn after_line(&mut self, written: &Written, text: &str) {
        let next = self.edits.next_line(written.range.end.saturating_sub(1));
        let line = format!("{text}{}", self.edits.newline);
        self.edits.append(next, line);
    }
}
