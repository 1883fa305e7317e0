//! The trail of one value: what the layers say, and what came of each.

use serde_json::Value as Json;

use super::explain::Explainer;
use super::implied;
use super::layers::{Layer, layers};
use super::name;
use super::steps::{Step, keys};
use super::trail::{Effect, Kind, Origin, Trail};
use super::value;
use super::variables;
use super::walk::{self, Cursor, Walk};
use crate::compose::node::{Directive, Node, Value};
use crate::compose::scalar;
use crate::compose::source::Span;

/// An origin that is not judged yet.
struct Draft {
    origin: Origin,
    /// Index of the layer, for documents.
    layer: Option<usize>,
    /// Whether it is what the merged tree has.
    merged: bool,
    directive: Option<Directive>,
}

/// Everything that was said about the value at a path.
pub(super) fn trail(explainer: &Explainer<'_>, steps: &[Step], value: Option<&Json>) -> Trail {
    let origins = if let [Step::Key(key)] = steps
        && key == "name"
    {
        name::origins(explainer)
    } else {
        origins(explainer, steps, value)
    };
    Trail {
        subject: super::steps::shown(steps),
        value: value.cloned(),
        included: None,
        origins,
    }
}

fn origins(explainer: &Explainer<'_>, steps: &[Step], value: Option<&Json>) -> Vec<Origin> {
    let keys = keys(steps);
    let layers = layers(&explainer.scopes, &keys[..keys.len().min(2)]);
    let walk = walk::walk(&explainer.project.tree, &layers, steps);
    let mut drafts = attached(explainer, &keys);
    drafts.extend(documents(explainer, &layers, &walk, steps));
    let from_tree = walk.merged.is_some() && !walk.cursors.is_empty();
    let from_file = drafts.iter().any(|draft| draft.layer.is_none());
    if value.is_some() && !from_tree && !from_file {
        drafts.push(Draft {
            origin: Origin {
                kind: Kind::Implied,
                place: walk.merged.map(|node| node.span),
                via: None,
                written: implied::reason(steps).to_owned(),
                value: value.cloned(),
                effect: Effect::Wins,
                variables: Vec::new(),
            },
            layer: None,
            merged: true,
            directive: None,
        });
    }
    judge(drafts, &layers, value.is_some())
}

/// The trail of a list whose elements have trails of their own, where a directive has removed what
/// earlier layers put into it.
pub(super) fn of_list(explainer: &Explainer<'_>, steps: &[Step], value: &Json) -> Option<Trail> {
    let mut origins = origins(explainer, steps, Some(value));
    let is_cut = |effect: Effect| matches!(effect, Effect::Removed(_) | Effect::Replaced(_));
    if !origins.iter().any(|origin| is_cut(origin.effect)) {
        return None;
    }
    for origin in &mut origins {
        if !is_cut(origin.effect) && origin.effect != Effect::Resets {
            origin.effect = Effect::Adds;
        }
    }
    Some(Trail {
        subject: super::steps::shown(steps),
        value: Some(value.clone()),
        included: None,
        origins,
    })
}

/// Variables of the service's `env_file`, labels of its `label_file`.
fn attached(explainer: &Explainer<'_>, keys: &[&str]) -> Vec<Draft> {
    let ["services", service, attribute, key] = keys else {
        return Vec::new();
    };
    let kind = match *attribute {
        "environment" => Kind::ServiceEnvFile,
        _ => Kind::LabelFile,
    };
    let files = explainer.attached.iter();
    files
        .filter(|file| file.service == *service && file.attribute == *attribute)
        .filter_map(|file| file.file.0.get(*key))
        .map(|variable| Draft {
            origin: variables::of_file(explainer.sources, kind, variable, variable.value.as_ref()),
            layer: None,
            merged: false,
            directive: None,
        })
        .collect()
}

/// What the documents say, weakest first.
fn documents(
    explainer: &Explainer<'_>,
    layers: &[Layer<'_>],
    walk: &Walk<'_>,
    steps: &[Step],
) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for (index, layer) in layers.iter().enumerate() {
        let directive = walk::directive(layer, steps);
        let cursor = walk.cursors.iter().find(|cursor| cursor.layer == index);
        if let Some(cursor) = cursor {
            drafts.push(Draft {
                origin: of_cursor(explainer, layer, cursor, &steps[..walk.depth]),
                layer: Some(index),
                merged: walk.merged.is_some_and(|node| cursor.is_origin_of(node)),
                directive: directive.map(|found| found.0),
            });
        } else if let Some((directive, place)) = directive {
            drafts.push(Draft {
                origin: resets(layer, directive, place),
                layer: Some(index),
                merged: false,
                directive: Some(directive),
            });
        }
    }
    drafts
}

fn resets(layer: &Layer<'_>, directive: Directive, place: Span) -> Origin {
    let written = match directive {
        Directive::Reset => "!reset",
        Directive::Override => "!override",
    };
    Origin {
        kind: layer.kind,
        place: Some(place),
        via: layer.via,
        written: written.to_owned(),
        value: None,
        effect: Effect::Resets,
        variables: Vec::new(),
    }
}

