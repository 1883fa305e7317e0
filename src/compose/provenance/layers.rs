//! The documents that speak of one attribute, weakest first: earlier files before later ones, what
//! is included before what includes it, what is extended before what extends it.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use super::record::{Record, ScopeRecord};
use super::trail::Kind;
use crate::compose::budget::Budget;
use crate::compose::canonical;
use crate::compose::interpolate::{Interpolation, Unset};
use crate::compose::merge::{self, Directives};
use crate::compose::node::{Node, Value};
use crate::compose::paths;
use crate::compose::source::{SourceId, SourceMap, Span};

/// How deep `extends` is followed; loading allows less.
const MAX_DEPTH: usize = 400;

/// One document.
pub(super) struct Document<'a> {
    /// As written.
    pub(super) raw: &'a Node,
    /// Substituted and in long form, not merged with anything.
    pub(super) tree: Node,
    /// Texts as written, keyed by their place.
    written: HashMap<Place, &'a str>,
    /// Indices of the scopes it includes.
    includes: &'a [usize],
}

type Place = (SourceId, u32, u32);

/// A scope whose documents are ready to be looked at.
pub(super) struct Scope<'a> {
    /// What was recorded of it.
    pub(super) record: &'a ScopeRecord,
    /// Its documents in the order of merging.
    pub(super) documents: Vec<Document<'a>>,
    /// Files named by `extends`, keyed by path.
    bases: BTreeMap<&'a Path, Vec<Document<'a>>>,
}

/// A document that speaks of the attribute.
pub(super) struct Layer<'a> {
    /// The document.
    pub(super) document: &'a Document<'a>,
    /// Index of its scope.
    pub(super) scope: usize,
    /// What the service (or network, …) is called in it.
    pub(super) name: Option<String>,
    /// How it comes in.
    pub(super) kind: Kind,
    /// The place that brings it in, if it does not come by itself.
    pub(super) via: Option<Span>,
    /// Directives in it reach back to the layer of this index.
    pub(super) reach: usize,
}

/// All scopes of a load.
pub(super) fn scopes<'a>(
    record: &'a Record,
    sources: &'a SourceMap,
    interpolate: bool,
) -> Vec<Scope<'a>> {
    let scope = |record: &'a ScopeRecord| {
        let document = |raw: &'a Node, includes: &'a [usize]| {
            let lookup = |name: &str| record.environment.get(name).cloned();
            let lookup: Option<&Lookup<'_>> = interpolate.then_some(&lookup);
            Document::new(raw, includes, sources, lookup)
        };
        let documents = record.documents.iter();
        let bases = record.bases.iter();
        Scope {
            record,
            documents: documents
                .map(|known| document(&known.tree, &known.includes))
                .collect(),
            bases: bases
                .map(|(path, trees)| {
                    let documents = trees.iter().map(|tree| document(tree, &[])).collect();
                    (path.as_path(), documents)
                })
                .collect(),
        }
    };
    record.scopes.iter().map(scope).collect()
}

impl<'a> Scope<'a> {
    /// Its documents and those of files named by `extends`.
    pub(super) fn all_documents(&self) -> impl Iterator<Item = &Document<'a>> {
        self.documents.iter().chain(self.bases.values().flatten())
    }
}

type Lookup<'a> = dyn Fn(&str) -> Option<String> + 'a;

impl<'a> Document<'a> {
    fn new(
        raw: &'a Node,
        includes: &'a [usize],
        sources: &SourceMap,
        lookup: Option<&Lookup<'_>>,
    ) -> Self {
        let mut tree = raw.clone();
        Directives::take(&mut tree);
        // Loading has told of these already.
        let mut problems = Vec::new();
        let mut budget = Budget::new();
        if let Some(lookup) = lookup {
            Interpolation {
                sources,
                lookup,
                unset: &mut Unset::default(),
                problems: &mut problems,
                budget: &mut budget,
            }
            .tree(&mut tree);
        }
        merge::enforce_unique(&mut tree);
        canonical::canonicalize(
            &mut tree,
            &mut canonical::Context {
                lenient: lookup.is_none(),
                problems: &mut problems,
                budget: &mut budget,
            },
        );
        canonical::expand_lists(&mut tree);
        let mut written = HashMap::new();
        collect(raw, &mut written);
        Self {
            raw,
            tree,
            written,
            includes,
        }
    }

