//! Parser events → a tree of nodes: aliases, merge keys, duplicate keys, budgets.

use std::collections::{HashMap, HashSet};

use indexmap::map::Entry as Slot;
use libyaml_safer::{Event, EventData, Mark, Parser, ScalarStyle};

use super::places::Places;
use super::{scalar, syntax};
use crate::compose::diagnostic::Diagnostic;
use crate::compose::node::{Directive, Entry, Map, Node, Value};
use crate::compose::source::Span;

/// Deepest nesting of sequences and mappings; bounds the stack.
const MAX_DEPTH: usize = 256;

/// Most nodes that aliases may expand to, so that a small file cannot fill the memory.
const MAX_ALIASED_NODES: usize = 500_000;

/// A problem after which nothing more can be read.
struct Stop;

/// The value of an anchor, and how many nodes it has.
type Anchored = (Node, usize);

struct Builder<'text> {
    parser: Parser<&'text mut &'text [u8]>,
    places: Places,
    anchors: HashMap<String, Anchored>,
    /// Anchors whose value is being read.
    open: HashSet<String>,
    problems: Vec<Diagnostic>,
    depth: usize,
    /// Nodes built so far in this document, expanded aliases included.
    nodes: usize,
    aliased: usize,
}

/// Reads all documents of `text`.
pub(super) fn documents(text: &str, places: Places) -> Result<Vec<Node>, Vec<Diagnostic>> {
    let mut bytes = text.as_bytes();
    let mut parser = Parser::new();
    parser.set_input(&mut bytes);
    let mut builder = Builder {
        parser,
        places,
        anchors: HashMap::new(),
        open: HashSet::new(),
        problems: Vec::new(),
        depth: 0,
        nodes: 0,
        aliased: 0,
    };
    let mut documents = Vec::new();
    while let Ok(Some(document)) = builder.document() {
        documents.extend((!document.is_null()).then_some(document));
    }
    if builder.problems.is_empty() {
        Ok(documents)
    } else {
        Err(builder.problems)
    }
}

