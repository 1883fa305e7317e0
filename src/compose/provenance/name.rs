//! The layers of the project's name.

use serde_json::Value as Json;

use super::explain::Explainer;
use super::trail::{Effect, Kind, Origin};
use super::variables;
use crate::compose::name::normalize;
use crate::compose::node::Node;

/// The folder, then `name:`, then `COMPOSE_PROJECT_NAME`, then `-p`.
pub(super) fn origins(explainer: &Explainer<'_>) -> Vec<Origin> {
    let lookup = explainer.lookup();
    let mut origins = vec![folder(explainer)];
    if let Some(scope) = explainer.scopes.first() {
        for (number, document) in scope.documents.iter().enumerate() {
            if let Some(node) = document.raw.get("name").filter(|node| is_given(node)) {
                let kind = if number == 0 {
                    Kind::File
                } else {
                    Kind::Override
                };
                let text = document.tree.get("name").and_then(Node::as_str);
                let written = document.written(node.span).unwrap_or_default();
                origins.push(Origin {
                    kind,
                    place: Some(node.span),
                    via: None,
                    written: written.to_owned(),
                    value: text.map(|text| Json::from(normalize(text))),
                    effect: Effect::Wins,
                    variables: variables::used_in(&lookup, 0, written, node.span),
                });
            }
        }
    }
    let mut set = variables::stated(&lookup, 0, "COMPOSE_PROJECT_NAME");
    set.retain(|origin| origin.kind != Kind::Implied && origin.value != Some(Json::from("")));
    origins.extend(set);
    let given = explainer.options.project_name.as_ref();
    if let Some(name) = given.filter(|name| !name.is_empty()) {
        origins.push(Origin {
            kind: Kind::Option,
            place: None,
            via: None,
            written: "-p".to_owned(),
            value: Some(Json::from(name.as_str())),
            effect: Effect::Wins,
            variables: Vec::new(),
        });
    }
    let winner = origins.len() - 1;
    for origin in &mut origins[..winner] {
        origin.effect = Effect::Overridden(winner);
    }
    origins
}

/// An empty name counts as none.
fn is_given(node: &Node) -> bool {
    !node.is_null() && node.as_str() != Some("")
}

fn folder(explainer: &Explainer<'_>) -> Origin {
    let folder = &explainer.project.working_dir;
    let base = folder.file_name().unwrap_or_default().to_string_lossy();
    Origin {
        kind: Kind::Implied,
        place: None,
        via: None,
        written: format!("the folder \"{base}\""),
        value: Some(Json::from(normalize(&base))),
        effect: Effect::Wins,
        variables: Vec::new(),
    }
}
