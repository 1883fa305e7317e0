//! What a stage has come to.

use std::collections::{BTreeMap, HashMap};

use super::configure::set_variable;
use super::layer::Layer;
use crate::image::{Descriptor, Document, History, Image, digest};
use crate::{Error, Result};

/// The variable that every image has: where its programs are.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// What tells in an image's history that it is of this kind of builder.
const COMMENT: &str = "buildkit.dockerfile.v0";

/// The image that a stage makes.
#[derive(Debug, Clone, Default)]
pub(super) struct Stage {
    /// Its configuration. Its times are filled in at the end.
    pub(super) document: Document,
    /// Its layers, lowest first.
    pub(super) layers: Vec<Descriptor>,
    /// How much of its history is that of the image it began with.
    inherited: usize,
    /// Its `ARG`s in the order of their declaration, those of the stage it is based on first.
    args: Vec<(String, Option<String>)>,
    /// Values of `ARG`s that no later `ENV` has replaced.
    values: HashMap<String, String>,
    /// The image that it is, as long as nothing has changed.
    pub(super) base: Option<String>,
    /// Whether it has a `CMD` of its own.
    pub(super) has_command: bool,
}

impl Stage {
    /// A stage that begins with nothing.
    pub(super) fn empty() -> Self {
        let mut stage = Self {
            document: Document {
                created: None,
                ..Document::new()
            },
            ..Self::default()
        };
        let config = stage.document.config.get_or_insert_default();
        config.working_dir = Some("/".to_owned());
        stage.set_path();
        stage
    }

    /// A stage that begins with an image.
    pub(super) fn of(image: Image, layers: Vec<Descriptor>) -> Self {
        let mut document = (*image.document).clone();
        document.config = Some(document.config());
        let mut stage = Self {
            inherited: document.history.len(),
            document,
            layers,
            base: Some(image.id),
            ..Self::default()
        };
        stage.set_path();
        stage
    }

    /// A stage that begins with another.
    pub(super) fn on(other: &Self) -> Self {
        let mut stage = Self {
            has_command: false,
            ..other.clone()
        };
        for text in other.environment() {
            let name = text.split('=').next().unwrap_or_default();
            stage.values.remove(name);
        }
        stage
    }

    fn set_path(&mut self) {
        if self.environment().any(|text| text.starts_with("PATH=")) {
            return;
        }
        let config = self.document.config.get_or_insert_default();
        set_variable(config.env.get_or_insert_default(), "PATH", PATH);
        self.base = None;
    }

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

    /// What `$NAME` stands for.
    pub(super) fn variables(&self) -> HashMap<String, String> {
        let pairs = self.environment().map(|text| {
            let (name, value) = text.split_once('=').unwrap_or((text, ""));
            (name.to_owned(), value.to_owned())
        });
        let mut variables: HashMap<String, String> = pairs.collect();
        variables.extend(self.values.clone());
        variables
    }

    /// `NAME=value` of the image's environment.
    fn environment(&self) -> impl Iterator<Item = &str> {
        let config = self.document.config.as_ref();
        let variables = config.and_then(|config| config.env.as_ref());
        variables.into_iter().flatten().map(String::as_str)
    }

    /// The arguments that commands see, as `NAME=value` in the order of their names.
    pub(super) fn arguments(&self) -> Vec<String> {
        let values = self.values.iter();
        let mut arguments: Vec<String> = values
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        arguments.sort();
        arguments
    }

    /// Declares an argument.
    pub(super) fn declare(&mut self, name: &str, value: Option<String>) {
        if let Some(value) = &value {
            self.values.insert(name.to_owned(), value.clone());
        }
        self.args.push((name.to_owned(), value));
    }

    /// Variables of the environment hide arguments of the same name that came before.
    pub(super) fn hide_arguments(&mut self, names: impl Iterator<Item = String>) {
        for name in names {
            self.values.remove(&name);
        }
    }

    /// How history tells a command: the arguments that it sees are in front.
    pub(super) fn told_command(&self, command: &[String]) -> String {
        let variables = self.variables();
        let mut told: Vec<String> = Vec::new();
        for (name, _) in &self.args {
            let value = variables.get(name).cloned();
            let value = value.or_else(|| self.value_of(name)).unwrap_or_default();
            set_variable(&mut told, name, &value);
        }
        let command = command.join(" ");
        match told.len() {
            0 => command,
            count => format!("|{count} {} {command}", told.join(" ")),
        }
    }

