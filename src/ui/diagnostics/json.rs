//! Problems as JSON, one object a line.

use serde_json::{Map, Value, json};

use super::{Step, origin};
use crate::compose::source::Relation;
use crate::compose::{Diagnostic, SourceMap, Span};

/// One line for each problem, in the given order.
pub fn lines(diagnostics: &[Diagnostic], sources: &SourceMap) -> String {
    let mut text = String::new();
    for diagnostic in diagnostics {
        text.push_str(&object(diagnostic, sources).to_string());
        text.push('\n');
    }
    text
}

fn object(diagnostic: &Diagnostic, sources: &SourceMap) -> Value {
    let mut object = Map::new();
    object.insert("severity".into(), diagnostic.severity.as_str().into());
    object.insert("code".into(), diagnostic.code.id.into());
    object.insert("message".into(), diagnostic.message.clone().into());
    if let Some(span) = diagnostic.span {
        object.extend(place(span, sources));
    }
    for (key, text) in [
        ("path", &diagnostic.path),
        ("label", &diagnostic.label),
        ("help", &diagnostic.help),
    ] {
        if let Some(text) = text {
            object.insert(key.into(), text.clone().into());
        }
    }
    let related = diagnostic.related.iter().map(|(span, message)| {
        let mut object = place(*span, sources);
        object.insert("message".into(), message.clone().into());
        Value::Object(object)
    });
    insert_list(&mut object, "related", related.collect());
    let steps = origin(diagnostic.span, sources);
    let steps = steps.iter().map(|step| origin_object(step, sources));
    insert_list(&mut object, "origin", steps.collect());
    Value::Object(object)
}

fn insert_list(object: &mut Map<String, Value>, key: &str, items: Vec<Value>) {
    if !items.is_empty() {
        object.insert(key.into(), items.into());
    }
}

/// File, lines and columns from 1 (columns in characters), the end exclusive; byte offsets from 0.
fn place(span: Span, sources: &SourceMap) -> Map<String, Value> {
    let end = sources.end_of(span);
    let place = json!({
        "file": sources.get(span.source).name,
        "line": span.line,
        "column": span.column,
        "end_line": end.line,
        "end_column": end.column,
        "start": span.start,
        "end": span.end,
    });
    match place {
        Value::Object(place) => place,
        _ => Map::new(),
    }
}

fn origin_object(step: &Step, sources: &SourceMap) -> Value {
    let relation = match step.relation {
        Relation::Include => "include",
        Relation::Extends => "extends",
        Relation::EnvFile => "env_file",
        Relation::LabelFile => "label_file",
        Relation::Dockerfile => "dockerfile",
    };
    let mut object = Map::new();
    object.insert("relation".into(), relation.into());
    object.extend(place(step.span, sources));
    Value::Object(object)
}