    /// The text that is written at a place, if there is one.
    pub(super) fn written(&self, span: Span) -> Option<&'a str> {
        self.written
            .get(&(span.source, span.start, span.end))
            .copied()
    }
}

fn collect<'a>(node: &'a Node, found: &mut HashMap<Place, &'a str>) {
    match &node.value {
        Value::Str(text) => {
            found.insert((node.span.source, node.span.start, node.span.end), text);
        }
        Value::Seq(items) => {
            for item in items {
                collect(item, found);
            }
        }
        Value::Map(map) => {
            for entry in map.values() {
                collect(&entry.node, found);
            }
        }
        _ => {}
    }
}

/// The layers for `keys`, the first two steps of a path (or fewer).
pub(super) fn layers<'a>(scopes: &'a [Scope<'a>], keys: &[&str]) -> Vec<Layer<'a>> {
    let mut collector = Collector {
        scopes,
        section: keys.first().copied().unwrap_or_default(),
        found: Vec::new(),
    };
    if !scopes.is_empty() {
        collector.scope(0, keys.get(1).copied(), None);
    }
    collector.found
}

struct Collector<'a, 'k> {
    scopes: &'a [Scope<'a>],
    section: &'k str,
    found: Vec<Layer<'a>>,
}

/// Documents that are looked at together, and where they are.
#[derive(Clone, Copy)]
struct Set<'a> {
    scope: usize,
    documents: &'a [Document<'a>],
    /// The folder that `extends.file` in them starts from.
    folder: &'a Path,
}

/// How documents come in.
#[derive(Clone, Copy)]
struct Way {
    kind: Kind,
    via: Option<Span>,
    reach: usize,
}

impl<'a> Collector<'a, '_> {
    fn scope(&mut self, index: usize, name: Option<&str>, via: Option<Span>) {
        let Some(scope) = self.scopes.get(index) else {
            return;
        };
        let reach = self.found.len();
        for (number, document) in scope.documents.iter().enumerate() {
            let set = Set {
                scope: index,
                documents: std::slice::from_ref(document),
                folder: &scope.record.folder,
            };
            let kind = match number {
                _ if index > 0 => Kind::Include,
                0 => Kind::File,
                _ => Kind::Override,
            };
            self.set(set, name, Way { kind, via, reach }, 0);
        }
    }

    fn set(&mut self, set: Set<'a>, name: Option<&str>, way: Way, depth: usize) {
        if depth > MAX_DEPTH {
            return;
        }
        if let Some(name) = name {
            self.extended(set, name, depth);
        }
        for document in set.documents {
            // Other sections are not imported.
            if name.is_some() {
                for scope in document.includes {
                    let parent = self.scopes[*scope].record.parent;
                    self.scope(*scope, name, parent.and_then(|(_, place)| place));
                }
            }
            if document.tree.get(self.section).is_some() {
                self.found.push(Layer {
                    document,
                    scope: set.scope,
                    name: name.map(str::to_owned),
                    kind: way.kind,
                    via: way.via,
                    reach: way.reach,
                });
            }
        }
    }

    /// The service that the service extends, with everything that one extends.
    fn extended(&mut self, set: Set<'a>, name: &str, depth: usize) {
        if self.section != "services" {
            return;
        }
        let extends = |document: &'a Document<'a>| document.tree.at(&["services", name, "extends"]);
        let Some(extends) = set.documents.iter().rev().find_map(extends) else {
            return;
        };
        let text = |key: &str| extends.get(key).and_then(Node::as_str);
        let Some(service) = text("service") else {
            return;
        };
        let way = Way {
            kind: Kind::Extends,
            via: Some(extends.span),
            reach: self.found.len(),
        };
        let Some(file) = text("file") else {
            self.set(set, Some(service), way, depth + 1);
            return;
        };
        let path = PathBuf::from(if Path::new(file).is_absolute() {
            paths::clean(file)
        } else {
            paths::join(&set.folder.to_string_lossy(), file)
        });
        let bases = &self.scopes[set.scope].bases;
        if let Some((path, documents)) = bases.get_key_value(path.as_path()) {
            let set = Set {
                scope: set.scope,
                documents,
                folder: path.parent().unwrap_or(path),
            };
            self.set(set, Some(service), way, depth + 1);
        }
    }
}
