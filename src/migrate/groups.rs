//! Attributes that belong together now: `build` and `dockerfile`, `log_driver` and `log_opt`.

use super::Work;
use super::edit::indented;
use super::tree::{Kind, Pair, Written};

/// What becomes one attribute: its name, and the old names with the new ones inside it.
struct Group {
    name: &'static str,
    parts: &'static [(&'static str, &'static str)],
}

const BUILD: Group = Group {
    name: "build",
    parts: &[("build", "context"), ("dockerfile", "dockerfile")],
};

const LOGGING: Group = Group {
    name: "logging",
    parts: &[("log_driver", "driver"), ("log_opt", "options")],
};

impl Work<'_> {
    /// `dockerfile` goes into `build`.
    pub(super) fn build(&mut self, body: &Written) {
        let Some(dockerfile) = body.pair("dockerfile") else {
            return;
        };
        let build = body.pair("build").map(|pair| &pair.value.kind);
        match build {
            None | Some(Kind::Scalar(_)) => {
                self.group(body, &BUILD);
                self.changed(&dockerfile.key, "`dockerfile` is part of `build` now");
            }
            Some(_) => {
                self.warn(
                    &dockerfile.key,
                    "`dockerfile` beside a `build` with attributes means nothing now",
                    "put it into `build`",
                );
                self.comment_out(body, dockerfile, "belongs into `build`:");
            }
        }
    }

    /// `log_driver` and `log_opt` become `logging`.
    pub(super) fn logging(&mut self, body: &Written) {
        let old = body
            .pairs()
            .iter()
            .find(|pair| matches!(pair.name(), "log_driver" | "log_opt"));
        let Some(old) = old else {
            return;
        };
        if body.pair("logging").is_some() {
            self.warn(
                &old.key,
                format!("`{}` beside `logging` means nothing now", old.name()),
                "put it into `logging`",
            );
            for name in ["log_driver", "log_opt"] {
                if let Some(pair) = body.pair(name) {
                    self.comment_out(body, pair, "belongs into `logging`:");
                }
            }
            return;
        }
        self.group(body, &LOGGING);
        self.changed(&old.key, "`log_driver` and `log_opt` are `logging` now");
    }

    /// Puts the parts that are there into one attribute, at the place of the first of them.
    fn group(&mut self, body: &Written, group: &Group) {
        let new_name = |pair: &Pair| {
            let part = group.parts.iter().find(|(old, _)| *old == pair.name());
            part.map(|(_, new)| *new)
        };
        let mut parts: Vec<(&Pair, &str)> = body
            .pairs()
            .iter()
            .filter_map(|pair| Some((pair, new_name(pair)?)))
            .collect();
        let Some((place, _)) = parts.first().copied() else {
            return;
        };
        let order = |name: &str| group.parts.iter().position(|(_, new)| *new == name);
        parts.sort_by_key(|(_, name)| order(name));
        for (pair, _) in &parts {
            if pair.key.range != place.key.range {
                self.remove_entry(body, pair);
            }
        }
        if body.is_flow() {
            let entries: Vec<String> = parts
                .iter()
                .map(|(pair, name)| format!("{name}: {}", self.raw(&pair.value)))
                .collect();
            let text = format!("{}: {{{}}}", group.name, entries.join(", "));
            self.edits.replace(place.key.range.start..place.end(), text);
            return;
        }
        let indent = self.edits.indentation(place.key.range.start);
        let mut text = format!("{indent}{}:{}", group.name, self.edits.newline);
        for (pair, name) in &parts {
            let lines = self.edits.lines(pair.key.range.start..pair.end());
            let before = &self.edits.text[lines.start..pair.key.range.start];
            let after = &self.edits.text[pair.key.range.end..lines.end];
            text.push_str(&indented(
                &format!("{before}{name}{after}"),
                &" ".repeat(self.unit),
            ));
        }
        let lines = self.edits.lines(place.key.range.start..place.end());
        self.edits.replace(lines, text);
    }
}
