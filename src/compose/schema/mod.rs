//! The JSON Schema of compose files, generated from the decoders and the model.
//!
//! Which attributes there are, what each takes and which must be there is read off the tables of
//! `decode`; the descriptions are those of the model's fields. What stages before decoding add,
//! the short forms, is in [`short`]. The result is `schemas/compose.schema.json`, which a test
//! keeps current; nothing here is part of the program.

mod docs;
mod forms;
mod layout;
mod short;

#[cfg(test)]
mod tests;

use serde_json::{Map, Value, json};

use super::decode::records::{Attribute, RECORDS, Record};
use docs::Docs;

/// The whole schema, in draft 07: what editors' YAML support reads best.
pub(crate) fn schema() -> Value {
    let docs = Docs::read();
    let mut definitions = Map::new();
    for record in RECORDS.iter().skip(1) {
        definitions.insert(name_of(record), object(record, &docs));
    }
    definitions.extend(forms::definitions());
    definitions.sort_keys();
    let mut schema = Map::new();
    schema.insert(
        "$schema".to_owned(),
        json!("http://json-schema.org/draft-07/schema#"),
    );
    schema.insert("$id".to_owned(), json!("compose.schema.json"));
    schema.insert("title".to_owned(), json!("Compose file"));
    if let Some(Value::Object(root)) = RECORDS.first().map(|root| object(root, &docs)) {
        schema.extend(root);
    }
    schema.insert("definitions".to_owned(), Value::Object(definitions));
    Value::Object(schema)
}

/// The schema as the text of its file.
pub(crate) fn text() -> String {
    layout::print(&schema())
}

/// The name of a record's definition: that of the decoder, unless another has the same.
fn name_of(record: &Record) -> String {
    match (record.noun(), record.name) {
        ("service", "attributes") => "service",
        ("volume", "bind") => "bind_options",
        ("volume", "volume") => "volume_options",
        ("volume", "tmpfs") => "tmpfs_options",
        ("volume", "image") => "image_options",
        ("resource", "pool") => "ipam_pool",
        ("resource", "ipam_parts") => "ipam",
        ("deploy", "generic_resource_entry") => "generic_resource",
        ("device", "request") => "device_request",
        ("device", "weight") => "device_weight",
        ("device", "throttle") => "device_throttle",
        ("develop", "trigger") => "watch_trigger",
        (_, name) => name,
    }
    .to_owned()
}

fn object(record: &Record, docs: &Docs) -> Value {
    let mut properties = Map::new();
    for attribute in record.attributes {
        properties.insert(attribute.key.to_owned(), property(record, attribute, docs));
    }
    let mut object = Map::new();
    object.insert("description".to_owned(), json!(docs.of_record(record)));
    object.insert("type".to_owned(), json!("object"));
    object.insert("properties".to_owned(), Value::Object(properties));
    if !record.required.is_empty() {
        object.insert("required".to_owned(), json!(record.required));
    }
    if record.extensions != "refused" {
        object.insert("patternProperties".to_owned(), json!({ "^x-": {} }));
    }
    object.insert("additionalProperties".to_owned(), json!(false));
    Value::Object(object)
}

fn property(record: &Record, attribute: &Attribute, docs: &Docs) -> Value {
    let decoded = forms::of(attribute.decoder, record);
    let written = short::of(record, attribute.key, decoded);
    let mut property = Map::new();
    property.insert(
        "description".to_owned(),
        json!(docs.of_attribute(record, attribute)),
    );
    if let Some(remedy) = short::deprecated(record, attribute.key) {
        property.insert("deprecated".to_owned(), json!(true));
        property.insert("deprecationMessage".to_owned(), json!(remedy));
    }
    if let Some(examples) = short::examples(record, attribute.key) {
        property.insert("examples".to_owned(), examples);
    }
    if let Value::Object(written) = written {
        property.extend(written);
    }
    Value::Object(property)
}

/// A reference to a definition.
fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/definitions/{name}") })
}

/// One of several forms.
fn any(forms: impl IntoIterator<Item = Value>) -> Value {
    json!({ "anyOf": forms.into_iter().collect::<Vec<Value>>() })
}

/// A list of `items`.
fn list(items: Value) -> Value {
    json!({ "type": "array", "items": items })
}
