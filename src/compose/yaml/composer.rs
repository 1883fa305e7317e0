//! Parser events → nodes: anchors, keys, merge keys and the limits.

use std::collections::HashMap;
use std::fmt;
use std::io::{Chain, Read as _};

use libyaml_safer::{Event, EventData, Mark, Parser, ScalarStyle};

use super::super::budget::{Budget, cost};
use super::super::diagnostic::similar::similar;
use super::super::diagnostic::{Diagnostic, code};
use super::super::node::{Directive, Entry, Map, Node, Value};
use super::super::source::{SourceId, Span};
use super::scalar::{self, Tag};
use super::{Reading, guard, limits, merge_key, syntax};

/// Reading cannot go on.
type Fatal = Box<Diagnostic>;

/// Reads one source.
pub(super) struct Composer<'t> {
    source: SourceId,
    text: &'t str,
    /// Bytes of a byte order mark in front of what the parser sees.
    skipped: usize,
    parser: Parser<Input<'t>>,
    /// A line break was added behind the text.
    padded: bool,
    anchors: HashMap<String, Anchor>,
    budget: &'t mut Budget,
    nodes: usize,
    /// The text of several lines in quotes that was read last, unless another text came after it.
    quote: Option<Span>,
    /// Where the last event ended, in bytes.
    read: usize,
    /// The scanner panicked.
    gave_up: bool,
    problems: Vec<Diagnostic>,
}

/// The text and what is added to it.
type Input<'t> = Chain<&'t [u8], &'static [u8]>;

enum Anchor {
    /// Its node is still being read: an alias to it would contain itself.
    Open(Span),
    /// The node, and what a copy of it costs.
    Done(Node, usize),
}

