//! Trees for unit tests.

use super::diagnostic::Diagnostic;
use super::node::{Node, Value};
use super::source::{Source, SourceMap};
use super::yaml;

/// The first document of a YAML text.
pub(crate) fn node(text: &str) -> Node {
    let mut sources = SourceMap::default();
    let source = sources.add(Source {
        name: "test.yaml".to_owned(),
        text: text.into(),
        parent: None,
    });
    let documents = yaml::parse(source, text).unwrap();
    documents.into_iter().next().unwrap()
}

/// A node as compact JSON, keys in the order of the tree.
pub(crate) fn show(node: &Node) -> String {
    match &node.value {
        Value::Null => "null".to_owned(),
        Value::Seq(items) => {
            let items: Vec<String> = items.iter().map(show).collect();
            format!("[{}]", items.join(","))
        }
        Value::Map(map) => {
            let entries: Vec<String> = map
                .iter()
                .map(|(key, entry)| format!("{key:?}:{}", show(&entry.node)))
                .collect();
            format!("{{{}}}", entries.join(","))
        }
        Value::Str(text) => format!("{text:?}"),
        other => super::scalar::text(other).unwrap_or_default(),
    }
}

/// The messages of problems.
pub(crate) fn messages(problems: &[Diagnostic]) -> Vec<&str> {
    problems
        .iter()
        .map(|problem| problem.message.as_str())
        .collect()
}
