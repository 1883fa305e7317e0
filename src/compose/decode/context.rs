//! Where decoding is and what it found wrong.

use std::fmt::Write as _;

use super::home;
use crate::compose::diagnostic::similar::similar;
use crate::compose::diagnostic::{Code, Diagnostic, code};
use crate::compose::model::Extensions;
use crate::compose::node::{Entry, Map, Node, Value};
use crate::compose::source::Span;

/// One step of the path from the root to the value being decoded.
#[derive(Debug, Clone, Copy)]
enum Step<'a> {
    Key(&'a str),
    Index(usize),
}

/// Collects the problems found while decoding, each with its place.
#[derive(Debug, Default)]
pub struct Context<'a> {
    /// What was found, in the order of the file.
    pub diagnostics: Vec<Diagnostic>,
    path: Vec<Step<'a>>,
}

impl<'a> Context<'a> {
    /// A context that has found nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether an error was found.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }

    /// Runs `decode` with `key` added to the path.
    pub(super) fn at_key<T>(&mut self, key: &'a str, decode: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(Step::Key(key));
        let value = decode(self);
        self.path.pop();
        value
    }

    /// Runs `decode` with the index of a list's element added to the path.
    pub(super) fn at_index<T>(&mut self, index: usize, decode: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(Step::Index(index));
        let value = decode(self);
        self.path.pop();
        value
    }

    /// The path as text: `services.web.ports[0]`.
    pub(super) fn path(&self) -> String {
        let mut text = String::new();
        for step in &self.path {
            match step {
                Step::Key(key) => {
                    if !text.is_empty() {
                        text.push('.');
                    }
                    text.push_str(key);
                }
                Step::Index(index) => {
                    let _ = write!(text, "[{index}]");
                }
            }
        }
        text
    }

    /// The path as a person would say it: `service "web"`, else the path.
    fn owner(&self) -> String {
        match self.path[..] {
            [] => "the compose file".to_owned(),
            [Step::Key(section), Step::Key(name)] => {
                let noun = section.strip_suffix('s').unwrap_or(section);
                format!("{noun} \"{name}\"")
            }
            _ => self.path(),
        }
    }

    /// Records an error at a place; the message starts with the path.
    pub(super) fn error(&mut self, span: Span, message: &str) -> &mut Diagnostic {
        let path = self.path();
        let diagnostic = Diagnostic::error(format!("{path} {message}"))
            .code(code::INVALID_VALUE)
            .at(span)
            .path(path);
        self.push(diagnostic)
    }

    /// Records a warning at a place; the message starts with the path.
    pub(super) fn warning(&mut self, span: Span, message: &str) -> &mut Diagnostic {
        let path = self.path();
        let diagnostic = Diagnostic::warning(format!("{path} {message}"))
            .code(code::OBSOLETE_ATTRIBUTE)
            .at(span)
            .path(path);
        self.push(diagnostic)
    }

    fn push(&mut self, diagnostic: Diagnostic) -> &mut Diagnostic {
        self.diagnostics.push(diagnostic);
        let last = self.diagnostics.len() - 1;
        &mut self.diagnostics[last]
    }

    /// Records that a value has the wrong type, and returns nothing.
    pub(super) fn wrong_type<T>(&mut self, node: &Node, wanted: &str) -> Option<T> {
        let help = match &node.value {
            Value::Str(text) if wanted.ends_with("list") && text.len() <= 40 => {
                format!("write it as a list: [\"{text}\"]")
            }
            Value::Map(map) if wanted == "a text" => self.unquoted_colon(map).unwrap_or_default(),
            _ => String::new(),
        };
        self.invalid(
            code::WRONG_TYPE,
            node,
            &format!("must be {wanted}, not {}", describe(node)),
            &help,
        )
    }

    /// What to do about a text that became a mapping because there is `: ` in it.
    fn unquoted_colon(&self, map: &Map) -> Option<String> {
        const ASSIGNMENTS: [&str; 5] = ["environment", "labels", "args", "sysctls", "annotations"];
        let (key, entry) = map.first().filter(|_| map.len() == 1)?;
        let value = super::scalar::display(&entry.node.value)?;
        let list = self.path.iter().rev().find_map(|step| match step {
            Step::Key(key) => Some(*key),
            Step::Index(_) => None,
        });
        Some(if list.is_some_and(|list| ASSIGNMENTS.contains(&list)) {
            format!("write it as \"{key}={value}\", or leave out the `- ` of every line")
        } else {
            format!("put it in quotes: \"{key}: {value}\"")
        })
    }

    /// Records that a text cannot be read, and returns nothing.
    pub(super) fn unreadable<T>(&mut self, node: &Node, reason: &str, help: &str) -> Option<T> {
        self.invalid(code::INVALID_VALUE, node, reason, help)
    }

    /// Records a problem of a kind with a value, and returns nothing.
    pub(super) fn invalid<T>(
        &mut self,
        code: Code,
        node: &Node,
        reason: &str,
        help: &str,
    ) -> Option<T> {
        let error = self.error(node.span, reason);
        error.code = code;
        if !help.is_empty() {
            error.help = Some(help.to_owned());
        }
        None
    }

