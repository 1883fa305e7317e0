//! `links` → `depends_on`, and a network alias on the linked service where the link has a name of
//! its own.
//!
//! Services of a project reach each other by name, so that a link adds only an order and, maybe,
//! another name. The name goes to the linked service if it means the same for all; otherwise the
//! link stays, which today's format still knows.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::ops::Range;

use super::tree::{Kind, Pair, Written};
use super::{Facts, Work, bodies};
use crate::compose::node::Node;

/// Attributes with which a service is not on the default network alone.
const OTHER_NETWORKS: [&str; 3] = ["networks", "network_mode", "net"];

/// One element of `links`.
struct Link<'d> {
    written: &'d Written,
    target: &'d str,
    alias: Option<&'d str>,
}

impl<'d> Link<'d> {
    fn read(written: &'d Written) -> Option<Self> {
        let text = written.text()?;
        let (target, alias) = match text.split_once(':') {
            Some((target, alias)) => (target, Some(alias)),
            None => (text, None),
        };
        Some(Self {
            written,
            target,
            alias: alias.filter(|alias| *alias != target),
        })
    }
}

/// Aliases that mean one service throughout the file, keyed by alias.
type Aliases<'d> = BTreeMap<&'d str, &'d str>;

impl Work<'_> {
    /// Rewrites the links of all services of a document.
    pub(super) fn links(&mut self, facts: &Facts<'_>) {
        let aliases = aliases(facts);
        let mut used: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        let mut any = None;
        for body in bodies(facts) {
            let Some(pair) = body.pair("links") else {
                continue;
            };
            if is_on_default_bridge(facts, body) {
                continue;
            }
            any = any.or(Some(&pair.key));
            self.links_of(facts, body, pair, &aliases, &mut used);
        }
        for (target, aliases) in used {
            self.add_aliases(facts, target, &aliases);
        }
        if let (true, Some(place)) = (facts.first, any) {
            self.warn(
                place,
                "links set variables such as DB_PORT and DB_ENV_… in the linking container; nothing does now",
                "where a program reads them, give it the service's name as host, in `environment`",
            );
        }
    }

    fn links_of<'d>(
        &mut self,
        facts: &Facts<'d>,
        body: &'d Written,
        pair: &'d Pair,
        aliases: &Aliases<'d>,
        used: &mut BTreeMap<&'d str, BTreeSet<&'d str>>,
    ) {
        let items = facts.resolved(&pair.value).items();
        let here = matches!(pair.value.kind, Kind::Seq { .. });
        let links: Option<Vec<Link<'d>>> = items.iter().map(Link::read).collect();
        let Some(links) =
            links.filter(|links| here && !links.is_empty() && !pair.value.has_anchor())
        else {
            return;
        };
        let simple = is_on_default_network(facts, body);
        let goes = |link: &Link<'_>| {
            facts.services.contains(link.target)
                && link
                    .alias
                    .is_none_or(|alias| simple && aliases.get(alias) == Some(&link.target))
        };
        let (gone, kept): (Vec<&Link<'_>>, Vec<&Link<'_>>) =
            links.iter().partition(|link| goes(link));
        if gone.is_empty() || !self.depend_on(facts, body, pair, &gone, kept.is_empty()) {
            return;
        }
        for link in gone {
            if let Some(alias) = link.alias {
                used.entry(link.target).or_default().insert(alias);
            }
        }
    }

    /// Takes links out and adds dependencies; `all` when no link stays. Whether it could.
    fn depend_on(
        &mut self,
        facts: &Facts<'_>,
        body: &Written,
        pair: &Pair,
        links: &[&Link<'_>],
        all: bool,
    ) -> bool {
        let existing = body.pair("depends_on");
        let mut targets: Vec<&str> = Vec::new();
        for link in links {
            if !targets.contains(&link.target) {
                targets.push(link.target);
            }
        }
        match existing {
            None if is_merged_in(facts, body, "depends_on") => return false,
            None if all => self.rename(pair, links),
            None => {
                self.take_out(&pair.value, links);
                self.new_dependencies(body, pair, &targets);
            }
            Some(dependencies) => {
                if !self.add_dependencies(&dependencies.value, &targets) {
                    return false;
                }
                if all {
                    self.remove_links(body, pair);
                } else {
                    self.take_out(&pair.value, links);
                }
            }
        }
        let names = targets.join(", ");
        self.changed(
            &pair.key,
            format!("`links` to {names} became `depends_on`: services reach each other by name"),
        );
        true
    }

    /// `links: [db, redis:cache]` → `depends_on: [db, redis]`.
    fn rename(&mut self, pair: &Pair, links: &[&Link<'_>]) {
        self.edits.replace(pair.key.range.clone(), "depends_on");
        let mut seen = BTreeSet::new();
        let mut twice = Vec::new();
        for link in links {
            if !seen.insert(link.target) {
                twice.push(*link);
            } else if link.written.text() != Some(link.target) {
                let raw = self.raw(link.written);
                let start = link.written.range.start
                    + raw.find(link.target).unwrap_or_default()
                    + link.target.len();
                let end = link.written.range.end - raw.len()
                    + raw
                        .rfind(|char| !matches!(char, '"' | '\''))
                        .map_or(raw.len(), |last| last + 1);
                self.edits.remove(start..end);
            }
        }
        if !twice.is_empty() {
            self.take_out(&pair.value, &twice);
        }
    }

    /// Takes elements out of a list.
    fn take_out(&mut self, list: &Written, links: &[&Link<'_>]) {
        let items = list.items();
        for link in links {
            let range = &link.written.range;
            if !list.is_flow() {
                let lines = self.edits.lines(range.clone());
                let comments = self.comments(lines.clone(), range);
                self.edits.replace(lines, comments);
                continue;
            }
            let index = items
                .iter()
                .position(|item| item.range == *range)
                .unwrap_or_default();
            let before = index.checked_sub(1).and_then(|before| items.get(before));
            match (items.get(index + 1), before) {
                (Some(next), _) => self.edits.remove(range.start..next.range.start),
                (None, Some(before)) => self.edits.remove(before.range.end..range.end),
                (None, None) => self.edits.remove(range.clone()),
            }
        }
    }

    /// Takes all links out; their comments stay.
    fn remove_links(&mut self, body: &Written, pair: &Pair) {
        if body.is_flow() {
            self.remove_entry(body, pair);
            return;
        }
        let mut comments = String::new();
        let lines = self.edits.lines(pair.key.range.start..pair.end());
        let mut at = lines.start;
        while at < lines.end {
            let next = self.edits.next_line(at);
            let last = pair
                .value
                .items()
                .iter()
                .map(|item| &item.range)
                .rfind(|range| (at..next).contains(&range.start));
            comments.push_str(&self.comments(at..next, last.unwrap_or(&pair.key.range)));
            at = next;
        }
        self.edits.replace(lines, comments);
    }

    /// The comment at the end of a line, behind the part of the text that is in it, as a line.
    fn comments(&self, line: Range<usize>, part: &Range<usize>) -> String {
        let text = &self.edits.text[part.end.clamp(line.start, line.end)..line.end];
        let Some(start) = text.find('#') else {
            return String::new();
        };
        let indent = self.edits.indentation(line.start);
        format!("{indent}{}{}", text[start..].trim_end(), self.edits.newline)
    }

    /// A `depends_on` of its own, in front of what is left of `links`.
    fn new_dependencies(&mut self, body: &Written, links: &Pair, targets: &[&str]) {
        let at = links.key.range.start;
        if body.is_flow() {
            self.edits
                .insert(at, format!("depends_on: [{}], ", targets.join(", ")));
            return;
        }
        let newline = self.edits.newline;
        let indent = self.edits.indentation(at);
        let step = " ".repeat(self.unit);
        let mut text = format!("{indent}depends_on:{newline}");
        for target in targets {
            let _ = write!(text, "{indent}{step}- {target}{newline}");
        }
        let line = self.edits.line_start(at);
        self.edits.insert(line, text);
    }

    /// Adds to an existing `depends_on`. Whether it could.
    fn add_dependencies(&mut self, existing: &Written, targets: &[&str]) -> bool {
        let newline = self.edits.newline;
        let step = " ".repeat(self.unit);
        let known: Vec<&str> = match &existing.kind {
            Kind::Seq { items, .. } => items.iter().filter_map(Written::text).collect(),
            Kind::Map { pairs, .. } => pairs.iter().map(Pair::name).collect(),
            _ => return false,
        };
        let new: Vec<&str> = targets
            .iter()
            .copied()
            .filter(|target| !known.contains(target))
            .collect();
        if new.is_empty() {
            return true;
        }
        let is_list = matches!(existing.kind, Kind::Seq { .. });
        if existing.is_flow() {
            let separator = if known.is_empty() { "" } else { ", " };
            let condition = if is_list {
                ""
            } else {
                ": {condition: service_started}"
            };
            let entries: Vec<String> = new
                .iter()
                .map(|name| format!("{name}{condition}"))
                .collect();
            let last = existing.items().last().map(|item| item.range.end);
            let last = last.or(existing.pairs().last().map(Pair::end));
            let at = last.unwrap_or(existing.range.end - 1);
            self.edits
                .insert(at, format!("{separator}{}", entries.join(", ")));
            return true;
        }
        let first = existing.items().first().map(|item| item.range.start);
        let Some(first) = first.or(existing.pairs().first().map(|pair| pair.key.range.start))
        else {
            return false;
        };
        let indent = self.edits.indentation(first);
        let mut text = String::new();
        for name in new {
            let _ = if is_list {
                write!(text, "{indent}- {name}{newline}")
            } else {
                let condition = format!("{indent}{step}condition: service_started{newline}");
                write!(text, "{indent}{name}:{newline}{condition}")
            };
        }
        let end = self.edits.next_line(existing.range.end.saturating_sub(1));
        self.edits.append(end, text);
        true
    }

    /// Gives a service further names on the default network.
    fn add_aliases(&mut self, facts: &Facts<'_>, target: &str, aliases: &BTreeSet<&str>) {
        let Some(pair) = facts.written_services().find(|pair| pair.name() == target) else {
            return;
        };
        let body = &pair.value;
        let names: Vec<&str> = aliases.iter().copied().collect();
        self.changed(
            &pair.key,
            format!(
                "got the network alias {}, by which links called it",
                names.join(", ")
            ),
        );
        if body.is_flow() {
            let at = body.pairs().last().map_or(body.range.end, Pair::end);
            let text = format!(
                ", networks: {{default: {{aliases: [{}]}}}}",
                names.join(", ")
            );
            self.edits.insert(at, text);
            return;
        }
        let (Some(first), Some(last)) = (body.pairs().first(), body.pairs().last()) else {
            return;
        };
        let newline = self.edits.newline;
        let indent = self.edits.indentation(first.key.range.start);
        let step = " ".repeat(self.unit);
        let mut text = format!(
            "{indent}networks:{newline}{indent}{step}default:{newline}{indent}{step}{step}aliases:{newline}"
        );
        for name in names {
            let _ = write!(text, "{indent}{step}{step}{step}- {name}{newline}");
        }
        let end = self.edits.next_line(last.end().saturating_sub(1));
        self.edits.append(end, text);
    }
}

/// Aliases that every link uses for the same service, and that the service can have.
fn aliases<'d>(facts: &Facts<'d>) -> Aliases<'d> {
    let mut targets: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for body in bodies(facts) {
        let Some(pair) = body.pair("links") else {
            continue;
        };
        for link in facts
            .resolved(&pair.value)
            .items()
            .iter()
            .filter_map(Link::read)
        {
            if let Some(alias) = link.alias {
                targets.entry(alias).or_default().insert(link.target);
            }
        }
    }
    let written: BTreeMap<&str, &Pair> = facts
        .written_services()
        .map(|pair| (pair.name(), pair))
        .collect();
    targets
        .into_iter()
        .filter_map(|(alias, targets)| {
            let target = targets.first().copied().filter(|_| targets.len() == 1)?;
            let body = &written.get(target)?.value;
            let can = matches!(body.kind, Kind::Map { .. })
                && !body.pairs().is_empty()
                && body.anchor.is_none()
                && !facts.services.contains(alias)
                && !alias.contains('$')
                && facts
                    .service(target)
                    .is_some_and(|node| !has_networks(node));
            can.then_some((alias, target))
        })
        .collect()
}

