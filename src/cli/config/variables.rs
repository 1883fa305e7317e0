//! `config --variables`: the variables that the files use.

use std::collections::BTreeMap;

use serde::Serialize as _;

use crate::cli::Error;
use crate::compose::emit::{self, Value};
use crate::compose::node::Node;
use crate::compose::{Variable, variables};
use crate::ui::table::Layout;

/// The variables of a tree as table, JSON or YAML.
pub(super) fn show(tree: &Node, format: Option<&str>) -> Result<String, Error> {
    let found = variables(tree);
    match format.map(str::to_lowercase).as_deref() {
        None | Some("" | "table" | "pretty") => Ok(table(&found)),
        Some("yaml") => Ok(yaml(&found)),
        Some("json" | "{{json .}}") => json(&found),
        Some(other) => Err(Error::user(format!("unsupported format \"{other}\""))
            .help("the formats are table, json and yaml")),
    }
}

fn table(found: &BTreeMap<String, Variable>) -> String {
    let rows = found.iter().map(|(name, variable)| {
        let Variable {
            default,
            alternate,
            required,
        } = variable;
        format!("{name}\t{required}\t{default}\t{alternate}\n")
    });
    let header = "NAME\tREQUIRED\tDEFAULT VALUE\tALTERNATE VALUE\n".to_owned();
    Layout::LIST.align(&std::iter::once(header).chain(rows).collect::<String>())
}

fn yaml(found: &BTreeMap<String, Variable>) -> String {
    if found.is_empty() {
        return "{}\n".to_owned();
    }
    let mut text = String::new();
    for (name, variable) in found {
        text += name;
        text += ":\n";
        let entries = Value::Map(vec![
            ("name".into(), Value::Str(name.into())),
            (
                "defaultvalue".into(),
                Value::Str((&variable.default).into()),
            ),
            (
                "presencevalue".into(),
                Value::Str((&variable.alternate).into()),
            ),
            ("required".into(), Value::Bool(variable.required)),
        ]);
        for line in emit::value_yaml(&entries).lines() {
            text += "    ";
            text += line;
            text.push('\n');
        }
    }
    text
}

fn json(found: &BTreeMap<String, Variable>) -> Result<String, Error> {
    let entries: serde_json::Map<String, serde_json::Value> = found
        .iter()
        .map(|(name, variable)| {
            let value = serde_json::json!({
                "Name": name,
                "DefaultValue": variable.default,
                "PresenceValue": variable.alternate,
                "Required": variable.required,
            });
            (name.clone(), value)
        })
        .collect();
    let mut text = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut text, formatter);
    entries
        .serialize(&mut serializer)
        .map_err(|error| Error::user(format!("cannot write the variables: {error}")))?;
    Ok(String::from_utf8_lossy(&text).into_owned() + "\n\n")
}