impl Builder<'_> {
    /// The next document, `None` at the end of the stream.
    fn document(&mut self) -> Result<Option<Node>, Stop> {
        loop {
            let event = self.next()?;
            match event.data {
                EventData::StreamEnd => return Ok(None),
                EventData::DocumentStart {
                    version_directive, ..
                } => {
                    if version_directive.is_some_and(|v| (v.major, v.minor) != (1, 1)) {
                        let span = self.places.span(event.start_mark, event.end_mark);
                        return Err(self.stop(
                            Diagnostic::error("only version 1.1 of YAML is supported")
                                .at(span)
                                .help("remove the `%YAML` line"),
                        ));
                    }
                    self.anchors.clear();
                    self.open.clear();
                    let first = self.next()?;
                    return self.node(first).map(Some);
                }
                _ => {}
            }
        }
    }

    fn next(&mut self) -> Result<Event, Stop> {
        match self.parser.parse() {
            Ok(event) => Ok(event),
            Err(error) => {
                let diagnostic = syntax::describe(&error, &self.places);
                Err(self.stop(diagnostic))
            }
        }
    }

    fn stop(&mut self, diagnostic: Diagnostic) -> Stop {
        self.problems.push(diagnostic);
        Stop
    }

    fn node(&mut self, event: Event) -> Result<Node, Stop> {
        let Event {
            data,
            start_mark,
            end_mark,
            ..
        } = event;
        let span = self.places.span(start_mark, end_mark);
        let before = self.nodes;
        self.nodes += 1;
        match data {
            EventData::Alias { anchor } => self.alias(&anchor, span),
            EventData::Scalar {
                anchor,
                tag,
                value,
                style,
                ..
            } => {
                let node = self.scalar(tag.as_deref(), value, style, span);
                self.define(anchor, &node, before);
                Ok(node)
            }
            EventData::SequenceStart { anchor, tag, .. } => {
                self.enter(anchor.as_deref(), span)?;
                let mut node = self.sequence(start_mark, end_mark)?;
                node.directive = directive(tag.as_deref());
                self.leave(anchor, &node, before);
                Ok(node)
            }
            EventData::MappingStart { anchor, tag, .. } => {
                self.enter(anchor.as_deref(), span)?;
                let mut node = self.mapping(start_mark, end_mark)?;
                node.directive = directive(tag.as_deref());
                self.leave(anchor, &node, before);
                Ok(node)
            }
            _ => Ok(Node::new(Value::Null, span)),
        }
    }

    fn enter(&mut self, anchor: Option<&str>, span: Span) -> Result<(), Stop> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let message = format!("nested too deeply: the limit is {MAX_DEPTH} levels");
            return Err(self.stop(Diagnostic::error(message).at(span)));
        }
        if let Some(anchor) = anchor {
            self.open.insert(anchor.to_owned());
        }
        Ok(())
    }

    fn leave(&mut self, anchor: Option<String>, node: &Node, before: usize) {
        self.depth -= 1;
        if let Some(anchor) = &anchor {
            self.open.remove(anchor);
        }
        self.define(anchor, node, before);
    }

    fn define(&mut self, anchor: Option<String>, node: &Node, before: usize) {
        if let Some(anchor) = anchor {
            let size = self.nodes - before;
            self.anchors.insert(anchor, (node.clone(), size));
        }
    }

    fn alias(&mut self, anchor: &str, span: Span) -> Result<Node, Stop> {
        if self.open.contains(anchor) {
            let message = format!("cycle detected: `*{anchor}` stands inside `&{anchor}`");
            return Err(self.stop(Diagnostic::error(message).at(span)));
        }
        let Some((node, size)) = self.anchors.get(anchor) else {
            let message = format!("unknown anchor `{anchor}`");
            return Err(self.stop(
                Diagnostic::error(message)
                    .at(span)
                    .help(format!("define it before this line with `&{anchor}`")),
            ));
        };
        self.aliased += size;
        if self.aliased > MAX_ALIASED_NODES {
            let message = format!("aliases expand to more than {MAX_ALIASED_NODES} values");
            return Err(self.stop(Diagnostic::error(message).at(span)));
        }
        self.nodes += size;
        Ok(node.clone())
    }

    fn scalar(&mut self, tag: Option<&str>, text: String, style: ScalarStyle, span: Span) -> Node {
        let plain = style == ScalarStyle::Plain;
        if let Some(directive) = directive(tag) {
            let value = if plain {
                scalar::resolve(&text)
            } else {
                Value::Str(text)
            };
            return Node {
                value,
                span,
                directive: Some(directive),
            };
        }
        let value = match tag {
            Some(tag) => scalar::resolve_tagged(tag, &text, plain).unwrap_or_else(|message| {
                self.problems.push(Diagnostic::error(message).at(span));
                Value::Null
            }),
            None if plain => scalar::resolve(&text),
            None => Value::Str(text),
        };
        Node::new(value, span)
    }

    fn sequence(&mut self, start: Mark, opened: Mark) -> Result<Node, Stop> {
        let mut items: Vec<Node> = Vec::new();
        loop {
            let event = self.next()?;
            if matches!(event.data, EventData::SequenceEnd) {
                let span = self.collection_span(start, opened, event.end_mark);
                return Ok(Node::new(Value::Seq(items), span));
            }
            items.push(self.node(event)?);
        }
    }

    /// A flow collection spans its brackets; a block collection only its first line matters.
    fn collection_span(&self, start: Mark, opened: Mark, end: Mark) -> Span {
        let flow = opened.index > start.index;
        self.places.span(start, if flow { end } else { opened })
    }

    fn mapping(&mut self, start: Mark, opened: Mark) -> Result<Node, Stop> {
        let mut map = Map::new();
        let mut merges: Vec<Node> = Vec::new();
        let mut merge_key: Option<Span> = None;
        loop {
            let event = self.next()?;
            if matches!(event.data, EventData::MappingEnd) {
                merge_into(&mut map, merges);
                let mut span = self.collection_span(start, opened, event.end_mark);
                if let Some((_, first)) = map.first() {
                    span.end = span.end.max(first.key.end);
                }
                return Ok(Node::new(Value::Map(map), span));
            }
            let merge = is_merge_key(&event.data);
            let key = self.node(event)?;
            let following = self.next()?;
            let value = self.node(following)?;
            if merge {
                if let Some(first) = merge_key.replace(key.span) {
                    self.duplicate("<<", key.span, first);
                }
                self.collect_merge(value, &mut merges);
            } else {
                self.insert(&mut map, key, value);
            }
        }
    }

    fn insert(&mut self, map: &mut Map, key: Node, value: Node) {
        let Value::Str(name) = key.value else {
            let message = format!("non-string key: {}", key_text(&key.value));
            self.problems.push(
                Diagnostic::error(message)
                    .at(key.span)
                    .help("put the key in quotes"),
            );
            return;
        };
        match map.entry(name) {
            Slot::Occupied(slot) => {
                let (name, first) = (slot.key().clone(), slot.get().key);
                self.duplicate(&name, key.span, first);
            }
            Slot::Vacant(slot) => {
                slot.insert(Entry {
                    key: key.span,
                    node: value,
                });
            }
        }
    }

    fn duplicate(&mut self, name: &str, second: Span, first: Span) {
        let message = format!(
            "mapping key \"{name}\" already defined at line {}",
            first.line
        );
        self.problems.push(
            Diagnostic::error(message)
                .at(second)
                .related(first, "first defined here")
                .help("remove one of the two"),
        );
    }

    fn collect_merge(&mut self, value: Node, merges: &mut Vec<Node>) {
        let span = value.span;
        match value.value {
            Value::Map(_) => merges.push(value),
            Value::Seq(items) if items.iter().all(|item| item.as_map().is_some()) => {
                merges.extend(items);
            }
            _ => self.problems.push(
                Diagnostic::error("a merge key `<<` takes a mapping or a list of mappings")
                    .at(span),
            ),
        }
    }
}

/// Adds what is not there yet; earlier merges win over later ones.
fn merge_into(map: &mut Map, merges: Vec<Node>) {
    for merge in merges {
        let Value::Map(from) = merge.value else {
            continue;
        };
        for (name, entry) in from {
            map.entry(name).or_insert(entry);
        }
    }
}

/// Only a plain `<<` merges; a quoted one is a key like any other.
fn is_merge_key(data: &EventData) -> bool {
    matches!(data, EventData::Scalar { value, style: ScalarStyle::Plain, tag: None, .. } if value == "<<")
}

fn directive(tag: Option<&str>) -> Option<Directive> {
    match tag? {
        "!reset" => Some(Directive::Reset),
        "!override" => Some(Directive::Override),
        _ => None,
    }
}

fn key_text(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Uint(value) => value.to_string(),
        Value::Float(value) => value.to_string(),
        Value::Timestamp(text) | Value::Str(text) => text.clone(),
        Value::Seq(_) => "a list".to_owned(),
        Value::Map(_) => "a mapping".to_owned(),
    }
}
