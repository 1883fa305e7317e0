//! Trees of the model as JSON values.

use serde_json::{Map, Number, Value as Json};

use crate::compose::emit;
use crate::compose::environment::SECRET_VALUE;
use crate::compose::node::{Node, Value};

/// A node; mappings keep their order.
pub(super) fn of_node(node: &Node) -> Json {
    match &node.value {
        Value::Null => Json::Null,
        Value::Bool(flag) => Json::Bool(*flag),
        Value::Int(number) => Json::from(*number),
        Value::Uint(number) => Json::from(*number),
        Value::Float(number) => float(*number),
        Value::Timestamp(text) | Value::Str(text) => Json::from(text.as_str()),
        Value::Seq(items) => Json::Array(items.iter().map(of_node).collect()),
        Value::Map(map) => Json::Object(
            map.iter()
                .filter(|(key, _)| *key != SECRET_VALUE)
                .map(|(key, entry)| (key.clone(), of_node(&entry.node)))
                .collect(),
        ),
    }
}

/// A tree that is about to be written.
pub(super) fn of_emitted(value: &emit::Value<'_>) -> Json {
    match value {
        emit::Value::Null => Json::Null,
        emit::Value::Bool(flag) => Json::Bool(*flag),
        emit::Value::Int(number) => Json::from(*number),
        emit::Value::Uint(number) => Json::from(*number),
        // Through text: the shortest digits, not those of the nearest wider number.
        emit::Value::Float32(number) => number.to_string().parse().map_or(Json::Null, float),
        emit::Value::Float(number) => float(*number),
        emit::Value::Str(text) => Json::from(text.as_ref()),
        emit::Value::Timestamp(text) => Json::from(*text),
        emit::Value::List(items) => Json::Array(items.iter().map(of_emitted).collect()),
        emit::Value::Map(entries) => {
            let entries = entries
                .iter()
                .map(|(key, value)| (key.to_string(), of_emitted(value)));
            Json::Object(entries.collect::<Map<_, _>>())
        }
    }
}

/// A number; whole ones without a fraction.
fn float(number: f64) -> Json {
    if number.fract() == 0.0 && number.abs() < 1e15 {
        return Json::from(number as i64);
    }
    Number::from_f64(number).map_or(Json::Null, Json::Number)
}