/// Where a node is in its document: a list on the stack from the node to the root.
#[derive(Clone, Copy)]
enum Path<'p> {
    Root,
    Key(&'p Path<'p>, &'p str),
    Item(&'p Path<'p>, usize),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Key(Self::Root, key) => f.write_str(key),
            Self::Key(parent, key) => write!(f, "{parent}.{key}"),
            Self::Item(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

impl Path<'_> {
    fn depth(&self) -> usize {
        let mut depth = 0;
        let mut path = self;
        while let Self::Key(parent, _) | Self::Item(parent, _) = path {
            depth += 1;
            path = parent;
        }
        depth
    }
}

/// A key as it was written.
struct Key {
    text: String,
    span: Span,
    merge: bool,
}

impl<'t> Composer<'t> {
    /// A reader at the start of `text`; `padded` adds a line break behind the text.
    pub(super) fn new(
        source: SourceId,
        text: &'t str,
        budget: &'t mut Budget,
        padded: bool,
    ) -> Self {
        let body = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut parser = Parser::new();
        parser.set_encoding(libyaml_safer::Encoding::Utf8);
        let padding: &[u8] = if padded { b"\n" } else { b"" };
        parser.set_input(body.as_bytes().chain(padding));
        Self {
            source,
            text,
            skipped: text.len() - body.len(),
            parser,
            padded,
            anchors: HashMap::new(),
            budget,
            nodes: 0,
            quote: None,
            read: 0,
            gave_up: false,
            problems: Vec::new(),
        }
    }

    /// Reads all documents.
    pub(super) fn read(&mut self) -> Reading {
        let mut documents = Vec::new();
        let fatal = self.read_documents(&mut documents).err();
        let complete = fatal.is_none();
        self.problems.extend(fatal.map(|fatal| *fatal));
        Reading {
            documents,
            problems: std::mem::take(&mut self.problems),
            complete,
        }
    }

    /// Whether the scanner panicked, so that more could be read by other means.
    pub(super) fn gave_up(&self) -> bool {
        self.gave_up
    }

    fn read_documents(&mut self, documents: &mut Vec<Node>) -> Result<(), Fatal> {
        let mut seen = 0;
        loop {
            let event = self.next()?;
            match event.data {
                EventData::StreamEnd => return Ok(()),
                EventData::DocumentStart {
                    version_directive, ..
                } => {
                    if version_directive.is_some_and(|version| version.minor != 1) {
                        return Err(Box::new(syntax::unsupported_version(self.span(&event))));
                    }
                    seen += 1;
                    if seen > limits::MAX_DOCUMENTS {
                        let span = self.span(&event);
                        return Err(Box::new(limits::too_many_documents().at(span)));
                    }
                    self.anchors.clear();
                    let first = self.next()?;
                    let document = self.node(first, Path::Root)?;
                    documents.extend((!document.is_null()).then_some(document));
                }
                _ => {}
            }
        }
    }

    fn next(&mut self) -> Result<Event, Fatal> {
        // The scanner panics where a tag runs into a comma.
        let Some(result) = guard::quietly(|| self.parser.parse()) else {
            self.gave_up = true;
            let behind = self.read.min(self.text.len());
            return Err(Box::new(syntax::given_up(self.source, self.text, behind)));
        };
        let event = result.map_err(|error| {
            Box::new(syntax::explain(
                &error,
                self.source,
                self.text,
                self.skipped,
                self.quote,
            ))
        })?;
        self.read = event.end_mark.index as usize + self.skipped;
        Ok(event)
    }

    fn span(&self, event: &Event) -> Span {
        self.between(event.start_mark, event.end_mark)
    }

    /// The place between two marks without the blank space at its end.
    fn between(&self, start: Mark, end: Mark) -> Span {
        let first = (start.index as usize + self.skipped).min(self.text.len());
        let last = (end.index as usize + self.skipped).min(self.text.len());
        let written = self.text.get(first..last).unwrap_or("").trim_end();
        Span {
            source: self.source,
            start: first as u32,
            end: (first + written.len()) as u32,
            line: start.line as u32 + 1,
            column: start.column as u32 + 1,
        }
    }

    fn is_past_text(&self, mark: Mark) -> bool {
        mark.index as usize + self.skipped > self.text.len()
    }

    fn node(&mut self, event: Event, path: Path) -> Result<Node, Fatal> {
        let span = self.span(&event);
        self.nodes += 1;
        if self.nodes > limits::MAX_NODES {
            return Err(Box::new(limits::too_many().at(span)));
        }
        if self.problems.len() > limits::MAX_PROBLEMS {
            return Err(Box::new(limits::too_many_problems().at(span)));
        }
        match event.data {
            EventData::Alias { anchor } => self.alias(&anchor, span),
            EventData::Scalar {
                anchor,
                tag,
                mut value,
                style,
                ..
            } => {
                if self.padded && is_block(style) && self.is_past_text(event.end_mark) {
                    let written = value.strip_suffix('\n').map_or(value.len(), str::len);
                    value.truncate(written);
                }
                let plain = style == ScalarStyle::Plain;
                let quoted =
                    [ScalarStyle::SingleQuoted, ScalarStyle::DoubleQuoted].contains(&style);
                let lines = event.end_mark.line > event.start_mark.line;
                self.quote = (quoted && lines).then_some(span);
                let value = self.scalar(tag.as_deref(), value, plain, span);
                self.finish(value, span, tag.as_deref(), anchor)
            }
            EventData::SequenceStart { anchor, tag, .. } => {
                self.open(anchor.as_deref(), span, &path)?;
                let (value, end) = self.sequence(&path)?;
                let span = self.extended(span, event.start_mark, end);
                self.finish(value, span, tag.as_deref(), anchor)
            }
            EventData::MappingStart { anchor, tag, .. } => {
                self.open(anchor.as_deref(), span, &path)?;
                let (value, end) = self.mapping(&path)?;
                let span = self.extended(span, event.start_mark, end);
                self.finish(value, span, tag.as_deref(), anchor)
            }
            _ => Ok(Node::new(Value::Null, span)),
        }
    }

    /// The place of a collection. The parser puts the end of a block collection in front of the
    /// next token, behind comments; the last child ends before them.
    fn extended(&self, span: Span, start: Mark, end: CollectionEnd) -> Span {
        match end {
            CollectionEnd::Flow(mark) => self.between(start, mark),
            CollectionEnd::Block(last) => Span {
                end: last.unwrap_or(span.end).max(span.end),
                ..span
            },
        }
    }

    fn open(&mut self, anchor: Option<&str>, span: Span, path: &Path) -> Result<(), Fatal> {
        if path.depth() >= limits::MAX_DEPTH {
            return Err(Box::new(limits::too_deep().at(span)));
        }
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor.to_owned(), Anchor::Open(span));
        }
        Ok(())
    }

    fn finish(
        &mut self,
        value: Value,
        span: Span,
        tag: Option<&str>,
        anchor: Option<String>,
    ) -> Result<Node, Fatal> {
        self.problems.extend(scalar::unknown_tag(tag, span));
        let node = Node {
            value,
            span,
            directive: scalar::directive(tag),
        };
        if let Some(anchor) = anchor {
            let cost = cost(&node);
            self.spend(cost, span)?;
            self.anchors
                .insert(anchor, Anchor::Done(without_resets(node.clone()), cost));
        }
        Ok(node)
    }

    fn spend(&mut self, cost: usize, span: Span) -> Result<(), Fatal> {
        self.budget
            .take(cost)
            .ok_or_else(|| Box::new(limits::too_many_copies().at(span)))
    }

    fn alias(&mut self, name: &str, span: Span) -> Result<Node, Fatal> {
        let cost = match self.anchors.get(name) {
            None => {
                let known = self.anchors.keys().map(String::as_str);
                let mut problem = Diagnostic::error(format!("unknown anchor `{name}`"))
                    .code(code::UNKNOWN_ANCHOR)
                    .at(span)
                    .label("no `&` before this place defines it");
                problem.help = similar(name, known).map(|name| format!("did you mean `*{name}`?"));
                self.problems.push(problem);
                return Ok(Node::new(Value::Null, span));
            }
            Some(Anchor::Open(anchor)) => {
                let anchor = *anchor;
                self.problems.push(
                    Diagnostic::error(format!("cycle detected: `*{name}` is part of `&{name}`"))
                        .code(code::UNKNOWN_ANCHOR)
                        .at(span)
                        .related(anchor, "the anchor is defined here")
                        .help("a value cannot contain itself: write out what is meant"),
                );
                return Ok(Node::new(Value::Null, span));
            }
            Some(Anchor::Done(_, cost)) => *cost,
        };
        self.spend(cost, span)?;
        match self.anchors.get(name) {
            Some(Anchor::Done(node, _)) => Ok(node.clone()),
            _ => Ok(Node::new(Value::Null, span)),
        }
    }

    fn scalar(&mut self, tag: Option<&str>, text: String, plain: bool, span: Span) -> Value {
        scalar::resolve(Tag::new(tag), text, plain).unwrap_or_else(|message| {
            self.problems
                .push(Diagnostic::error(message).code(code::INVALID_TAG).at(span));
            Value::Null
        })
    }

    fn sequence(&mut self, path: &Path) -> Result<(Value, CollectionEnd), Fatal> {
        let mut items = Vec::new();
        let mut last = None;
        loop {
            let event = self.next()?;
            if event.data == EventData::SequenceEnd {
                return Ok((Value::Seq(items), self.collection_end(&event, last)));
            }
            let written = self.span(&event).end;
            let node = self.node(event, Path::Item(path, items.len()))?;
            last = Some(own_end(&node, written));
            items.push(node);
        }
    }

    fn mapping(&mut self, path: &Path) -> Result<(Value, CollectionEnd), Fatal> {
        let mut map = Map::new();
        let mut merge: Option<(Span, Node)> = None;
        let mut last = None;
        loop {
            let event = self.next()?;
            if event.data == EventData::MappingEnd {
                let end = self.collection_end(&event, last);
                let problem = merge.and_then(|(_, brought)| merge_key::merge(&mut map, brought));
                self.problems.extend(problem);
                return Ok((Value::Map(map), end));
            }
            let key = self.key(event, path)?;
            let event = self.next()?;
            let written = self.span(&event).end;
            let node = self.node(event, Path::Key(path, &key.text))?;
            last = Some(own_end(&node, written));
            if let Some(first) = first_definition(&key.text, &map, merge.as_ref()) {
                self.problems.push(duplicate(&key, first));
            } else if key.merge {
                merge = Some((key.span, node));
            } else {
                let entry = Entry {
                    key: key.span,
                    node,
                };
                map.insert(key.text, entry);
            }
        }
    }

    /// Where a collection ended: at its bracket, or after its last child.
    fn collection_end(&self, event: &Event, last: Option<u32>) -> CollectionEnd {
        let bracket = self.span(event);
        if bracket.start < bracket.end {
            CollectionEnd::Flow(event.end_mark)
        } else {
            CollectionEnd::Block(last)
        }
    }

    fn key(&mut self, event: Event, path: &Path) -> Result<Key, Fatal> {
        let span = self.span(&event);
        let (text, tag, plain) = match &event.data {
            EventData::Scalar {
                value, tag, style, ..
            } => (value.clone(), tag.clone(), *style == ScalarStyle::Plain),
            EventData::Alias { .. } => (String::new(), None, false),
            _ => {
                let node = self.node(event, Path::Key(path, "?"))?;
                self.problems.push(
                    Diagnostic::error(format!("{} cannot be a key", node.a_type()))
                        .code(code::INVALID_KEY)
                        .at(node.span)
                        .help("quote the key if it is meant as text"),
                );
                return Ok(Key {
                    text: format!("\0{}", span.start),
                    span: node.span,
                    merge: false,
                });
            }
        };
        let merge = text == "<<"
            && match Tag::new(tag.as_deref()) {
                Tag::None => plain,
                Tag::Core(name) => name == "merge",
                Tag::Other => false,
            };
        let node = self.node(event, *path)?;
        let text = if let Value::Str(value) = &node.value {
            value.clone()
        } else {
            self.problems.push(non_string_key(&node, &text, path, span));
            text
        };
        Ok(Key { text, span, merge })
    }
}

