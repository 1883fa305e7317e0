//! What a decoder takes → a schema.

use serde_json::{Map, Value, json};

use super::super::decode::records::{RECORDS, Record};
use super::{any, list, name_of, reference};

/// A text with a variable may turn out to be anything.
const VARIABLE: &str = r"\$";

/// The schema of what a decoder takes, given as Rust text.
pub(super) fn of(decoder: &str, record: &Record) -> Value {
    let text: String = decoder.split_whitespace().collect();
    resolve(&text, record)
}

fn resolve(decoder: &str, record: &Record) -> Value {
    let decoder = without_closure(decoder);
    if let Some((wrapper, inner)) = call(decoder) {
        return match wrapper {
            "some" | "non_empty" | "boxed" => resolve(inner, record),
            "nullable" | "or_default" => or_null(resolve(inner, record)),
            "list" => list(resolve(inner, record)),
            "unique" => {
                let mut list = list(resolve(inner, record));
                list["uniqueItems"] = json!(true);
                list
            }
            "keyed" => json!({ "type": "object", "additionalProperties": resolve(inner, record) }),
            "named" | "names" => named(resolve(inner, record)),
            "one_of" => choice(&quoted(inner)),
            "integer_in" => integer_in(inner),
            _ => panic!("the schema does not know the decoder {wrapper}(…)"),
        };
    }
    let (module, name) = match decoder.split_once("::") {
        Some((module, name)) => (module, name),
        None => (record.noun(), decoder),
    };
    leaf(name)
        .or_else(|| record_named(module, name))
        .unwrap_or_else(|| panic!("the schema does not know the decoder {decoder}"))
}

/// `|_, node, cx| decode(node, cx)` is `decode`.
fn without_closure(decoder: &str) -> &str {
    let Some((_, body)) = decoder
        .strip_prefix('|')
        .and_then(|rest| rest.split_once('|'))
    else {
        return decoder;
    };
    body.strip_suffix("(node,cx)").unwrap_or(body)
}

/// `wrapper(inner)`, taken apart.
fn call(decoder: &str) -> Option<(&str, &str)> {
    let (wrapper, rest) = decoder.split_once('(')?;
    Some((wrapper, rest.strip_suffix(')')?))
}

/// The texts of `&["a","b"]`.
fn quoted(list: &str) -> Vec<&str> {
    list.split('"').skip(1).step_by(2).collect()
}

fn record_named(module: &str, name: &str) -> Option<Value> {
    let named = |record: &&Record| record.name == name;
    RECORDS
        .iter()
        .filter(|record| record.noun() == module)
        .find(named)
        .or_else(|| RECORDS.iter().find(named))
        .map(|record| reference(&name_of(record)))
}

