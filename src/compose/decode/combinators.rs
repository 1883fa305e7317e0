//! Decoders built from decoders, and the macro that decodes a mapping into a struct.
//!
//! A decoder is a function from a node to `Option<T>`; `None` means that a problem was recorded
//! and the field keeps its default, so that decoding goes on and finds the other problems.

use std::collections::{BTreeMap, HashSet};

use super::Context;
use super::context::describe;
use crate::compose::diagnostic::code;
use crate::compose::node::{Entry, Node, Value};

/// Decodes a mapping with known attributes into a struct.
///
/// `extensions` names the field that keeps `x-*` attributes; without it they are refused, and
/// with `extensions dropped` they are allowed and dropped. `require` lists the attributes that
/// must be there.
macro_rules! record {
    (
        $(#[$meta:meta])*
        $visibility:vis fn $name:ident -> $type:ty = $start:expr;
        extensions $extensions:ident;
        require [$($required:literal),*];
        $($key:literal => $field:ident: $decode:expr,)*
    ) => {
        record!(@table $name -> $type; $extensions; [$($required),*]; $($key => $field: $decode,)*);

        $(#[$meta])*
        $visibility fn $name<'a>(
            node: &'a $crate::compose::node::Node,
            cx: &mut $crate::compose::decode::Context<'a>,
        ) -> Option<$type> {
            let map = cx.mapping(node)?;
            let mut record: $type = $start;
            cx.require(node, map, &[$($required),*], &[$($key),*]);
            for (key, entry) in map {
                match key.as_str() {
                    $($key => {
                        if let Some(value) = cx.at_key($key, |cx| $decode(&entry.node, cx)) {
                            record.$field = value;
                        }
                    })*
                    _ => record!(@other $extensions, record, cx, key, entry, [$($key),*]),
                }
            }
            Some(record)
        }
    };
    // The attributes as data, for the schema: a type of the decoder's name that has the table.
    (
        @table $name:ident -> $type:ty; $extensions:ident; [$($required:literal),*];
        $($key:literal => $field:ident: $decode:expr,)*
    ) => {
        #[cfg(test)]
        #[expect(non_camel_case_types, reason = "it is named after the decoder")]
        pub(in crate::compose) enum $name {}

        #[cfg(test)]
        impl $name {
            /// What the decoder of this name reads.
            pub(in crate::compose) const RECORD: $crate::compose::decode::records::Record =
                $crate::compose::decode::records::Record {
                    module: module_path!(),
                    name: stringify!($name),
                    model: stringify!($type),
                    extensions: stringify!($extensions),
                    required: &[$($required),*],
                    attributes: &[$($crate::compose::decode::records::Attribute {
                        key: $key,
                        field: stringify!($field),
                        decoder: stringify!($decode),
                    }),*],
                };
        }
    };
    (@other refused, $record:ident, $cx:ident, $key:ident, $entry:ident, [$($known:literal),*]) => {
        $cx.other_attribute($key, $entry, &[$($known),*], None)
    };
    (@other dropped, $record:ident, $cx:ident, $key:ident, $entry:ident, [$($known:literal),*]) => {
        if !$key.starts_with("x-") {
            $cx.other_attribute($key, $entry, &[$($known),*], None);
        }
    };
    (@other $field:ident, $record:ident, $cx:ident, $key:ident, $entry:ident, [$($known:literal),*]) => {
        $cx.other_attribute($key, $entry, &[$($known),*], Some(&mut $record.$field))
    };
}
pub(super) use record;

/// A value that was written: `Some` of what `decode` makes of it.
pub(super) fn some<'a, T>(
    decode: impl Fn(&'a Node, &mut Context<'a>) -> Option<T>,
) -> impl Fn(&'a Node, &mut Context<'a>) -> Option<Option<T>> {
    move |node, cx| decode(node, cx).map(Some)
}

/// A value where the type's empty value (`""`, 0) is the same as none.
pub(super) fn non_empty<'a, T: Default + PartialEq>(
    decode: impl Fn(&'a Node, &mut Context<'a>) -> Option<T>,
) -> impl Fn(&'a Node, &mut Context<'a>) -> Option<Option<T>> {
    move |node, cx| decode(node, cx).map(|value| Some(value).filter(|value| *value != T::default()))
}

/// `null` is `None`, anything else is decoded.
pub(super) fn nullable<'a, T>(
    decode: impl Fn(&'a Node, &mut Context<'a>) -> Option<T>,
) -> impl Fn(&'a Node, &mut Context<'a>) -> Option<Option<T>> {
    move |node, cx| {
        if node.is_null() {
            Some(None)
        } else {
            decode(node, cx).map(Some)
        }
    }
}

/// A value on the heap: one of many in a mapping that are mostly empty.
pub(super) fn boxed<'a, T>(
    decode: impl Fn(&'a Node, &mut Context<'a>) -> Option<T>,
) -> impl Fn(&'a Node, &mut Context<'a>) -> Option<Box<T>> {
    move |node, cx| decode(node, cx).map(Box::new)
}

