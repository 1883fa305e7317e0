//! The spanned tree that every loading stage works on, from YAML to decoding.

pub use super::map::Map;
use super::source::Span;

/// A value of a compose file together with the place it was written at.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The value itself.
    pub value: Value,
    /// Where it was written.
    pub span: Span,
    /// A merge instruction carried as a YAML tag.
    pub directive: Option<Directive>,
}

/// `!reset` and `!override`, which steer merging of override files (compose-spec, merge.md).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Directive {
    /// `!reset`: the attribute is removed.
    Reset,
    /// `!override`: the value replaces what it would be merged with.
    Override,
}

/// A YAML value as go-yaml resolves it.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `null`, `~` or nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer that fits 64 signed bits.
    Int(i64),
    /// An integer above `i64::MAX`.
    Uint(u64),
    /// A floating point number.
    Float(f64),
    /// A timestamp, formatted as RFC 3339; not allowed where text is expected.
    Timestamp(String),
    /// Text.
    Str(String),
    /// A sequence.
    Seq(Vec<Node>),
    /// A mapping.
    Map(Map),
}

/// One `key: value` of a mapping.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Where the key was written.
    pub key: Span,
    /// The value.
    pub node: Node,
}

impl Node {
    /// A node without a merge directive.
    pub fn new(value: Value, span: Span) -> Self {
        Self {
            value,
            span,
            directive: None,
        }
    }

    /// A text node.
    pub fn str(text: impl Into<String>, span: Span) -> Self {
        Self::new(Value::Str(text.into()), span)
    }

    /// The mapping, if this is one.
    pub fn as_map(&self) -> Option<&Map> {
        match &self.value {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The mapping, if this is one.
    pub fn as_map_mut(&mut self) -> Option<&mut Map> {
        match &mut self.value {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The elements, if this is a sequence.
    pub fn as_seq(&self) -> Option<&[Node]> {
        match &self.value {
            Value::Seq(items) => Some(items),
            _ => None,
        }
    }

    /// The text, if this is text.
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::Str(text) => Some(text),
            _ => None,
        }
    }

    /// Whether this is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self.value, Value::Null)
    }

    /// The value at `key`, if this is a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.as_map()?.get(key).map(|entry| &entry.node)
    }

    /// The value at a path of mapping keys.
    pub fn at(&self, path: &[&str]) -> Option<&Node> {
        path.iter().try_fold(self, |node, key| node.get(key))
    }

    /// The YAML name of the value's type, for messages.
    pub fn type_name(&self) -> &'static str {
        match self.value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Int(_) | Value::Uint(_) => "integer",
            Value::Float(_) => "number",
            Value::Timestamp(_) => "timestamp",
            Value::Str(_) => "string",
            Value::Seq(_) => "list",
            Value::Map(_) => "mapping",
        }
    }

    /// The type with its article, for messages: `a list`, `an integer`.
    pub fn a_type(&self) -> &'static str {
        match self.value {
            Value::Null => "empty",
            Value::Bool(_) => "a boolean",
            Value::Int(_) | Value::Uint(_) => "an integer",
            Value::Float(_) => "a number",
            Value::Timestamp(_) => "a timestamp",
            Value::Str(_) => "a text",
            Value::Seq(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }
}