/// Decoders that are no tables.
fn leaf(name: &str) -> Option<Value> {
    Some(match name {
        "text" => json!({ "type": "string" }),
        "text_or_integer" => json!({ "type": ["string", "integer"] }),
        "text_or_number" => json!({ "type": ["string", "number"] }),
        "any_scalar" => json!({ "type": ["string", "number", "boolean"] }),
        "strict_flag" => json!({ "type": "boolean" }),
        "number_not_text" => json!({ "type": "number" }),
        "number_as_integer" => reference("number"),
        "number_as_unsigned" => reference("unsigned_number"),
        "flag" | "integer" | "unsigned" | "float" | "duration" | "command" | "environment"
        | "mapping" | "ulimits" | "unique_texts" | "text_or_list" => reference(name),
        "sized" => reference("integer"),
        "weight_number" => json!({ "type": "integer", "minimum": 0, "maximum": 65535 }),
        "tmpfs_size" => any([
            json!({ "type": "integer", "minimum": 0 }),
            reference("size_text"),
        ]),
        "build_ulimits" => json!({
            "type": "object",
            "additionalProperties": any([
                json!({ "type": "integer" }),
                reference("soft_and_hard"),
            ]),
        }),
        "bytes" => reference("size"),
        "bytes_as_text" => reference("size_text"),
        "file_mode" => reference("file_mode"),
        "mode_bits" => any([
            json!({ "type": "integer", "minimum": 0 }),
            json!({ "type": "string", "pattern": format!(r"^\+?[0-7]+$|{VARIABLE}") }),
        ]),
        "percent" => integer_in("0,100"),
        "hosts" => reference("extra_hosts"),
        "ports" => reference("ports"),
        "options" => {
            json!({ "type": "object", "additionalProperties": { "type": ["string", "number"] } })
        }
        "nullable_options" => {
            json!({ "type": "object", "additionalProperties": { "type": ["string", "number", "null"] } })
        }
        "multi_options" => json!({
            "type": "object",
            "additionalProperties": {
                "type": ["string", "number", "boolean", "array"],
                "items": { "type": ["string", "number", "boolean"] },
            },
        }),
        "checked_options" => {
            json!({ "type": "object", "additionalProperties": { "type": "string" } })
        }
        "test" => any([
            json!({ "type": "string" }),
            list(json!({ "type": "string" })),
        ]),
        "external" => any([
            reference("flag"),
            json!({
                "deprecated": true,
                "deprecationMessage": "set `name` beside `external: true`",
                "type": "object",
                "properties": { "name": { "type": "string" } },
            }),
        ]),
        "count" => any([
            json!({ "type": "integer" }),
            json!({ "type": "string", "pattern": format!("^([aA][lL][lL]|[+-]?[0-9]+)$|{VARIABLE}") }),
        ]),
        "condition" => choice(&[
            "service_started",
            "service_healthy",
            "service_completed_successfully",
        ]),
        "mount_type" => choice(&["bind", "volume", "tmpfs", "npipe", "cluster", "image"]),
        "action" => choice(&["rebuild", "sync", "restart", "sync+restart", "sync+exec"]),
        "path" => json!({ "type": "string", "minLength": 1 }),
        "container_name" => {
            json!({ "type": "string", "pattern": format!("[a-zA-Z0-9][a-zA-Z0-9_.-]|{VARIABLE}") })
        }
        "pull_policy" => pull_policy(),
        "without_effect" => json!({ "type": "string" }),
        "gpu" => reference("device_request"),
        "reservation" => {
            json!({ "allOf": [reference("device_request"), { "required": ["capabilities"] }] })
        }
        "generic_resource" => reference("generic_resource"),
        "ipam" => reference("ipam"),
        "service" => reference("service"),
        "ssh" => reference("mapping"),
        // `version`, `name` and `include` have only the forms that `short` gives.
        "handled_before" => json!({}),
        _ => return None,
    })
}

fn or_null(form: Value) -> Value {
    match form.get("type").and_then(Value::as_str) {
        Some(kind) if form.as_object().is_some_and(|form| form.len() == 1) => {
            json!({ "type": [kind, "null"] })
        }
        _ => match form.get("type").and_then(Value::as_array).cloned() {
            Some(mut kinds) => {
                kinds.push(json!("null"));
                let mut form = form;
                form["type"] = Value::Array(kinds);
                form
            }
            None => any([form, json!({ "type": "null" })]),
        },
    }
}

fn named(values: Value) -> Value {
    json!({
        "type": "object",
        "patternProperties": { "^[a-zA-Z0-9._-]+$": values },
        "additionalProperties": false,
    })
}

fn choice(values: &[&str]) -> Value {
    any([
        json!({ "enum": values }),
        json!({ "type": "string", "pattern": VARIABLE }),
    ])
}

fn integer_in(bounds: &str) -> Value {
    let (least, most) = bounds.split_once(',').expect("two bounds");
    let mut integer = json!({ "type": "integer" });
    let bound = |text: &str| text.replace('_', "").parse::<i64>().ok();
    let (least, most) = (bound(least), bound(most));
    if let Some(least) = least {
        integer["minimum"] = json!(least);
    }
    if let Some(most) = most {
        integer["maximum"] = json!(most);
    }
    let text = match (least, most) {
        (Some(0), Some(100)) => r"^\+?0*(100|[0-9]{1,2})$",
        (Some(0), _) => r"^\+?[0-9]+$",
        _ => "^[+-]?[0-9]+$",
    };
    any([
        integer,
        json!({ "type": "string", "pattern": format!("{text}|{VARIABLE}") }),
    ])
}

fn integer_text() -> Value {
    json!({ "type": "string", "pattern": format!("^[+-]?[0-9]+$|{VARIABLE}") })
}

const DURATION: &str = r"(([0-9]+\.?[0-9]*|\.[0-9]+)(ns|[uµμ]s|ms|[smhdw]))+";

