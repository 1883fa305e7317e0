//! The neutral tree between the model and the writers.

use std::borrow::Cow;

/// A value to be written. Mappings are in the order in which they are written.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// An integer above `i64::MAX`.
    Uint(u64),
    /// A 32-bit floating point number.
    Float32(f32),
    /// A 64-bit floating point number.
    Float(f64),
    /// Text.
    Str(Cow<'a, str>),
    /// A timestamp; YAML writes it without quotes.
    Timestamp(&'a str),
    /// A sequence.
    List(Vec<Value<'a>>),
    /// A mapping.
    Map(Vec<(Cow<'a, str>, Value<'a>)>),
}

impl<'a> Value<'a> {
    /// Text.
    pub(super) fn str(text: impl Into<Cow<'a, str>>) -> Self {
        Self::Str(text.into())
    }

    /// A list of texts.
    pub(super) fn strs(texts: &'a [String]) -> Self {
        Self::List(texts.iter().map(|text| Self::str(text.as_str())).collect())
    }
}