fn of_cursor(
    explainer: &Explainer<'_>,
    layer: &Layer<'_>,
    cursor: &Cursor<'_>,
    steps: &[Step],
) -> Origin {
    let node = cursor.node;
    let mut texts = Vec::new();
    written_texts(layer, node, &mut texts);
    let mut variables: Vec<Trail> = Vec::new();
    for (text, span) in &texts {
        for used in variables::used_in(&explainer.lookup(), layer.scope, text, *span) {
            if !variables.contains(&used) {
                variables.push(used);
            }
        }
    }
    let mut value = value::of_node(node);
    let bare = bare_variable(&keys(steps)).filter(|_| node.is_null());
    if let Some(name) = bare {
        let used = variables::trail(&explainer.lookup(), layer.scope, name, None);
        value = used.value.clone().unwrap_or(Json::Null);
        variables.push(used);
    }
    Origin {
        kind: layer.kind,
        place: Some(cursor.place()),
        via: layer.via,
        written: written(layer, cursor)
            .or_else(|| bare.map(str::to_owned))
            .unwrap_or_default(),
        value: Some(value),
        effect: Effect::Wins,
        variables,
    }
}

/// The name of the variable that a key without value takes its value from.
fn bare_variable<'k>(keys: &[&'k str]) -> Option<&'k str> {
    match keys {
        ["services", _, "environment", name] | ["services", _, "build", "args", name] => Some(name),
        _ => None,
    }
}

/// What is written at the place of a value, on one line.
fn written(layer: &Layer<'_>, cursor: &Cursor<'_>) -> Option<String> {
    let node = cursor.node;
    let text = layer.document.written(node.span);
    if let Some(text) = text.or_else(|| layer.document.written(cursor.key)) {
        return Some(text.to_owned());
    }
    match &node.value {
        Value::Null => None,
        Value::Seq(items) => {
            let texts = items.iter().map(|item| {
                let written = layer.document.written(item.span);
                written.map_or_else(|| value::of_node(item).to_string(), str::to_owned)
            });
            let mut texts: Vec<String> = texts.collect();
            // A range of ports is several elements of one text.
            texts.dedup();
            Some(format!("[{}]", texts.join(", ")))
        }
        Value::Map(_) => Some(value::of_node(node).to_string()),
        scalar => scalar::text(scalar),
    }
}

/// The texts as written that a value is made of.
fn written_texts<'l>(layer: &'l Layer<'_>, node: &Node, found: &mut Vec<(&'l str, Span)>) {
    if let Some(text) = layer.document.written(node.span) {
        found.push((text, node.span));
        return;
    }
    match &node.value {
        Value::Seq(items) => {
            for item in items {
                written_texts(layer, item, found);
            }
        }
        Value::Map(map) => {
            for entry in map.values() {
                written_texts(layer, &entry.node, found);
            }
        }
        _ => {}
    }
}

/// Settles what came of each origin.
fn judge(drafts: Vec<Draft>, layers: &[Layer<'_>], is_set: bool) -> Vec<Origin> {
    let winner = if is_set { winner(&drafts) } else { None };
    let effects: Vec<Effect> = (0..drafts.len())
        .map(|index| effect(&drafts, layers, index, winner))
        .collect();
    drafts
        .into_iter()
        .zip(effects)
        .map(|(draft, effect)| Origin {
            effect,
            ..draft.origin
        })
        .collect()
}

fn winner(drafts: &[Draft]) -> Option<usize> {
    let says = |draft: &Draft| draft.origin.effect != Effect::Resets;
    let something =
        |draft: &Draft| says(draft) && draft.origin.value.as_ref().is_some_and(|it| !it.is_null());
    drafts
        .iter()
        .rposition(|draft| draft.merged)
        .or_else(|| drafts.iter().rposition(something))
        .or_else(|| drafts.iter().rposition(says))
}

fn effect(drafts: &[Draft], layers: &[Layer<'_>], index: usize, winner: Option<usize>) -> Effect {
    let draft = &drafts[index];
    if winner == Some(index) {
        return Effect::Wins;
    }
    if draft.origin.effect == Effect::Resets {
        return Effect::Resets;
    }
    if let Some(by) = cut_by(drafts, layers, index) {
        return match drafts[by].directive {
            Some(Directive::Reset) => Effect::Removed(by),
            _ => Effect::Replaced(by),
        };
    }
    let null = |draft: &Draft| draft.origin.value.as_ref().is_none_or(Json::is_null);
    if null(draft) && draft.layer.is_some() {
        return Effect::Keeps;
    }
    let speaks = |other: &usize| !null(&drafts[*other]);
    match (index + 1..drafts.len()).find(speaks).or(winner) {
        Some(by) => Effect::Overridden(by),
        None => Effect::Unused,
    }
}

/// The later origin whose directive removes this one.
fn cut_by(drafts: &[Draft], layers: &[Layer<'_>], index: usize) -> Option<usize> {
    let layer = drafts[index].layer?;
    (index + 1..drafts.len()).find(|by| {
        let later = &drafts[*by];
        let reaches = |by: usize| layers[by].reach <= layer && layer < by;
        later.directive.is_some() && later.layer.is_some_and(reaches)
    })
}
