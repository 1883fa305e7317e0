//! What a stage has come to.

use std::collections::{BTreeMap, HashMap};

use super::Instruction;
use crate::image::{Descriptor, Document, History, digest};
use crate::{Result, time};

/// The image that a stage makes.
#[derive(Debug, Clone, Default)]
pub(super) struct Stage {
    /// Its configuration.
    pub(super) document: Document,
    /// Its layers, lowest first.
    pub(super) layers: Vec<Descriptor>,
    /// Values of the `ARG`s of this stage.
    pub(super) args: HashMap<String, String>,
    /// The image that it is, as long as nothing has changed.
    pub(super) base: Option<String>,
    /// Whether it has a `CMD` of its own.
    pub(super) has_command: bool,
}

impl Stage {
    /// The id of the image that it would be now.
    ///
    /// # Errors
    /// None that a document can cause.
    pub(super) fn id(&self) -> Result<String> {
        match &self.base {
            Some(id) => Ok(id.clone()),
            None => Ok(digest(&self.document.to_bytes()?)),
        }
    }

    /// What `$NAME` stands for: the environment goes before arguments.
    pub(super) fn variables(&self) -> HashMap<String, String> {
        let mut variables = self.args.clone();
        for text in self.environment() {
            let (name, value) = text.split_once('=').unwrap_or((text, ""));
            variables.insert(name.to_owned(), value.to_owned());
        }
        variables
    }

    /// `NAME=value` of the image's environment.
    pub(super) fn environment(&self) -> impl Iterator<Item = &str> {
        let config = self.document.config.as_ref();
        let variables = config.and_then(|config| config.env.as_ref());
        variables.into_iter().flatten().map(String::as_str)
    }

    /// The arguments that commands see, as `NAME=value` in the order of their names.
    pub(super) fn arguments(&self) -> Vec<String> {
        let is_hidden = |name: &str| {
            self.environment()
                .any(|text| text.split('=').next() == Some(name))
        };
        let mut arguments: Vec<String> = self
            .args
            .iter()
            .filter(|(name, _)| !is_hidden(name))
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        arguments.sort();
        arguments
    }

    /// Takes a layer in, if there is one, and notes what made it.
    pub(super) fn add(&mut self, layer: Option<(Descriptor, String)>, created_by: String) {
        let empty_layer = layer.is_none();
        if let Some((layer, diff_id)) = layer {
            self.layers.push(layer);
            self.document.rootfs.diff_ids.push(diff_id);
        }
        let now = time::now();
        self.document.history.push(History {
            created: Some(now.clone()),
            created_by: Some(created_by),
            empty_layer,
            ..History::default()
        });
        self.document.created = Some(now);
        self.base = None;
    }

    /// Adds labels that no instruction of the Dockerfile has.
    pub(super) fn label(&mut self, labels: &BTreeMap<String, String>) {
        if labels.is_empty() {
            return;
        }
        let config = self.document.config.get_or_insert_default();
        let labels = labels.iter();
        let labels = labels.map(|(key, value)| (key.clone(), value.clone()));
        config.labels.get_or_insert_default().extend(labels);
        self.base = None;
    }

    /// Notes an instruction that changed the configuration alone.
    pub(super) fn note(&mut self, instruction: &Instruction) {
        self.add(None, no_operation(instruction));
    }
}

/// How the classic builder writes what no command made.
pub(super) fn no_operation(instruction: &Instruction) -> String {
    format!("/bin/sh -c #(nop) {}", instruction.text())
}
