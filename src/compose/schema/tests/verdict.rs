//! What the decoders and the schema say of one document.

use std::ops::Range;

use serde_json::Value as Json;

use crate::compose::budget::Budget;
use crate::compose::diagnostic::{Diagnostic, code};
use crate::compose::interpolate::{Interpolation, Unset};
use crate::compose::merge::{self, Directives};
use crate::compose::node::{Directive, Map, Node, Value};
use crate::compose::source::{Source, SourceMap};
use crate::compose::{canonical, decode, validate, yaml};

/// Documents of a file with what places in them refer to; nothing when it is no YAML.
pub(super) fn documents(text: &str) -> Option<(SourceMap, Vec<Node>)> {
    let mut sources = SourceMap::default();
    let source = sources.add(Source {
        name: "compose.yaml".to_owned(),
        text: text.into(),
        parent: None,
    });
    yaml::parse(source, text)
        .ok()
        .map(|documents| (sources, documents))
}

/// What a variable may stand for. An error that all of them lead to is one of the file.
const SUBSTITUTES: &[&str] = &[
    "0",
    "80",
    "1m",
    "true",
    "text",
    "a=b",
    "host",
    "always",
    "service_started",
    "start-first",
    "bind",
    "z",
    "enabled",
    "rebuild",
    "127.0.0.1",
    "all",
];

/// Errors of the stages that look at one document by itself, in the words of the loader.
pub(super) fn errors(sources: &SourceMap, document: &Node) -> Vec<Diagnostic> {
    let mut variables = Vec::new();
    places_of_variables(document, &mut variables);
    if variables.is_empty() {
        return errors_with(sources, document, "");
    }
    let mut runs = SUBSTITUTES
        .iter()
        .map(|substitute| errors_with(sources, document, substitute));
    let mut errors = runs.next().unwrap_or_default();
    let is_of_variable = |problem: &Diagnostic| {
        let (start, end) = problem.span.map_or((0, 0), |span| (span.start, span.end));
        variables
            .iter()
            .any(|place| place.start < end && start < place.end)
    };
    for run in runs {
        errors.retain(|problem| {
            !is_of_variable(problem) || run.iter().any(|other| other.span == problem.span)
        });
    }
    errors
}

fn errors_with(sources: &SourceMap, document: &Node, substitute: &str) -> Vec<Diagnostic> {
    let mut document = document.clone();
    let mut problems = Vec::new();
    let mut budget = Budget::new();
    Directives::take(&mut document);
    Interpolation {
        sources,
        lookup: &|_| Some(substitute.to_owned()),
        unset: &mut Unset::default(),
        problems: &mut problems,
        budget: &mut budget,
    }
    .tree(&mut document);
    let mut tree = Node::new(Value::Map(Map::new()), document.span);
    if let Some(root) = document.as_map_mut() {
        root.shift_remove("include");
    }
    merge::merge(&mut tree, document, &mut problems);
    merge::enforce_unique(&mut tree);
    let mut context = canonical::Context {
        lenient: false,
        problems: &mut problems,
        budget: &mut budget,
    };
    canonical::canonicalize(&mut tree, &mut context);
    merge::enforce_unique(&mut tree);
    canonical::set_defaults(&mut tree);
    validate::validate(&tree, &mut problems);
    let mut context = decode::Context::new();
    let _ = decode::project(&tree, &mut context);
    problems.append(&mut context.diagnostics);
    problems.retain(Diagnostic::is_error);
    problems
}

fn places_of_variables(node: &Node, places: &mut Vec<Range<u32>>) {
    match &node.value {
        Value::Str(text) if text.contains('$') => places.push(node.span.start..node.span.end),
        Value::Map(map) => {
            for entry in map.values() {
                places_of_variables(&entry.node, places);
            }
        }
        Value::Seq(items) => {
            for item in items {
                places_of_variables(item, places);
            }
        }
        _ => {}
    }
}

/// Problems that a schema cannot express: attributes that exclude each other, elements that are
/// the same only in long form, ports in the wrong order, quotes that are not closed, `${…}` that
/// is no variable.
pub(super) fn is_beyond_schemas(problem: &Diagnostic) -> bool {
    match problem.code {
        code::CONFLICTING_ATTRIBUTES
        | code::MISSING_CONTENT
        | code::DUPLICATE_ITEM
        | code::INVALID_TEMPLATE => true,
        code::INVALID_PORT => problem.message.contains('-'),
        _ => problem.message.ends_with("cannot be split into words"),
    }
}

/// The document as an editor sees it: what `!reset` removes is not there.
pub(super) fn json(node: &Node) -> Json {
    match &node.value {
        Value::Null => Json::Null,
        Value::Bool(flag) => Json::from(*flag),
        Value::Int(number) => Json::from(*number),
        Value::Uint(number) => Json::from(*number),
        Value::Float(number) => Json::from(*number),
        Value::Timestamp(text) | Value::Str(text) => Json::from(text.as_str()),
        Value::Seq(items) => items.iter().filter(|item| kept(item)).map(json).collect(),
        Value::Map(map) => map
            .iter()
            .filter(|(_, entry)| kept(&entry.node))
            .map(|(key, entry)| (key.clone(), json(&entry.node)))
            .collect(),
    }
}

fn kept(node: &Node) -> bool {
    node.directive != Some(Directive::Reset)
}
