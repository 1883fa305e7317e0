//! Compose files of older formats → today's: text in, text and notes out.
//!
//! The text is edited where it has to change and nowhere else, so that comments, order and quotes
//! stay. `tree` says where everything is, `edit` collects the changes.

mod edit;
mod external;
mod groups;
mod links;
mod service;
mod tree;
mod upward;
mod volumes;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use crate::compose::first_format;
use crate::compose::node::Node;
use crate::compose::source::{Source, SourceId, SourceMap, Span};
use crate::compose::{Diagnostic, LoadError, yaml};
use edit::Edits;
use tree::{Kind, Pair, Written};

/// A rewritten file.
#[derive(Debug)]
pub struct Migration {
    /// The text in today's format; the old one where nothing had to change.
    pub text: String,
    /// What was changed, in the order of the file.
    pub changes: Vec<Change>,
    /// What could not be carried over, or means something else now.
    pub warnings: Vec<Diagnostic>,
    /// The old text, which all places refer to.
    pub sources: SourceMap,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The place in the old text.
    pub span: Span,
    /// What was done: lower-case, without a full stop.
    pub message: String,
}

/// Rewrites a compose file; `name` is what messages call it.
///
/// # Errors
/// When the text is not YAML or not a mapping.
pub fn migrate(name: &str, text: &str) -> Result<Migration, LoadError> {
    let mut sources = SourceMap::default();
    let source = sources.add(Source {
        name: name.to_owned(),
        text: text.into(),
        parent: None,
    });
    let nodes = match yaml::parse(source, text) {
        Ok(nodes) => nodes,
        Err(diagnostics) => {
            return Err(LoadError {
                diagnostics,
                sources,
            });
        }
    };
    // Every line ends, so that lines can be added behind the last one.
    let mut complete = text.to_owned();
    if !text.is_empty() && !text.ends_with('\n') {
        complete.push_str(Edits::new(text).newline);
    }
    let documents = tree::read(&complete).unwrap_or_default();
    let mut work = Work::new(source, &complete);
    for (node, document) in nodes.iter().zip(&documents) {
        work.document(node, document);
    }
    let Work {
        edits,
        unit,
        mut changes,
        warnings,
        ..
    } = work;
    let text = if edits.is_empty() {
        text.to_owned()
    } else {
        edits.apply(unit)
    };
    changes.sort_by_key(|change| change.span.start);
    Ok(Migration {
        text,
        changes,
        warnings,
        sources,
    })
}

/// The rewriting of one file.
struct Work<'t> {
    source: SourceId,
    edits: Edits<'t>,
    /// Spaces a level.
    unit: usize,
    changes: Vec<Change>,
    warnings: Vec<Diagnostic>,
    /// What goes behind the services of a document in braces.
    outer_entries: String,
}

/// What the rewriting of a document's parts has to know of the whole.
struct Facts<'d> {
    /// The document with aliases and merge keys resolved.
    node: &'d Node,
    /// The document as it is written.
    root: &'d Written,
    /// Whether it is in the first format.
    first: bool,
    /// The names of its services.
    services: BTreeSet<&'d str>,
}

impl<'d> Facts<'d> {
    fn new(node: &'d Node, root: &'d Written) -> Self {
        let first = first_format::services(node);
        let is_first = !first.is_empty();
        let later = node.get("services").and_then(Node::as_map);
        Self {
            node,
            root,
            first: is_first,
            services: if is_first {
                first.into_iter().collect()
            } else {
                later
                    .into_iter()
                    .flatten()
                    .map(|(name, _)| name.as_str())
                    .collect()
            },
        }
    }

    /// A service with aliases and merge keys resolved.
    fn service(&self, name: &str) -> Option<&'d Node> {
        if self.first {
            self.node.get(name)
        } else {
            self.node.at(&["services", name])
        }
    }

    /// The services as they are written.
    fn written_services(&self) -> impl Iterator<Item = &'d Pair> {
        let pairs = if self.first {
            self.root.pairs()
        } else {
            let section = self.root.pair("services");
            section.map_or(&[][..], |pair| self.resolved(&pair.value).pairs())
        };
        pairs
            .iter()
            .filter(|pair| self.services.contains(pair.name()))
    }

    /// What an alias stands for; anything else stands for itself.
    fn resolved(&self, written: &'d Written) -> &'d Written {
        match &written.kind {
            Kind::Alias(name) => self.root.anchored(name).unwrap_or(written),
            _ => written,
        }
    }
}

impl<'t> Work<'t> {
    fn new(source: SourceId, text: &'t str) -> Self {
        Self {
            source,
            edits: Edits::new(text),
            unit: 2,
            changes: Vec::new(),
            warnings: Vec::new(),
            outer_entries: String::new(),
        }
    }

    fn document(&mut self, node: &Node, root: &Written) {
        let facts = Facts::new(node, root);
        if let Some(unit) = unit_of(&facts) {
            self.unit = unit;
        }
        self.version(&facts);
        let mut wanted = volumes::Wanted::default();
        for body in bodies(&facts) {
            self.service(&facts, body, &mut wanted);
        }
        self.links(&facts);
        for section in ["networks", "volumes", "secrets", "configs"] {
            self.externals(&facts, section);
        }
        self.declare_volumes(&facts, &wanted);
        if facts.first {
            self.below_services(&facts);
            self.warn_of_dollars(&facts);
        }
    }