/// What an alias stands for: `!reset` inside of it counts at the anchor only, as in docker compose.
fn without_resets(mut node: Node) -> Node {
    drop_resets(&mut node);
    node
}

fn drop_resets(node: &mut Node) {
    let keep = |node: &mut Node| {
        drop_resets(node);
        node.directive != Some(Directive::Reset)
    };
    match &mut node.value {
        Value::Map(map) => map.retain(|_, entry| keep(&mut entry.node)),
        Value::Seq(items) => items.retain_mut(keep),
        _ => {}
    }
}

enum CollectionEnd {
    /// At a closing bracket.
    Flow(Mark),
    /// After the last child, if there is one: a byte offset.
    Block(Option<u32>),
}

fn is_block(style: ScalarStyle) -> bool {
    matches!(style, ScalarStyle::Literal | ScalarStyle::Folded)
}

/// The end of a child in the text: that of the alias, not that of what it expands to.
fn own_end(node: &Node, written: u32) -> u32 {
    match node.value {
        Value::Seq(_) | Value::Map(_) => node.span.end.max(written),
        _ => written,
    }
}

fn first_definition(text: &str, map: &Map, merge: Option<&(Span, Node)>) -> Option<Span> {
    let merged = merge.filter(|_| text == "<<").map(|(span, _)| *span);
    merged.or_else(|| map.get(text).map(|entry| entry.key))
}

fn duplicate(key: &Key, first: Span) -> Diagnostic {
    let Key { text, span, .. } = key;
    Diagnostic::error(format!(
        "key \"{text}\" is already defined at line {}",
        first.line
    ))
    .code(code::DUPLICATE_KEY)
    .at(*span)
    .label("defined again")
    .related(first, "first defined here")
}

fn non_string_key(node: &Node, text: &str, path: &Path, span: Span) -> Diagnostic {
    let place = match path {
        Path::Root => "at top level".to_owned(),
        path => format!("in {path}"),
    };
    Diagnostic::error(format!("non-string key {place}: {text}"))
        .code(code::INVALID_KEY)
        .at(span)
        .label(format!("this is {}", node.a_type()))
        .help(format!("quote it: \"{text}\""))
}