/// `null` is the default, anything else is decoded.
pub(super) fn or_default<'a, T: Default>(
    decode: impl Fn(&'a Node, &mut Context<'a>) -> Option<T>,
) -> impl Fn(&'a Node, &mut Context<'a>) -> Option<T> {
    move |node, cx| {
        if node.is_null() {
            Some(T::default())
        } else {
            decode(node, cx)
        }
    }
}

/// A list of which every element is decoded.
pub(super) fn list<'a, T>(
    decode: impl Fn(&'a Node, &mut Context<'a>) -> Option<T>,
) -> impl Fn(&'a Node, &mut Context<'a>) -> Option<Vec<T>> {
    move |node, cx| {
        let items = cx.sequence(node)?;
        let mut values = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            values.extend(cx.at_index(index, |cx| decode(item, cx)));
        }
        Some(values)
    }
}

/// A list of texts in which none comes twice.
pub(super) fn unique_texts<'a>(node: &'a Node, cx: &mut Context<'a>) -> Option<Vec<String>> {
    unique(super::scalar::text)(node, cx)
}

/// A list in which no text comes twice.
pub(super) fn unique<'a>(
    decode: impl Fn(&'a Node, &mut Context<'a>) -> Option<String>,
) -> impl Fn(&'a Node, &mut Context<'a>) -> Option<Vec<String>> {
    move |node, cx| {
        let texts = list(&decode)(node, cx)?;
        if texts.len() > 1 {
            check_unique(&texts, node, cx);
        }
        Some(texts)
    }
}

fn check_unique(texts: &[String], node: &Node, cx: &mut Context<'_>) {
    let mut seen = HashSet::with_capacity(texts.len());
    for (index, text) in texts.iter().enumerate() {
        if !seen.insert(text.as_str()) {
            let item = node.as_seq().and_then(|items| items.get(index));
            let span = item.map_or(node.span, |item| item.span);
            cx.error(span, &format!("contains \"{text}\" twice")).code = code::DUPLICATE_ITEM;
        }
    }
}

/// A text, or a list of different texts.
pub(super) fn text_or_list<'a>(node: &'a Node, cx: &mut Context<'a>) -> Option<Vec<String>> {
    match node.as_str() {
        Some(text) => Some(vec![text.to_owned()]),
        None if node.as_seq().is_some() => unique_texts(node, cx),
        None => cx.wrong_type(node, "a text or a list"),
    }
}

/// A mapping of which every value is decoded; names must be made of `A-Z a-z 0-9 . _ -`.
pub(super) fn named<'a, T>(
    decode: impl Fn(&'a str, &'a Node, &mut Context<'a>) -> Option<T>,
) -> impl Fn(&'a Node, &mut Context<'a>) -> Option<BTreeMap<String, T>> {
    move |node, cx| {
        let map = cx.mapping(node)?;
        let mut values = Vec::with_capacity(map.len());
        for (key, entry) in map {
            check_name(key, entry, cx);
            if let Some(value) = cx.at_key(key, |cx| decode(key, &entry.node, cx)) {
                values.push((key.clone(), value));
            }
        }
        // Made of a list, the map has no half-empty nodes.
        Some(values.into_iter().collect())
    }
}

/// As [`named`], for a mapping that may also be written as a list of its names.
pub(super) fn names<'a, T>(
    decode: impl Fn(&'a str, &'a Node, &mut Context<'a>) -> Option<T>,
) -> impl Fn(&'a Node, &mut Context<'a>) -> Option<BTreeMap<String, T>> {
    let decode = named(decode);
    move |node, cx| match &node.value {
        Value::Map(_) | Value::Seq(_) => decode(node, cx),
        _ => {
            let help = match node.as_str() {
                Some(name) => format!("write it as a list: [{name}]"),
                None => "write a list of names".to_owned(),
            };
            let reason = format!("must be a list or a mapping, not {}", describe(node));
            cx.invalid(code::WRONG_TYPE, node, &reason, &help)
        }
    }
}

/// A mapping of which every value is decoded, whatever the keys.
pub(super) fn keyed<'a, T>(
    decode: impl Fn(&'a Node, &mut Context<'a>) -> Option<T>,
) -> impl Fn(&'a Node, &mut Context<'a>) -> Option<BTreeMap<String, T>> {
    move |node, cx| {
        let map = cx.mapping(node)?;
        let mut values = BTreeMap::new();
        for (key, entry) in map {
            if let Some(value) = cx.at_key(key, |cx| decode(&entry.node, cx)) {
                values.insert(key.clone(), value);
            }
        }
        Some(values)
    }
}

fn check_name(key: &str, entry: &Entry, cx: &mut Context<'_>) {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    if key.is_empty() || !key.bytes().all(allowed) {
        let path = cx.path();
        let kind = path.rsplit('.').next().unwrap_or_default();
        let kind = kind.strip_suffix('s').unwrap_or(kind);
        let error = cx.error(entry.key, "");
        error.message = format!("invalid {kind} name \"{key}\"");
        error.code = code::INVALID_NAME;
        error.help = Some("use letters, digits, dots, underscores and hyphens".to_owned());
    }
}