    /// Takes `version` out.
    fn version(&mut self, facts: &Facts<'_>) {
        let Some(pair) = facts
            .root
            .pair("version")
            .filter(|_| !facts.services.contains("version"))
        else {
            return;
        };
        self.remove_entry(facts.root, pair);
        // The blank line that set it apart goes with it.
        let lines = self.edits.lines(pair.key.range.start..pair.end());
        let first = self.edits.text[..lines.start].trim().is_empty();
        let next = self.edits.next_line(lines.end.min(self.edits.text.len()));
        if first && !facts.root.is_flow() && self.edits.text[lines.end..next].trim().is_empty() {
            self.edits.remove(lines.end..next);
        }
        self.changed(&pair.key, "`version` has no effect any more: removed");
    }

    /// Takes an entry out of its mapping.
    fn remove_entry(&mut self, map: &Written, pair: &Pair) {
        if !map.is_flow() {
            let lines = self.edits.lines(pair.key.range.start..pair.end());
            self.edits.remove(lines);
            return;
        }
        let pairs = map.pairs();
        let index = pairs
            .iter()
            .position(|other| other.key.range == pair.key.range);
        let index = index.unwrap_or_default();
        let range = match (
            pairs.get(index + 1),
            index.checked_sub(1).and_then(|before| pairs.get(before)),
        ) {
            (Some(next), _) => pair.key.range.start..next.key.range.start,
            (None, Some(before)) => before.end()..pair.end(),
            (None, None) => pair.key.range.start..pair.end(),
        };
        self.edits.remove(range);
    }

    /// The written text of a part.
    fn raw(&self, written: &Written) -> &'t str {
        &self.edits.text[written.range.clone()]
    }

    fn span(&self, written: &Written) -> Span {
        Span {
            source: self.source,
            start: written.range.start as u32,
            end: written.range.end as u32,
            line: written.line,
            column: written.column,
        }
    }

    fn changed(&mut self, place: &Written, message: impl Into<String>) {
        self.changes.push(Change {
            span: self.span(place),
            message: message.into(),
        });
    }

    fn warn(&mut self, place: &Written, message: impl Into<String>, help: impl Into<String>) {
        let warning = Diagnostic::warning(message).at(self.span(place)).help(help);
        self.warnings.push(warning);
    }

    /// Turns an entry into a comment, with a remark in front of it. In braces it stays.
    fn comment_out(&mut self, map: &Written, pair: &Pair, remark: &str) {
        if map.is_flow() || pair.value.has_anchor() {
            return;
        }
        let lines = self.edits.lines(pair.key.range.start..pair.end());
        let indent = self.edits.indentation(pair.key.range.start);
        let newline = self.edits.newline;
        let mut text = format!("{indent}# {remark}{newline}");
        for line in self.edits.text[lines.clone()].split_inclusive('\n') {
            text.push_str(indent);
            text.push_str("# ");
            text.push_str(line.strip_prefix(indent).unwrap_or(line));
        }
        self.edits.replace(lines, text);
    }

    /// Before docker-compose 1.5 a `$` in these files was just that.
    fn warn_of_dollars(&mut self, facts: &Facts<'_>) {
        if let Some(place) = first_dollar(facts.root) {
            self.warn(
                place,
                "`$NAME` and `${NAME}` stand for variables now; before docker-compose 1.5 they were plain text",
                "write `$$` where a dollar sign is meant",
            );
        }
    }
}

fn first_dollar(written: &Written) -> Option<&Written> {
    if written.text().is_some_and(|text| text.contains('$')) {
        return Some(written);
    }
    let mut inside = written
        .items()
        .iter()
        .chain(written.pairs().iter().map(|pair| &pair.value));
    inside.find_map(first_dollar)
}

/// The mappings of attributes of services: each where it is written, those merged in with `<<`
/// included, each once. With the service that it is the own mapping of.
fn bodies<'d>(facts: &Facts<'d>) -> Vec<&'d Written> {
    let mut found: BTreeMap<usize, &Written> = BTreeMap::new();
    let mut todo: Vec<&Written> = facts.written_services().map(|pair| &pair.value).collect();
    while let Some(written) = todo.pop() {
        let body = facts.resolved(written);
        todo.extend(body.items());
        if !matches!(body.kind, Kind::Map { .. }) || found.insert(body.range.start, body).is_some()
        {
            continue;
        }
        todo.extend(body.pair("<<").map(|pair| &pair.value));
    }
    found.into_values().collect()
}

/// Spaces a level, from the first service in block style.
fn unit_of(facts: &Facts<'_>) -> Option<usize> {
    let outer = if facts.first {
        facts.root
    } else {
        &facts.root.pair("services")?.value
    };
    let base = outer.pairs().first()?.key.column;
    let inner = outer
        .pairs()
        .iter()
        .map(|pair| &pair.value)
        .find(|value| !value.is_flow() && !value.pairs().is_empty())?;
    let column = inner.pairs().first()?.key.column;
    usize::try_from(column.checked_sub(base)?)
        .ok()
        .filter(|unit| (1..=8).contains(unit))
}