fn has_networks(service: &Node) -> bool {
    OTHER_NETWORKS.iter().any(|key| service.get(key).is_some())
}

/// Whether the services with this mapping of attributes are on the default network alone.
fn is_on_default_network(facts: &Facts<'_>, body: &Written) -> bool {
    facts
        .written_services()
        .filter(|pair| uses(facts, &pair.value, body))
        .all(|pair| {
            facts
                .service(pair.name())
                .is_some_and(|node| !has_networks(node))
        })
}

/// Whether a service is on the engine's default bridge, where links are the only names.
fn is_on_default_bridge(facts: &Facts<'_>, body: &Written) -> bool {
    facts
        .written_services()
        .filter(|pair| uses(facts, &pair.value, body))
        .filter_map(|pair| facts.service(pair.name()))
        .any(|node| {
            let mode = node.get("network_mode").or_else(|| node.get("net"));
            mode.and_then(Node::as_str)
                .is_some_and(|mode| mode == "bridge" || mode == "default")
        })
}

/// Whether a service is written by this mapping or merges it in.
fn uses(facts: &Facts<'_>, service: &Written, body: &Written) -> bool {
    let mut todo = vec![service];
    let mut seen = BTreeSet::new();
    while let Some(written) = todo.pop() {
        let written = match &written.kind {
            Kind::Alias(name) => facts.root.anchored(name).unwrap_or(written),
            _ => written,
        };
        if written.range == body.range {
            return true;
        }
        if seen.insert(written.range.start) {
            todo.extend(written.items());
            todo.extend(written.pair("<<").map(|pair| &pair.value));
        }
    }
    false
}

/// Whether a service with this mapping has an attribute that is not written in it.
fn is_merged_in(facts: &Facts<'_>, body: &Written, key: &str) -> bool {
    facts
        .written_services()
        .filter(|pair| uses(facts, &pair.value, body))
        .filter_map(|pair| facts.service(pair.name()))
        .any(|node| node.get(key).is_some())
}