    fn value_of(&self, name: &str) -> Option<String> {
        let mut declared = self.args.iter().filter(|(other, _)| other == name);
        declared.next_back().and_then(|(_, value)| value.clone())
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
    pub(super) fn note(&mut self, told: String) {
        self.tell(told, None, true);
    }

    /// Notes an instruction that may have changed files, and takes its layer in.
    pub(super) fn add(&mut self, (layer, diff_id): Layer, told: String, created: String) {
        self.layers.push(layer);
        self.document.rootfs.diff_ids.push(diff_id);
        self.tell(told, Some(created), false);
    }

    fn tell(&mut self, told: String, created: Option<String>, empty_layer: bool) {
        self.document.history.push(History {
            created,
            created_by: Some(told),
            comment: Some(COMMENT.to_owned()),
            empty_layer,
        });
        self.base = None;
    }

    /// Fills in the times of what made no layer: that of the layer before, or of the first that
    /// follows; with `epoch` that of everything new. So equal inputs give equal images.
    ///
    /// # Errors
    /// 400 for a time out of range.
    pub(super) fn date(&mut self, epoch: Option<i64>) -> Result<()> {
        let history = &mut self.document.history;
        if let Some(epoch) = epoch {
            let time = jiff::Timestamp::from_second(epoch)
                .map_err(|error| Error::bad_request(format!("SOURCE_DATE_EPOCH: {error}")))?;
            for step in history.iter_mut().skip(self.inherited) {
                step.created = Some(time.to_string());
            }
        }
        let dated = history.iter().position(|step| step.created.is_none());
        let at = dated.unwrap_or(history.len());
        let first_new = history[at..].iter().find_map(|step| step.created.clone());
        let before = history[..at]
            .iter()
            .rev()
            .find_map(|step| step.created.clone());
        let mut created = first_new.or(before);
        for step in &mut history[at..] {
            match &step.created {
                Some(time) => created = Some(time.clone()),
                None => step.created.clone_from(&created),
            }
        }
        let last = history.iter().rev().find_map(|step| step.created.clone());
        self.document.created = last;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer() -> Layer {
        let digest = digest(b"");
        (Descriptor::new("application/x-tar", &digest, 0), digest)
    }

    fn times(stage: &Stage) -> Vec<&str> {
        let history = stage.document.history.iter();
        history
            .map(|step| step.created.as_deref().unwrap_or("-"))
            .collect()
    }

    #[test]
    fn what_made_no_layer_has_the_time_of_a_layer() {
        let mut stage = Stage::empty();
        stage.note("ENV a=b".to_owned());
        stage.add(layer(), "RUN x".to_owned(), "1".to_owned());
        stage.note("CMD x".to_owned());
        stage.add(layer(), "RUN y".to_owned(), "2".to_owned());
        stage.note("USER y".to_owned());
        let undated = stage.clone();
        stage.date(None).unwrap();
        assert_eq!(times(&stage), ["1", "1", "1", "2", "2"]);
        assert_eq!(stage.document.created.as_deref(), Some("2"));
        let mut stage = undated;
        stage.date(Some(5)).unwrap();
        assert_eq!(times(&stage), ["1970-01-01T00:00:05Z"; 5]);
        let mut stage = Stage::empty();
        stage.note("ENV a=b".to_owned());
        stage.date(None).unwrap();
        assert_eq!(times(&stage), ["-"]);
        assert_eq!(stage.document.created, None);
    }

    #[test]
    fn the_last_of_env_and_arg_counts() {
        let mut stage = Stage::empty();
        stage.declare("A", Some("1".to_owned()));
        stage.declare("B", None);
        stage.declare("A", Some("2".to_owned()));
        let command = ["ls".to_owned()];
        assert_eq!(stage.told_command(&command), "|2 A=2 B= ls");
        stage.hide_arguments(["A".to_owned()].into_iter());
        assert_eq!(stage.arguments(), [""; 0]);
        assert_eq!(
            stage.variables().get("PATH").map(String::as_str),
            Some(PATH)
        );
    }
}
