//! What a caller can ask of [`super::load()`].

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::path::PathBuf;
use std::sync::Arc;

/// Brings compose files that are not on this machine.
pub trait Fetch: Debug + Send + Sync {
    /// The path of a local copy of what `name` (`oci://…`, or any other URL) names.
    ///
    /// # Errors
    /// When it is not read, or cannot be.
    fn fetch(&self, name: &str) -> Result<PathBuf, FetchError>;
}

/// Why a compose file could not be brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchError {
    /// What is wrong, with the name.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

/// Which project to load and which stages to run.
///
/// The environment variables that steer discovery (`COMPOSE_FILE`, `COMPOSE_PROFILES`,
/// `COMPOSE_PROJECT_NAME`, `COMPOSE_ENV_FILES`, …) are read from [`shell`](Self::shell) and
/// `.env` by the loader itself, never from the process.
#[derive(Debug, Clone)]
#[allow(clippy::struct_excessive_bools)]
pub struct LoadOptions {
    /// `-f`: compose files in order; `-` is standard input. Empty: discovery.
    pub files: Vec<String>,
    /// Text of standard input, for a file named `-`.
    pub stdin: Option<String>,
    /// `--project-directory`.
    pub project_directory: Option<PathBuf>,
    /// `-p`.
    pub project_name: Option<String>,
    /// `--profile`; `*` enables all.
    pub profiles: Vec<String>,
    /// `--env-file`; empty: `COMPOSE_ENV_FILES` or the project's `.env`.
    pub env_files: Vec<PathBuf>,
    /// The environment of the process.
    pub shell: BTreeMap<String, String>,
    /// The folder relative paths start from; absolute.
    pub working_dir: PathBuf,
    /// Services named on the command line: they are enabled whatever their profiles.
    pub services: Vec<String>,
    /// `false` for `config --no-interpolate`.
    pub interpolate: bool,
    /// `false` for `config --no-normalize`.
    pub normalize: bool,
    /// `false` for `config --no-path-resolution`.
    pub resolve_paths: bool,
    /// `false` for `config --no-consistency`.
    pub check_consistency: bool,
    /// `false` for `config --no-env-resolution`.
    pub resolve_environment: bool,
    /// `--all-resources`: keep networks, volumes, … that no service uses.
    pub all_resources: bool,
    /// Brings what is not on this machine; without it such files are refused.
    pub remote: Option<Arc<dyn Fetch>>,
}

impl LoadOptions {
    /// Every stage on, discovery from `working_dir`, with the given process environment.
    pub fn new(working_dir: PathBuf, shell: BTreeMap<String, String>) -> Self {
        Self {
            files: Vec::new(),
            stdin: None,
            project_directory: None,
            project_name: None,
            profiles: Vec::new(),
            env_files: Vec::new(),
            shell,
            working_dir,
            services: Vec::new(),
            interpolate: true,
            normalize: true,
            resolve_paths: true,
            check_consistency: true,
            resolve_environment: true,
            all_resources: false,
            remote: None,
        }
    }
}
