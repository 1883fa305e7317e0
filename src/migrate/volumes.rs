//! Named volumes, which have to be declared now, and `volume_driver`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::tree::{Pair, Written};
use super::{Facts, Work};
use crate::compose::is_bind_source;

/// Volumes to declare, keyed by name, with the raw text of their driver.
#[derive(Debug, Default)]
pub(super) struct Wanted(BTreeMap<String, Option<String>>);

impl Work<'_> {
    /// Collects the named volumes of a service, and takes `volume_driver` out.
    pub(super) fn volume_driver(&mut self, facts: &Facts<'_>, body: &Written, wanted: &mut Wanted) {
        let driver = body.pair("volume_driver");
        let names: Vec<&str> = if facts.first { named(body) } else { Vec::new() };
        let raw = driver.map(|pair| self.raw(&pair.value).to_owned());
        for name in &names {
            let known = wanted.0.entry((*name).to_owned()).or_default();
            if known.is_none() {
                known.clone_from(&raw);
            }
        }
        let Some(pair) = driver else {
            return;
        };
        if names.is_empty() {
            self.warn(
                &pair.key,
                "`volume_driver` no longer exists",
                "set `driver` on the volumes at the top level; anonymous volumes always use the default driver",
            );
            self.comment_out(
                body,
                pair,
                "set `driver` on the volumes at the top level instead:",
            );
        } else {
            self.remove_entry(body, pair);
            self.changed(
                &pair.key,
                "`volume_driver` is the `driver` of the volumes now",
            );
        }
    }

    /// Declares named volumes at the end of the document, under the names they have on the engine.
    pub(super) fn declare_volumes(&mut self, facts: &Facts<'_>, wanted: &Wanted) {
        let declared = facts
            .root
            .pair("volumes")
            .filter(|_| !facts.services.contains("volumes"));
        let missing: Vec<(&String, &Option<String>)> = wanted
            .0
            .iter()
            .filter(|(name, _)| declared.is_none_or(|pair| pair.value.pair(name).is_none()))
            .collect();
        let Some(last) = facts.root.pairs().last().filter(|_| !missing.is_empty()) else {
            return;
        };
        let names: Vec<&str> = missing.iter().map(|(name, _)| name.as_str()).collect();
        if declared.is_some() || facts.services.contains("volumes") {
            self.warn(
                &last.key,
                format!("the volumes {} have to be declared", names.join(", ")),
                "add them to the top-level `volumes`",
            );
            return;
        }
        let place = facts
            .root
            .pairs()
            .first()
            .map_or(facts.root, |pair| &pair.key);
        self.changed(
            place,
            format!(
                "declared the named volumes {}, under the names they have on the engine",
                names.join(", ")
            ),
        );
        if facts.root.is_flow() {
            let entries: Vec<String> = missing
                .iter()
                .map(|(name, driver)| {
                    let driver = driver.as_ref().map(|driver| format!(", driver: {driver}"));
                    format!("{name}: {{name: {name}{}}}", driver.unwrap_or_default())
                })
                .collect();
            let text = format!(", volumes: {{{}}}", entries.join(", "));
            // Inside the outer braces, behind those that are put around the services.
            self.outer_entries = text;
            return;
        }
        let newline = self.edits.newline;
        let step = " ".repeat(self.unit);
        let mut text = format!("{newline}volumes:{newline}");
        for (name, driver) in missing {
            let _ = write!(
                text,
                "{step}{name}:{newline}{step}{step}name: {name}{newline}"
            );
            if let Some(driver) = driver {
                let _ = write!(text, "{step}{step}driver: {driver}{newline}");
            }
        }
        let end = self.tail(last.end());
        self.edits.insert_outside(end, text);
    }
}

/// The sources of mounts that are names of volumes.
fn named(body: &Written) -> Vec<&str> {
    let volumes = body.pair("volumes").map(|pair: &Pair| pair.value.items());
    let texts = volumes.into_iter().flatten().filter_map(Written::text);
    texts
        .filter_map(|text| {
            let (source, _) = text.split_once(':')?;
            let is_name = !source.is_empty() && !source.contains('$') && !is_bind_source(text);
            is_name.then_some(source)
        })
        .collect()
}
