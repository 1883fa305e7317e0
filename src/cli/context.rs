//! What every command needs: the global options, the environment, ways to load and connect.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::args::GlobalArgs;
use super::error::{Error, Style};
use crate::compose::LoadOptions;
use crate::connect::{self, Engine};

/// The surroundings of one command.
#[derive(Debug)]
pub struct Context {
    /// Options given before the command.
    pub global: GlobalArgs,
    /// The environment of the process.
    pub env: BTreeMap<String, String>,
    /// The folder the program was started in; absolute.
    pub working_dir: PathBuf,
}

impl Context {
    /// Reads the surroundings of the process.
    pub fn new(global: GlobalArgs) -> Result<Self, Error> {
        Ok(Self {
            global,
            env: environment(),
            working_dir: std::env::current_dir()?,
        })
    }

    /// `--dry-run`: show what would be done without doing it.
    pub fn dry_run(&self) -> bool {
        self.global.dry_run
    }

    /// `RCOMPOSE_COMPAT=strict`: do as docker compose does even where we mean to be better.
    pub fn strict(&self) -> bool {
        self.env
            .get("RCOMPOSE_COMPAT")
            .is_some_and(|value| value == "strict")
    }

    /// `--compatibility` or `COMPOSE_COMPATIBILITY`: "_" between the parts of names.
    pub fn compatibility(&self) -> bool {
        self.global.compatibility || self.flag("COMPOSE_COMPATIBILITY")
    }

    /// Whether an environment variable is set to something true.
    pub fn flag(&self, name: &str) -> bool {
        self.env.get(name).is_some_and(|value| truth(value))
    }

    /// What [`crate::compose::load`] is asked for with the global options and these services.
    pub fn load_options(&self, services: &[String]) -> LoadOptions {
        LoadOptions {
            files: self.global.files.clone(),
            project_directory: self
                .global
                .project_directory
                .clone()
                .or_else(|| self.global.workdir.clone()),
            project_name: self.global.project_name.clone(),
            profiles: self.global.profiles.clone(),
            env_files: self.global.env_files.clone(),
            services: services.to_vec(),
            all_resources: self.global.all_resources,
            ..LoadOptions::new(self.working_dir.clone(), self.env.clone())
        }
    }

    /// Connects to the engine that the options and the environment choose.
    pub async fn engine(&self) -> Result<Engine, Error> {
        Ok(connect::connect(self.global.engine.as_deref(), &self.env).await?)
    }

    /// The client of [`Self::engine`].
    pub async fn connect(&self) -> Result<bollard::Docker, Error> {
        Ok(self.engine().await?.docker)
    }

    /// How errors are shown.
    pub fn error_style(&self) -> Style {
        Style::default()
    }
}

/// The variables of the process whose names and values are text.
fn environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// What docker compose takes for true in its variables.
fn truth(value: &str) -> bool {
    matches!(
        value.to_lowercase().as_str(),
        "1" | "t" | "true" | "y" | "yes" | "on"
    )
}