fn pull_policy() -> Value {
    let known = [
        "always",
        "never",
        "missing",
        "build",
        "daily",
        "weekly",
        "if_not_present",
        "refresh",
    ];
    let text = format!("{}|every_[0-9]+[wdhms]|{VARIABLE}", known.join("|"));
    any([
        json!({ "enum": &known[..7] }),
        json!({ "type": "string", "pattern": text }),
    ])
}

/// Definitions that are no tables.
pub(super) fn definitions() -> Map<String, Value> {
    let texts = json!({ "type": "array", "items": { "type": "string" }, "uniqueItems": true });
    let text =
        |pattern: &str| json!({ "type": "string", "pattern": format!("{pattern}|{VARIABLE}") });
    let size = r"^[+-]?[0-9]+$|^\+?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)? ?([kKmMgGtTpP]([iI]?[bB])?|[bB])?$";
    let all = [
        (
            "flag",
            any([
                json!({ "type": "boolean" }),
                text(
                    "^([tT][rR][uU][eE]|[yY]([eE][sS])?|[oO][nN]|[fF][aA][lL][sS][eE]|[nN][oO]?|[oO][fF][fF])$",
                ),
            ]),
        ),
        (
            "integer",
            any([json!({ "type": "integer" }), integer_text()]),
        ),
        ("number", any([json!({ "type": "number" }), integer_text()])),
        (
            "unsigned",
            any([
                json!({ "type": "integer", "minimum": 0 }),
                text(r"^\+?[0-9]+$"),
            ]),
        ),
        (
            "unsigned_number",
            any([
                json!({ "type": "number", "minimum": 0 }),
                text(r"^\+?[0-9]+$"),
            ]),
        ),
        (
            "float",
            any([
                json!({ "type": "number" }),
                text(r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"),
            ]),
        ),
        ("duration", text(&format!("^[+-]?(0|{DURATION})$"))),
        ("size", any([json!({ "type": "integer" }), text(size)])),
        ("size_text", text(size)),
        (
            "file_mode",
            any([json!({ "type": "integer" }), text("^[+-]?[0-7]+$")]),
        ),
        ("unique_texts", texts),
        (
            "names",
            json!({ "type": "array", "items": text("^[a-zA-Z0-9._-]+$"), "uniqueItems": true }),
        ),
        (
            "text_or_list",
            any([json!({ "type": "string" }), reference("unique_texts")]),
        ),
        (
            "command",
            json!({ "type": ["string", "array", "null"], "items": { "type": "string" } }),
        ),
        (
            "environment",
            any([
                json!({
                    "type": "object",
                    "propertyNames": { "minLength": 1 },
                    "additionalProperties": { "type": ["string", "number", "boolean", "null"] },
                }),
                json!({
                    "type": "array",
                    "items": text(r"^([^=]*[^\s=])?(=|$)"),
                    "uniqueItems": true,
                }),
            ]),
        ),
        (
            "mapping",
            any([
                json!({
                    "type": "object",
                    "propertyNames": { "minLength": 1 },
                    "additionalProperties": { "type": ["string", "number", "boolean", "null"] },
                }),
                reference("unique_texts"),
            ]),
        ),
        (
            "extra_hosts",
            any([
                json!({
                    "type": "object",
                    "propertyNames": { "pattern": "^[^:=]+$" },
                    "additionalProperties": { "type": ["string", "array"], "items": { "type": "string" } },
                }),
                json!({
                    "type": "array",
                    "items": text("^[^:=]+=|^[^:=]+:[^=]*$"),
                    "uniqueItems": true,
                }),
            ]),
        ),
        (
            "ulimits",
            json!({
                "type": "object",
                "additionalProperties": any([reference("integer"), reference("soft_and_hard")]),
            }),
        ),
        (
            "ports",
            list(any([
                json!({ "type": "integer", "minimum": 0, "maximum": 65535 }),
                text(PORT),
                reference("port"),
            ])),
        ),
    ];
    all.into_iter()
        .map(|(name, schema)| (name.to_owned(), schema))
        .collect()
}

/// `[[address]:][published]:target[/protocol]`, with ranges.
const PORT: &str = concat!(
    r"^((([0-9]{1,3}(\.[0-9]{1,3}){3}|\[[0-9a-fA-F:.%]*\])?:)?([0-9]+(-[0-9]+)*)?:)?",
    r"[0-9]+(-[0-9]+)*(/([tT][cC][pP]|[uU][dD][pP]|[sS][cC][tT][pP])?(/.*)?)?$",
);
