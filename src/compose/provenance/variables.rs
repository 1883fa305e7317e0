//! Where the value of a variable comes from.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::layers::{Document, Scope};
use super::trail::{Effect, Kind, Origin, Trail, Use};
use crate::compose::dotenv;
use crate::compose::node::{Node, Value};
use crate::compose::options::LoadOptions;
use crate::compose::source::{SourceMap, Span};
use crate::compose::template::{self, VariableUse};

/// What variables are looked up in.
pub(super) struct Lookup<'a> {
    /// The project and its parts.
    pub(super) scopes: &'a [Scope<'a>],
    /// What was asked of the loader.
    pub(super) options: &'a LoadOptions,
    /// The files that places refer to.
    pub(super) sources: &'a SourceMap,
}

/// The variables of a text that is written at `span`, each with its layers, in their order.
pub(super) fn used_in(lookup: &Lookup<'_>, scope: usize, text: &str, span: Span) -> Vec<Trail> {
    let mut seen = BTreeSet::new();
    template::variables(text)
        .into_iter()
        .filter(|used| seen.insert((used.name.clone(), used.default.clone())))
        .map(|used| trail(lookup, scope, &used.name.clone(), Some((&used, span))))
        .collect()
}

/// The layers of a variable in a scope. `used` adds what its use says and the place of that.
pub(super) fn trail(
    lookup: &Lookup<'_>,
    scope: usize,
    name: &str,
    used: Option<(&VariableUse, Span)>,
) -> Trail {
    let record = lookup.scopes[scope].record;
    let set = record.environment.get(name);
    let mut origins = stated(lookup, scope, name);
    let value = set.map(|text| Json::from(text.as_str()));
    let winner = origins
        .iter()
        .rposition(|origin| origin.value == value)
        .or(origins.len().checked_sub(1));
    for (index, origin) in origins.iter_mut().enumerate() {
        if let Some(winner) = winner.filter(|winner| *winner != index) {
            origin.effect = Effect::Overridden(winner);
        }
    }
    let mut trail = Trail {
        subject: name.to_owned(),
        value,
        included: None,
        origins,
    };
    if let Some((used, span)) = used {
        add_use(&mut trail, lookup, scope, used, span);
    }
    trail
}

/// Everything that sets the variable, weakest first.
pub(super) fn stated(lookup: &Lookup<'_>, scope: usize, name: &str) -> Vec<Origin> {
    let record = lookup.scopes[scope].record;
    let mut origins = Vec::new();
    for file in &record.env_files {
        origins.extend(file.0.get(name).map(|variable| {
            let value = variable
                .value
                .as_ref()
                .or_else(|| record.environment.get(name));
            of_file(lookup.sources, Kind::EnvFile, variable, value)
        }));
    }
    if let Some((parent, _)) = record.parent {
        origins.extend(stated(lookup, parent, name));
        return origins;
    }
    let set = record.environment.get(name);
    if let Some(text) = lookup.options.shell.get(name) {
        origins.push(plain(Kind::Shell, text, text));
    }
    match (name, set) {
        ("COMPOSE_PROJECT_NAME", Some(text))
            if !origins
                .iter()
                .any(|origin| origin.value.as_ref().and_then(Json::as_str) == Some(text)) =>
        {
            origins.push(plain(Kind::Implied, "the project's name", text));
        }
        ("PWD", Some(text)) if origins.is_empty() => {
            origins.push(plain(Kind::Implied, "the working folder", text));
        }
        _ => {}
    }
    origins
}

/// What a line of an env file says.
pub(super) fn of_file(
    sources: &SourceMap,
    kind: Kind,
    variable: &dotenv::Variable,
    value: Option<&String>,
) -> Origin {
    Origin {
        kind,
        place: Some(variable.span),
        via: sources
            .get(variable.span.source)
            .parent
            .map(|parent| parent.1),
        written: rest_of_line(sources, variable.span),
        value: value.map(|text| Json::from(text.as_str())),
        effect: Effect::Wins,
        variables: Vec::new(),
    }
}

/// What stands behind the name and its `=`.
fn rest_of_line(sources: &SourceMap, name: Span) -> String {
    let text = &sources.get(name.source).text;
    let rest = text.get(name.end as usize..).unwrap_or_default();
    let line = rest.lines().next().unwrap_or_default().trim_start();
    let value = line.strip_prefix(['=', ':']).unwrap_or(line);
    value.trim().to_owned()
}

fn plain(kind: Kind, written: &str, value: &str) -> Origin {
    Origin {
        kind,
        place: None,
        via: None,
        written: written.to_owned(),
        value: Some(Json::from(value)),
        effect: Effect::Wins,
        variables: Vec::new(),
    }
}

/// Adds the default or the alternate text of a use, and what it does.
fn add_use(trail: &mut Trail, lookup: &Lookup<'_>, scope: usize, used: &VariableUse, span: Span) {
    let environment = &lookup.scopes[scope].record.environment;
    let set = environment.get(&used.name);
    let substituted = |text: &str| {
        let lookup = |name: &str| environment.get(name).cloned();
        template::substitute(text, &lookup, &mut |_| {}).unwrap_or_default()
    };
    let present = set.is_some_and(|text| !used.colon || !text.is_empty());
    let (kind, text, counts) = match (&used.default, &used.alternate) {
        (Some(text), _) => (Kind::Default, text, !present),
        (_, Some(text)) => (Kind::Alternate, text, present),
        (None, None) => return,
    };
    let value = substituted(text);
    // The new origin comes first: it is the weakest.
    for origin in &mut trail.origins {
        origin.effect = match origin.effect {
            Effect::Overridden(by) => Effect::Overridden(by + 1),
            Effect::Wins if counts && kind == Kind::Default => Effect::Empty,
            Effect::Wins if counts => Effect::Overridden(0),
            effect => effect,
        };
    }
    trail.origins.insert(
        0,
        Origin {
            kind,
            place: Some(span),
            via: None,
            written: text.clone(),
            value: Some(Json::from(value.as_str())),
            effect: if counts { Effect::Wins } else { Effect::Unused },
            variables: Vec::new(),
        },
    );
    if counts {
        trail.value = Some(Json::from(value));
    } else if kind == Kind::Alternate {
        trail.value = Some(Json::from(""));
    }
}

/// Every text of a document that uses the variable.
pub(super) fn uses(document: &Document<'_>, name: &str, found: &mut Vec<Use>) {
    collect(document.raw, &mut Vec::new(), &mut |node, text, path| {
        if template::variables(text)
            .iter()
            .any(|used| used.name == name)
        {
            found.push(Use {
                place: node.span,
                path: super::steps::shown(path),
                written: text.to_owned(),
            });
        }
    });
}

/// The names of all variables that a document uses.
pub(super) fn names(document: &Document<'_>, found: &mut BTreeSet<String>) {
    collect(document.raw, &mut Vec::new(), &mut |_, text, _| {
        found.extend(template::variables(text).into_iter().map(|used| used.name));
    });
}

fn collect(
    node: &Node,
    path: &mut Vec<super::steps::Step>,
    see: &mut dyn FnMut(&Node, &str, &[super::steps::Step]),
) {
    use super::steps::Step;
    match &node.value {
        Value::Str(text) if text.contains('$') => see(node, text, path),
        Value::Map(map) => {
            for (key, entry) in map {
                path.push(Step::Key(key.clone()));
                collect(&entry.node, path, see);
                path.pop();
            }
        }
        Value::Seq(items) => {
            for (index, item) in items.iter().enumerate() {
                path.push(Step::Index(index, None));
                collect(item, path, see);
                path.pop();
            }
        }
        _ => {}
    }
}
