//! What a command asks of [`super::reconcile`].

use std::collections::{BTreeMap, BTreeSet};

use super::observed::ApiVersion;

/// What holds for a whole invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Between the parts of container and image names: `-`, or `_` with `--compatibility`.
    pub separator: char,
    /// `RCOMPOSE_COMPAT=strict`: behave as docker compose even where rcompose means to differ.
    pub strict: bool,
    /// The negotiated version of the engine's API.
    pub api: ApiVersion,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            separator: '-',
            strict: false,
            api: ApiVersion::v1(41),
        }
    }
}

/// When an existing container is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Recreate {
    /// When it differs from what is wanted.
    #[default]
    Diverged,
    /// Always.
    Force,
    /// Never.
    Never,
}

/// When images are built before containers are created.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Build {
    /// When the image is missing, or `pull_policy: build` asks for it.
    #[default]
    Missing,
    /// `--build`.
    Always,
    /// `--no-build`.
    Never,
}

/// `up`, `create` and `scale`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Up {
    /// Services named on the command line; empty is all.
    pub services: Vec<String>,
    /// Leave the dependencies of the named services alone.
    pub no_deps: bool,
    /// Policy for the named services (all where none is named).
    pub recreate: Recreate,
    /// Policy for their dependencies.
    pub recreate_dependencies: Recreate,
    /// Whether anonymous volumes go to the new container (`false`: `-V`).
    pub inherit_volumes: bool,
    /// `--scale`.
    pub scale: BTreeMap<String, u64>,
    /// `--timeout` for stops, seconds; the containers' own where absent.
    pub timeout: Option<i64>,
    /// `--remove-orphans`.
    pub remove_orphans: bool,
    /// `COMPOSE_IGNORE_ORPHANS`.
    pub ignore_orphans: bool,
    /// `--adopt`: treat containers of another directory with this project name as ours.
    pub adopt: bool,
    /// Whether containers are started (`false`: `create`, `--no-start`).
    pub start: bool,
    /// `--wait`: end only when the services run or are healthy.
    pub wait: bool,
    /// `--wait-timeout`, seconds.
    pub wait_timeout: Option<u64>,
    /// Build policy.
    pub build: Build,
    /// `--pull`: overrides the services' `pull_policy`.
    pub pull: Option<String>,
    /// Keys of diverged volumes that may be recreated, losing their data.
    pub recreate_volumes: BTreeSet<String>,
    /// `--all-resources`: networks and volumes are made whether or not a service uses them.
    pub all_resources: bool,
    /// Variables that providers gave to the services that depend on them, by service and name.
    pub provided: BTreeMap<String, BTreeMap<String, String>>,
    /// Now, Unix seconds, for refreshing pull policies.
    pub now: i64,
}

impl Default for Up {
    fn default() -> Self {
        Self {
            services: Vec::new(),
            no_deps: false,
            recreate: Recreate::default(),
            recreate_dependencies: Recreate::default(),
            inherit_volumes: true,
            scale: BTreeMap::new(),
            timeout: None,
            remove_orphans: false,
            ignore_orphans: false,
            adopt: false,
            start: true,
            wait: false,
            wait_timeout: None,
            build: Build::default(),
            pull: None,
            recreate_volumes: BTreeSet::new(),
            all_resources: false,
            provided: BTreeMap::new(),
            now: 0,
        }
    }
}

/// `--rmi`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RemoveImages {
    /// Keep all images.
    #[default]
    None,
    /// Those built for the project.
    Local,
    /// Those of every service.
    All,
}

/// `down`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Down {
    /// Services named on the command line; empty is the whole project.
    pub services: Vec<String>,
    /// `--timeout`, seconds.
    pub timeout: Option<i64>,
    /// `--volumes`.
    pub volumes: bool,
    /// `--rmi`.
    pub images: RemoveImages,
    /// `--remove-orphans`.
    pub remove_orphans: bool,
    /// `--adopt`: treat containers of another directory with this project name as ours.
    pub adopt: bool,
}

/// `stop`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stop {
    /// Services named on the command line; empty is all.
    pub services: Vec<String>,
    /// `--timeout`, seconds.
    pub timeout: Option<i64>,
}

/// `start`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Start {
    /// Services named on the command line; empty is all.
    pub services: Vec<String>,
    /// `--wait`.
    pub wait: bool,
    /// `--wait-timeout`, seconds.
    pub wait_timeout: Option<u64>,
}

/// `restart`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Restart {
    /// Services named on the command line; empty is all.
    pub services: Vec<String>,
    /// `--no-deps`: leave dependents alone.
    pub no_deps: bool,
    /// `--timeout`, seconds.
    pub timeout: Option<i64>,
}

/// `kill`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kill {
    /// Services named on the command line; empty is all.
    pub services: Vec<String>,
    /// `--signal`.
    pub signal: String,
    /// `--remove-orphans`: also containers of services that are not in the file.
    pub remove_orphans: bool,
    /// Also containers that are not running.
    pub all: bool,
}

/// `rm`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Remove {
    /// Services named on the command line; empty is all.
    pub services: Vec<String>,
    /// `--stop`.
    pub stop: bool,
    /// `--volumes`.
    pub volumes: bool,
    /// `--force`: passed to the engine too.
    pub force: bool,
}

/// `run`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Run {
    /// The service.
    pub service: String,
    /// Hexadecimal random id of 64 digits that makes the name unique.
    pub slug: String,
    /// `--name`.
    pub name: Option<String>,
    /// Replaces the service's command unless empty.
    pub command: Vec<String>,
    /// `--entrypoint`.
    pub entrypoint: Option<Vec<String>>,
    /// `--env` and `--env-from-file`, resolved.
    pub environment: BTreeMap<String, String>,
    /// `--label`.
    pub labels: BTreeMap<String, String>,
    /// `--user`.
    pub user: Option<String>,
    /// `--workdir`.
    pub working_dir: Option<String>,
    /// `--volume`, in the compose file's short form already decoded.
    pub volumes: Vec<crate::compose::model::Mount>,
    /// `--publish`, decoded.
    pub publish: Vec<crate::compose::model::Port>,
    /// `--service-ports`.
    pub service_ports: bool,
    /// `--use-aliases`.
    pub use_aliases: bool,
    /// `--cap-add`.
    pub cap_add: Vec<String>,
    /// `--cap-drop`.
    pub cap_drop: Vec<String>,
    /// Whether it gets a terminal.
    pub tty: bool,
    /// Whether standard input is kept open and attached.
    pub interactive: bool,
    /// `--rm`.
    pub auto_remove: bool,
    /// `--no-deps`.
    pub no_deps: bool,
    /// How the dependencies are brought up.
    pub dependencies: Up,
}
