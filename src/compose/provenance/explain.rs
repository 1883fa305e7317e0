//! Answers to questions.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::layers::{self, Scope};
use super::question::{self, Question, Token, Unknown};
use super::record::{Attached, Record};
use super::steps::{Step, keys, shown};
use super::trail::{Answer, Subject, Trail};
use super::trails;
use super::value;
use super::variables::{self, Lookup};
use super::walk;
use crate::compose::diagnostic::similar::similar;
use crate::compose::emit;
use crate::compose::load::Loaded;
use crate::compose::merge;
use crate::compose::model::Project;
use crate::compose::node::{Node, Value};
use crate::compose::options::LoadOptions;
use crate::compose::source::{SourceMap, Span};

/// A loaded project that can be asked where its values come from.
pub struct Explainer<'a> {
    pub(super) project: &'a Project,
    pub(super) sources: &'a SourceMap,
    pub(super) options: &'a LoadOptions,
    pub(super) attached: &'a [Attached],
    pub(super) scopes: Vec<Scope<'a>>,
    /// The project as `config` prints it.
    emitted: Json,
}

impl<'a> Explainer<'a> {
    /// Makes a project ready for questions, given what was recorded while it was loaded.
    pub fn new(loaded: &'a Loaded, record: &'a Record, options: &'a LoadOptions) -> Self {
        Self {
            project: &loaded.project,
            sources: &loaded.sources,
            options,
            attached: &record.attached,
            scopes: layers::scopes(record, &loaded.sources, options.interpolate),
            emitted: value::of_emitted(&emit::tree(&loaded.project)),
        }
    }

    /// Everything that is known about a path of the model or a variable.
    ///
    /// # Errors
    /// When the question cannot be read or there is nothing of that name.
    pub fn answer(&self, question: &str) -> Result<Answer, Unknown> {
        match question::parse(question)? {
            Question::Path(tokens) => self.path(question, &tokens),
            Question::Variable(name) => self.variable(question, &name),
        }
    }

    /// The paths of all values of the project, as questions.
    pub fn leaves(&self) -> Vec<String> {
        let mut leaves = Vec::new();
        self.collect(&mut Vec::new(), &self.emitted, &mut leaves);
        leaves.iter().map(|(steps, _)| shown(steps)).collect()
    }

