//! What is on an engine for one project, as plain data.
//!
//! Everything comes from list responses, plus one inspect per distinct image.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// State of an engine that matters for one project.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Observed {
    /// Containers with the project's label and a config hash, one-offs included, in any state.
    pub containers: Vec<Container>,
    /// Containers of `pre_start` hooks that failed, kept for inspection; only for `down`.
    pub hooks: Vec<Container>,
    /// Networks with the project's label, and those whose name or id the project refers to.
    pub networks: Vec<Network>,
    /// Volumes with the project's label, and those whose name the project refers to.
    pub volumes: Vec<Volume>,
    /// Local images keyed by the reference the project uses for them; a missing image has no entry.
    pub images: BTreeMap<String, Image>,
    /// Images with the project's label, for `down --rmi`.
    pub project_images: Vec<ProjectImage>,
    /// The negotiated version of the engine's API.
    pub api: ApiVersion,
    /// Whether the engine is part of an active swarm.
    pub swarm: bool,
    /// Address of the engine's socket on its own host, for `use_api_socket`.
    pub api_socket: Option<String>,
}

/// A version of the engine's API, such as 1.41.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub struct ApiVersion {
    /// Before the dot.
    pub major: u32,
    /// After the dot.
    pub minor: u32,
}

impl ApiVersion {
    /// A version of the 1.x series.
    pub const fn v1(minor: u32) -> Self {
        Self { major: 1, minor }
    }
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// What a container is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum State {
    /// Created, never started.
    #[default]
    Created,
    /// Running.
    Running,
    /// Frozen.
    Paused,
    /// Between two attempts of its restart policy.
    Restarting,
    /// Ended.
    Exited,
    /// Being removed.
    Removing,
    /// Could not be removed wholly.
    Dead,
}

/// What the engine knows of a container's health.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Health {
    /// No healthcheck, or not said.
    #[default]
    None,
    /// Not known yet.
    Starting,
    /// The last probes succeeded.
    Healthy,
    /// The last probes failed.
    Unhealthy,
}

/// One container.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Container {
    /// Full id.
    pub id: String,
    /// Name without the leading slash.
    pub name: String,
    /// Image reference it was created from.
    pub image: String,
    /// Id of that image (`sha256:…`).
    pub image_id: String,
    /// All labels.
    pub labels: BTreeMap<String, String>,
    /// Unix seconds.
    pub created: i64,
    /// What it is doing.
    pub state: State,
    /// Its health.
    pub health: Health,
    /// Exit code, where the engine's list told it (`Exited (3) …`).
    pub exit_code: Option<i64>,
    /// Networks it is attached to.
    pub networks: Vec<Attachment>,
    /// File systems mounted into it.
    pub mounts: Vec<Mount>,
}

/// A container's place on a network.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Attachment {
    /// Name of the network.
    pub name: String,
    /// Id of the network.
    pub id: String,
}

/// A mounted file system.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Mount {
    /// `bind`, `volume`, `tmpfs`, `npipe`, `cluster` or `image`.
    pub kind: String,
    /// Name of the volume; empty for others.
    pub name: String,
    /// Path on the host.
    pub source: String,
    /// Path in the container.
    pub destination: String,
    /// Whether it may be written to.
    pub writable: bool,
}

/// One network.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Network {
    /// Full id.
    pub id: String,
    /// Name.
    pub name: String,
    /// All labels.
    pub labels: BTreeMap<String, String>,
}

/// One volume.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Volume {
    /// Name.
    pub name: String,
    /// All labels.
    pub labels: BTreeMap<String, String>,
}

/// One local image that the project refers to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Image {
    /// Id (`sha256:…`).
    pub id: String,
    /// Paths the image declares as volumes.
    pub volumes: BTreeSet<String>,
    /// Whether the image has a healthcheck.
    pub healthcheck: bool,
    /// Operating system.
    pub os: String,
    /// Architecture.
    pub architecture: String,
    /// Variant of the architecture; may be empty.
    pub variant: String,
    /// When it was last tagged, Unix seconds; for refreshing pull policies.
    pub last_tagged: Option<i64>,
}

/// An image whose labels name the project.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ProjectImage {
    /// Id (`sha256:…`).
    pub id: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// All labels.
    pub labels: BTreeMap<String, String>,
}

impl Container {
    /// A label's value; empty where the label is missing.
    pub fn label(&self, key: &str) -> &str {
        self.labels.get(key).map_or("", String::as_str)
    }

    /// Whether it is running (also while the restart policy is at work).
    pub fn is_running(&self) -> bool {
        self.state == State::Running
    }
}

impl Observed {
    /// The network named exactly `name`.
    pub fn network(&self, name: &str) -> Option<&Network> {
        self.networks.iter().find(|network| network.name == name)
    }

    /// The volume named exactly `name`.
    pub fn volume(&self, name: &str) -> Option<&Volume> {
        self.volumes.iter().find(|volume| volume.name == name)
    }
}
