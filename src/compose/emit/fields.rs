//! Builds the mapping of one struct, leaving out what Go's `omitempty` leaves out.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Display;

use super::key_order;
use super::value::Value;
use crate::compose::model::{Environment, Extensions, Mapping};
use crate::compose::node::{self, Node};

/// What the tree is built for. The two formats of docker compose differ in more than syntax.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `config --format json`, and what is hashed.
    Json,
    /// `config` as YAML.
    Yaml,
}

impl Format {
    /// Whether this is YAML.
    pub(super) fn is_yaml(self) -> bool {
        self == Self::Yaml
    }
}

/// The attributes of one struct, in the order in which they are added.
pub(super) struct Fields<'a> {
    pub(super) format: Format,
    entries: Vec<(Cow<'a, str>, Value<'a>)>,
}

impl<'a> Fields<'a> {
    pub(super) fn new(format: Format) -> Self {
        Self {
            format,
            entries: Vec::new(),
        }
    }

    /// Adds an attribute whatever its value.
    pub(super) fn always(mut self, key: &'static str, value: Value<'a>) -> Self {
        self.entries.push((Cow::Borrowed(key), value));
        self
    }

    /// Adds an attribute if it has a value.
    pub(super) fn maybe(self, key: &'static str, value: Option<Value<'a>>) -> Self {
        match value {
            Some(value) => self.always(key, value),
            None => self,
        }
    }

    /// Adds a struct that JSON always shows and YAML only where something is in it.
    pub(super) fn structure(self, key: &'static str, value: Value<'a>) -> Self {
        match (&value, self.format) {
            (Value::Map(entries), Format::Yaml) if entries.is_empty() => self,
            _ => self.always(key, value),
        }
    }

    /// Adds text that is not empty.
    pub(super) fn text(self, key: &'static str, text: Option<&'a String>) -> Self {
        self.maybe(
            key,
            text.filter(|text| !text.is_empty())
                .map(|text| Value::str(text.as_str())),
        )
    }

    /// Adds a flag that is set.
    pub(super) fn flag(self, key: &'static str, flag: bool) -> Self {
        self.maybe(key, flag.then_some(Value::Bool(true)))
    }

    /// Adds a flag that was given.
    pub(super) fn given_flag(self, key: &'static str, flag: Option<bool>) -> Self {
        self.maybe(key, flag.map(Value::Bool))
    }

    /// Adds an integer other than 0.
    pub(super) fn int(self, key: &'static str, number: Option<i64>) -> Self {
        self.maybe(key, number.filter(|number| *number != 0).map(Value::Int))
    }

    /// Adds an integer that was given.
    pub(super) fn given_uint(self, key: &'static str, number: Option<u64>) -> Self {
        self.maybe(key, number.map(Value::Uint))
    }

    /// Adds a number other than 0.
    pub(super) fn float(self, key: &'static str, number: Option<f32>) -> Self {
        self.maybe(
            key,
            number.filter(|number| *number != 0.0).map(Value::Float32),
        )
    }

    /// Adds the text of a size or duration other than 0.
    pub(super) fn display<T: Display + Default + PartialEq>(
        self,
        key: &'static str,
        value: Option<T>,
    ) -> Self {
        self.given(key, value.filter(|value| *value != T::default()))
    }

    /// Adds the text of a size or duration that was given.
    pub(super) fn given<T: Display>(self, key: &'static str, value: Option<T>) -> Self {
        self.maybe(key, value.map(|value| Value::str(value.to_string())))
    }

    /// Adds a list of texts that is not empty.
    pub(super) fn texts(self, key: &'static str, texts: &'a [String]) -> Self {
        self.maybe(key, (!texts.is_empty()).then(|| Value::strs(texts)))
    }