    pub(super) fn lookup(&self) -> Lookup<'_> {
        Lookup {
            scopes: &self.scopes,
            options: self.options,
            sources: self.sources,
        }
    }

    fn path(&self, question: &str, tokens: &[Token]) -> Result<Answer, Unknown> {
        let tree;
        let found = match question::resolve(&self.emitted, tokens) {
            Ok((steps, value)) => Ok((steps, Some(value))),
            Err(unknown) => {
                tree = value::of_node(&self.project.tree);
                match question::resolve(&tree, tokens) {
                    Ok((steps, value)) => Ok((steps, Some(value))),
                    Err(other) => Err(unknown.deeper(other)),
                }
            }
        };
        let (steps, value) = match found {
            Ok(found) => found,
            Err(unknown) => match self.in_a_layer(tokens) {
                Some(steps) => (steps, None),
                None => return Err(self.hint(unknown, tokens)),
            },
        };
        let mut leaves = Vec::new();
        match value {
            Some(value) => self.collect(&mut steps.clone(), value, &mut leaves),
            None => leaves.push((steps.clone(), None)),
        }
        Ok(Answer {
            question: question.to_owned(),
            subject: Subject::Path(shown(&steps)),
            value: value.cloned(),
            trails: self.trails(&leaves),
            uses: Vec::new(),
            notes: self.notes(&steps),
        })
    }

    fn trails(&self, leaves: &[(Vec<Step>, Option<&Json>)]) -> Vec<Trail> {
        let trail =
            |(steps, value): &(Vec<Step>, Option<&Json>)| trails::trail(self, steps, *value);
        let mut trails: Vec<Trail> = Vec::new();
        let mut lists: BTreeSet<String> = BTreeSet::new();
        for leaf in leaves {
            let index = leaf
                .0
                .iter()
                .position(|step| matches!(step, Step::Index(..)));
            // The list itself, before its first element.
            if let Some(list) = index.map(|index| &leaf.0[..index])
                && lists.insert(shown(list))
            {
                trails.extend(self.list(list));
            }
            trails.push(trail(leaf));
        }
        trails
    }

    fn list(&self, steps: &[Step]) -> Option<Trail> {
        let value = steps
            .iter()
            .try_fold(&self.emitted, |value, step| match step {
                Step::Key(key) => value.get(key),
                Step::Index(index, _) => value.get(index),
            });
        trails::of_list(self, steps, value?)
    }

    /// The path in one of the documents, where merging has removed it.
    fn in_a_layer(&self, tokens: &[Token]) -> Option<Vec<Step>> {
        let mut documents = self.scopes.iter().flat_map(Scope::all_documents);
        documents.find_map(|document| {
            let tree = value::of_node(&document.tree);
            let found = question::resolve(&tree, tokens).ok();
            found.map(|(steps, _)| steps)
        })
    }

    /// Adds the path that was meant where the name of a service comes first.
    fn hint(&self, unknown: Unknown, tokens: &[Token]) -> Unknown {
        let Some(Token::Key { text, .. }) = tokens.first() else {
            return unknown;
        };
        if self
            .emitted
            .get("services")
            .and_then(|map| map.get(text))
            .is_some()
        {
            return unknown.help(format!("a path starts with its section: services.{text}"));
        }
        unknown
    }

    fn notes(&self, steps: &[Step]) -> Vec<String> {
        let keys = keys(steps);
        let (Some(section), Some(name)) = (keys.first(), keys.get(1)) else {
            return Vec::new();
        };
        let disabled = self.project.disabled_services.get(*name);
        if let Some(service) = disabled.filter(|_| *section == "services") {
            return vec![format!(
                "the service is not enabled: it has the {} {}",
                if service.profiles.len() == 1 {
                    "profile"
                } else {
                    "profiles"
                },
                service.profiles.join(", ")
            )];
        }
        let is_left = |tree: &Json| tree.get(section).and_then(|map| map.get(name)).is_some();
        let declared = self.project.tree.at(&[section, name]).is_some();
        if declared && !section.starts_with("x-") && !is_left(&self.emitted) {
            return vec!["not part of the project: nothing that is enabled uses it".to_owned()];
        }
        Vec::new()
    }

    /// The values below a path, each with its path. Lists and mappings that come as a whole count as
    /// one value.
    fn collect<'v>(
        &self,
        steps: &mut Vec<Step>,
        value: &'v Json,
        leaves: &mut Vec<(Vec<Step>, Option<&'v Json>)>,
    ) {
        let children: Vec<(Step, &Json)> = match value {
            Json::Object(map) => map
                .iter()
                .map(|(key, value)| (Step::Key(key.clone()), value))
                .collect(),
            Json::Array(items) => items
                .iter()
                .enumerate()
                .map(|(index, value)| {
                    let text = value.as_str().map(str::to_owned);
                    (Step::Index(index, text), value)
                })
                .collect(),
            _ => Vec::new(),
        };
        if children.is_empty() || self.is_whole(steps) {
            leaves.push((steps.clone(), Some(value)));
            return;
        }
        for (step, value) in children {
            steps.push(step);
            self.collect(steps, value, leaves);
            steps.pop();
        }
    }

    /// Whether what is at the path was written as one value.
    fn is_whole(&self, steps: &[Step]) -> bool {
        if merge::replaces(&keys(steps)) {
            return true;
        }
        let walk = walk::walk(&self.project.tree, &[], steps);
        let Some(merged) = walk.merged else {
            return false;
        };
        match &merged.value {
            Value::Seq(_) => false,
            Value::Map(map) => {
                matches!(steps.last(), Some(Step::Index(..)))
                    && map
                        .values()
                        .all(|entry| is_at_one_place(&entry.node, merged.span))
            }
            Value::Null => false,
            _ => true,
        }
    }

    fn variable(&self, question: &str, name: &str) -> Result<Answer, Unknown> {
        let lookup = self.lookup();
        let mut trails: Vec<Trail> = Vec::new();
        for (index, scope) in self.scopes.iter().enumerate() {
            let own = scope.record.env_files.iter();
            if index == 0 || own.filter(|file| file.0.contains_key(name)).count() > 0 {
                let mut trail = variables::trail(&lookup, index, name, None);
                trail.included = scope.record.parent.and_then(|(_, place)| place);
                trails.push(trail);
            }
        }
        let mut uses = Vec::new();
        for document in self.scopes.iter().flat_map(Scope::all_documents) {
            variables::uses(document, name, &mut uses);
        }
        if uses.is_empty() && trails.iter().all(|trail| trail.origins.is_empty()) {
            return Err(self.unknown_variable(name));
        }
        // What no layer of the project sets, an included part may.
        if trails.len() > 1 && trails[0].origins.is_empty() {
            trails.remove(0);
        }
        Ok(Answer {
            question: question.to_owned(),
            subject: Subject::Variable(name.to_owned()),
            value: trails.first().and_then(|trail| trail.value.clone()),
            trails,
            uses,
            notes: self.containers_with(name),
        })
    }

    fn unknown_variable(&self, name: &str) -> Unknown {
        let mut names: BTreeSet<String> = BTreeSet::new();
        for scope in &self.scopes {
            names.extend(scope.record.environment.keys().cloned());
            for document in scope.all_documents() {
                variables::names(document, &mut names);
            }
        }
        let unknown = Unknown::new(format!("the variable \"{name}\" is neither set nor used"));
        let services = self.emitted.get("services").and_then(Json::as_object);
        if services.is_some_and(|services| services.contains_key(name)) {
            return unknown.help(format!("ask for services.{name} if you mean the service"));
        }
        match similar(name, names.iter().map(String::as_str)) {
            Some(near) => unknown.help(format!("did you mean \"{near}\"?")),
            None => unknown.help("a path of the model starts with its section: services.web.image"),
        }
    }

    /// Containers have variables of their own, which may have the same name.
    fn containers_with(&self, name: &str) -> Vec<String> {
        let services = self.project.services.values();
        let with = services.filter(|service| service.environment.contains_key(name));
        let paths: Vec<String> = with
            .map(|service| format!("services.{}.environment.{name}", service.name))
            .collect();
        if paths.is_empty() {
            return Vec::new();
        }
        vec![format!(
            "containers have a variable of that name: {}",
            paths.join(", ")
        )]
    }
}

/// Whether a value and all in it carry one place: a short form that was made long.
fn is_at_one_place(node: &Node, place: Span) -> bool {
    let inside = match &node.value {
        Value::Map(map) => map
            .values()
            .all(|entry| is_at_one_place(&entry.node, place)),
        Value::Seq(_) => false,
        _ => true,
    };
    inside && node.span == place
}
