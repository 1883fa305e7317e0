//! What may not be published, and what is only published with consent.

use std::fmt::Write as _;
use std::path::Path;

use crate::cli::{Error, prompt};
use crate::compose::model::{Environment, MountType, Service};
use crate::compose::{Project, Written};
use crate::lint::{self, Input, Selection};
use crate::ui;

/// The rule that finds secrets.
const SECRETS: &str = "secret-in-clear";
/// Files with more bytes are not searched for secrets.
const LARGEST: u64 = 8 << 20;

/// What is about to be published.
pub(super) struct Wanted<'a> {
    /// The project with every profile enabled.
    pub(super) project: &'a Project,
    /// Its files.
    pub(super) written: &'a Written,
    /// `--with-env`.
    pub(super) with_env: bool,
}

impl Wanted<'_> {
    /// Whether to go on; with `yes` without asking.
    ///
    /// # Errors
    /// For what is not published, whatever the person says.
    pub(super) fn checked(&self, yes: bool) -> Result<bool, Error> {
        self.has_images()?;
        if yes {
            return Ok(true);
        }
        let questions = [self.bind_mounts(), self.secrets()];
        for question in questions.into_iter().flatten() {
            if !asked(&question)? {
                return Ok(false);
            }
        }
        match self.environment()? {
            Some(question) => asked(&question),
            None => Ok(true),
        }
    }

    /// A service that is only built is of no use to others.
    fn has_images(&self) -> Result<(), Error> {
        let only_built = |service: &&Service| service.image.is_none() && service.build.is_some();
        let names: Vec<String> = self
            .project
            .services
            .values()
            .filter(only_built)
            .map(|service| format!("\"{}\"", service.name))
            .collect();
        if names.is_empty() {
            return Ok(());
        }
        Err(Error::user(format!(
            "cannot publish a project with services that only have a build section: {}",
            names.join(", ")
        ))
        .help("give them an `image`, under which they are pushed"))
    }

    fn bind_mounts(&self) -> Option<String> {
        let mut list = String::new();
        for (name, service) in &self.project.services {
            let mounts = service.volumes.iter();
            for mount in mounts.filter(|mount| mount.kind == MountType::Bind) {
                let source = mount.source.as_deref().unwrap_or_default();
                let target = mount.target.as_deref().unwrap_or_default();
                // Writing to a string cannot fail.
                let _ = writeln!(list, "  {name}: {source}:{target}");
            }
        }
        question(
            "you are about to publish bind mounts, which others will have too, without the files:",
            &list,
            "Are you ok to publish these bind mount declarations",
        )
    }

    fn secrets(&self) -> Option<String> {
        let mut list = String::new();
        let input = Input {
            written: self.written,
            dockerfiles: &[],
            exists: &Path::exists,
        };
        let selection = Selection {
            only: vec![SECRETS.to_owned()],
            allowed: Vec::new(),
        };
        for finding in lint::lint(&input, &selection) {
            let line = ui::diagnostics::headline(&finding, &self.written.sources);
            let _ = writeln!(list, "  {line}");
        }
        for (name, service) in &self.project.services {
            let written = self.written.project.services.get(name);
            for (variable, value) in from_files(&service.environment, written) {
                if lint::is_secret(variable, value) {
                    let _ = writeln!(list, "  {variable} of service \"{name}\", from an env file");
                }
            }
        }
        for (place, path) in self.files() {
            if let Some(what) = readable(Path::new(path))
                .as_deref()
                .and_then(lint::gives_away)
            {
                let _ = writeln!(list, "  {place}: {what}");
            }
        }
        question(
            "you are about to publish sensitive data, or to name files that have it:",
            &list,
            "Are you ok to publish these sensitive data",
        )
    }

    /// Files of configs, secrets and env files, with what they are.
    fn files(&self) -> Vec<(String, &str)> {
        let of = |kind: &'static str, name: &str, file: &Option<String>| {
            format!(
                "{kind} \"{name}\" ({})",
                file.as_deref().unwrap_or_default()
            )
        };
        let configs = self.project.configs.iter();
        let configs = configs.map(|(name, it)| (of("config", name, &it.file), &it.file));
        let secrets = self.project.secrets.iter();
        let secrets = secrets.map(|(name, it)| (of("secret", name, &it.file), &it.file));
        let mut files: Vec<(String, &str)> = configs
            .chain(secrets)
            .filter_map(|(place, file)| Some((place, file.as_deref()?)))
            .collect();
        for service in self.written.project.services.values() {
            for file in &service.env_file {
                let place = format!("env_file of service \"{}\" ({})", service.name, file.path);
                files.push((place, &file.path));
            }
        }
        files
    }

    /// The variables that are about to be published.
    ///
    /// # Errors
    /// Where there are some and nobody said that they may be.
    fn environment(&self) -> Result<Option<String>, Error> {
        let (mut list, mut refusals) = (String::new(), Vec::new());
        for (name, service) in &self.project.services {
            let written = self.written.project.services.get(name);
            if written.is_some_and(|service| !service.env_file.is_empty()) {
                refusals.push(format!("service \"{name}\" has env_file declared"));
            }
            if !service.environment.is_empty() {
                refusals.push(format!(
                    "service \"{name}\" has environment variable(s) declared"
                ));
                let _ = writeln!(list, "Service/Config  {name}");
                for (variable, value) in &service.environment {
                    let _ = writeln!(list, "{variable}={}", value.as_deref().unwrap_or_default());
                }
            }
        }
        for (name, config) in &self.project.configs {
            if let Some(variable) = &config.environment {
                refusals.push(format!("config \"{name}\" is taken from the environment"));
                let _ = writeln!(list, "Service/Config  {name}\n{name}={variable}");
            }
        }
        if !self.with_env && !refusals.is_empty() {
            return Err(Error::user(refusals.join("\n")).help(
                "environment variables may have secrets: publish them with --with-env, or take them out of the compose files",
            ));
        }
        Ok(question(
            "you are about to publish environment variables:",
            &list,
            "Are you ok to publish these environment variables",
        ))
    }
}

/// The variables of a service that its env files have.
fn from_files<'a>(
    environment: &'a Environment,
    written: Option<&'a Service>,
) -> impl Iterator<Item = (&'a str, &'a str)> {
    let own =
        move |name: &String| written.is_none_or(|service| service.environment.contains_key(name));
    environment
        .iter()
        .filter(move |(name, _)| !own(name))
        .filter_map(|(name, value)| Some((name.as_str(), value.as_deref()?)))
}

/// The text of a file that is not too large to look at.
fn readable(path: &Path) -> Option<String> {
    let metadata = std::fs::metadata(path).ok()?;
    if !metadata.is_file() || metadata.len() > LARGEST {
        return None;
    }
    let bytes = std::fs::read(path).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn question(what: &str, list: &str, ask: &str) -> Option<String> {
    (!list.is_empty()).then(|| format!("{what}\n{list}{ask}"))
}

fn asked(question: &str) -> Result<bool, Error> {
    let consents = prompt::confirm(question, false)?;
    if !consents {
        ui::out::stderr("nothing was published\n")?;
    }
    Ok(consents)
}