    /// Adds a list that is not empty.
    pub(super) fn list<T>(
        self,
        key: &'static str,
        items: &'a [T],
        emit: impl Fn(&'a T, Format) -> Value<'a>,
    ) -> Self {
        let format = self.format;
        let list = || Value::List(items.iter().map(|item| emit(item, format)).collect());
        self.maybe(key, (!items.is_empty()).then(list))
    }

    /// Adds a mapping that is not empty, its keys in the order of the format.
    pub(super) fn map<T>(
        self,
        key: &'static str,
        map: &'a BTreeMap<String, T>,
        emit: impl Fn(&'a T, Format) -> Value<'a>,
    ) -> Self {
        let value = (!map.is_empty()).then(|| keyed(map, self.format, emit));
        self.maybe(key, value)
    }

    /// Adds a mapping of texts that is not empty.
    pub(super) fn mapping(self, key: &'static str, map: &'a Mapping) -> Self {
        self.map(key, map, |text, _| Value::str(text.as_str()))
    }

    /// Adds variables that are not empty.
    pub(super) fn environment(self, key: &'static str, map: &'a Environment) -> Self {
        self.map(key, map, |text, _| match text {
            Some(text) => Value::str(text.as_str()),
            None => Value::Null,
        })
    }

    /// Adds a struct that was given.
    pub(super) fn object<T>(
        self,
        key: &'static str,
        value: Option<&'a T>,
        emit: impl Fn(&'a T, Format) -> Value<'a>,
    ) -> Self {
        let format = self.format;
        self.maybe(key, value.map(|value| emit(value, format)))
    }

    /// Adds the `x-*` attributes, which YAML alone shows, and ends the mapping.
    pub(super) fn extended(mut self, extensions: &'a Extensions) -> Value<'a> {
        if self.format.is_yaml() && !extensions.is_empty() {
            let Value::Map(entries) = keyed(extensions, self.format, node) else {
                return self.end();
            };
            self.entries.extend(entries);
        }
        self.end()
    }

    /// Ends the mapping.
    pub(super) fn end(self) -> Value<'a> {
        Value::Map(self.entries)
    }
}

/// A mapping with its keys in the order of the format: by bytes in JSON, by go-yaml's rule in YAML.
pub(super) fn keyed<'a, T>(
    map: &'a BTreeMap<String, T>,
    format: Format,
    emit: impl Fn(&'a T, Format) -> Value<'a>,
) -> Value<'a> {
    let mut entries: Vec<_> = map
        .iter()
        .map(|(key, value)| (Cow::Borrowed(key.as_str()), emit(value, format)))
        .collect();
    if format.is_yaml() {
        entries.sort_by(|(a, _), (b, _)| key_order::compare(a, b));
    }
    Value::Map(entries)
}

/// An untyped value, its mappings sorted.
pub(super) fn node(node: &Node, format: Format) -> Value<'_> {
    match &node.value {
        node::Value::Null => Value::Null,
        node::Value::Bool(flag) => Value::Bool(*flag),
        node::Value::Int(number) => Value::Int(*number),
        node::Value::Uint(number) => Value::Uint(*number),
        node::Value::Float(number) => Value::Float(*number),
        node::Value::Timestamp(text) => Value::Timestamp(text),
        node::Value::Str(text) => Value::str(text.as_str()),
        // docker compose keeps no difference between an empty list and none, and JSON shows it.
        node::Value::Seq(items) if items.is_empty() && !format.is_yaml() => Value::Null,
        node::Value::Seq(items) => {
            Value::List(items.iter().map(|item| self::node(item, format)).collect())
        }
        node::Value::Map(map) => {
            let mut entries: Vec<_> = map
                .iter()
                .map(|(key, entry)| (Cow::Borrowed(key.as_str()), self::node(&entry.node, format)))
                .collect();
            if format.is_yaml() {
                entries.sort_by(|(a, _), (b, _)| key_order::compare(a, b));
            } else {
                entries.sort_by(|(a, _), (b, _)| a.cmp(b));
            }
            Value::Map(entries)
        }
    }
}