    /// The mapping of a node, or an error.
    pub(super) fn mapping(&mut self, node: &'a Node) -> Option<&'a Map> {
        match &node.value {
            Value::Map(map) => Some(map),
            other => {
                let help = match other {
                    Value::Seq(_) => "write `key: value` lines instead of items with `- `",
                    Value::Null => "write its attributes below it, or remove it",
                    _ => "write `key: value` lines below it",
                };
                let path = self.path();
                let misplaced = path
                    .strip_prefix("services.")
                    .and_then(|name| home::advice("", name));
                let wanted = if home::may_be_short(&path) {
                    "a text or a mapping"
                } else {
                    "a mapping"
                };
                let reason = format!("must be {wanted}, not {}", describe(node));
                let help = misplaced.as_deref().unwrap_or(help);
                self.invalid(code::WRONG_TYPE, node, &reason, help)
            }
        }
    }

    /// The elements of a node, or an error.
    pub(super) fn sequence(&mut self, node: &'a Node) -> Option<&'a [Node]> {
        match &node.value {
            Value::Seq(items) => Some(items),
            other => {
                let help = match super::scalar::display(other) {
                    _ if self.path().rsplit('.').next() == Some("gpus") => {
                        "write `gpus: all`, or `gpus: [{count: 2}]`".to_owned()
                    }
                    Some(text) if text.len() <= 40 && matches!(other, Value::Str(_)) => {
                        format!("write it as a list: [\"{text}\"]")
                    }
                    Some(text) if text.len() <= 40 => format!("write it as a list: [{text}]"),
                    _ => "write one `- item` on each line".to_owned(),
                };
                let reason = format!("must be a list, not {}", describe(node));
                self.invalid(code::WRONG_TYPE, node, &reason, &help)
            }
        }
    }

    /// Keeps an `x-*` attribute, refuses any other.
    pub(super) fn other_attribute(
        &mut self,
        key: &str,
        entry: &Entry,
        known: &[&str],
        extensions: Option<&mut Extensions>,
    ) {
        match extensions {
            Some(extensions) if key.starts_with("x-") => {
                extensions.insert(key.to_owned(), entry.node.clone());
            }
            other => self.unknown_attribute(key, entry, known, other.is_some()),
        }
    }

    fn unknown_attribute(&mut self, key: &str, entry: &Entry, known: &[&str], extensible: bool) {
        let span = entry.key;
        let message = format!("unknown attribute \"{key}\" in {}", self.owner());
        let mut diagnostic = Diagnostic::error(message)
            .code(code::UNKNOWN_ATTRIBUTE)
            .at(span)
            .path(join(&self.path(), key));
        let path = self.path();
        diagnostic.help = home::advice(&path, key)
            .or_else(|| {
                similar(key, known.iter().copied()).map(|name| format!("did you mean \"{name}\"?"))
            })
            .or_else(|| home::service_at_top(&path, key, &entry.node))
            .or_else(|| few(known))
            .or_else(|| extensible.then(|| format!("remove it, or name it `x-{key}` to keep it")));
        self.diagnostics.push(diagnostic);
    }

    /// Records an error for each attribute that must be there and is not.
    /// `known` are all attributes: a mapping with unknown ones only is something else altogether,
    /// which is said of those.
    pub(super) fn require(&mut self, node: &Node, map: &Map, keys: &[&str], known: &[&str]) {
        let is_known = |key: &String| known.contains(&key.as_str());
        let is_unknown = |key: &String| !is_known(key) && !key.starts_with("x-");
        if map.keys().any(is_unknown) && !map.keys().any(is_known) {
            return;
        }
        for key in keys {
            if !map.contains_key(key) {
                let message = format!("{} has no \"{key}\"", self.owner());
                self.diagnostics.push(
                    Diagnostic::error(message)
                        .code(code::MISSING_ATTRIBUTE)
                        .path(join(&self.path(), key))
                        .at(node.span)
                        .help(format!("add the attribute \"{key}\"")),
                );
            }
        }
    }
}

/// The path of `key` below a path.
fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

/// All attributes, where they are few enough to be named.
fn few(known: &[&str]) -> Option<String> {
    (known.len() <= 12).then(|| format!("it takes {}", known.join(", ")))
}

/// What a value is, for a message: scalars with their text.
pub(super) fn describe(node: &Node) -> String {
    match &node.value {
        Value::Null => "empty".to_owned(),
        Value::Str(text) if text.len() <= 40 => format!("the text \"{text}\""),
        Value::Str(_) => "a text".to_owned(),
        Value::Bool(flag) => format!("{flag}"),
        Value::Int(number) => format!("the number {number}"),
        Value::Uint(number) => format!("the number {number}"),
        Value::Float(number) => format!("the number {number}"),
        Value::Timestamp(_) => "a timestamp".to_owned(),
        Value::Seq(_) => "a list".to_owned(),
        Value::Map(_) => "a mapping".to_owned(),
    }
}
