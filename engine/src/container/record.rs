//! What is kept of a container.

use std::collections::HashMap;
use std::path::PathBuf;

use bollard_stubs::models::{ContainerConfig, EndpointSettings, HostConfig, PortMap};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::health::Verdict;
use crate::time;

/// A container's document.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Record {
    /// 64 hexadecimal digits.
    pub(crate) id: String,
    /// Without a slash in front.
    pub(crate) name: String,
    /// RFC 3339.
    pub(crate) created: String,
    /// The program: first word of entrypoint and command.
    pub(crate) path: String,
    /// The other words.
    pub(crate) args: Vec<String>,
    /// Image as the client named it.
    pub(crate) image: String,
    /// `sha256:…`
    pub(crate) image_id: String,
    /// Merged with the image's configuration.
    pub(crate) config: ContainerConfig,
    /// As asked for, with defaults filled in.
    pub(crate) host_config: HostConfig,
    /// By network, as asked for, or as attached while it runs.
    pub(crate) endpoints: IndexMap<String, EndpointSettings>,
    /// Published ports while it runs.
    pub(crate) ports: PortMap,
    /// In the order in which they are mounted.
    pub(crate) mounts: Vec<Mount>,
    /// Where its life stands.
    pub(crate) state: State,
    /// How often its restart policy has started it since a person did.
    pub(crate) restart_count: i64,
}

/// Something mounted into a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mount {
    /// What it is.
    pub(crate) kind: MountKind,
    /// Path on the host; empty for tmpfs.
    pub(crate) source: PathBuf,
    /// Absolute path in the container.
    pub(crate) target: PathBuf,
    /// Whether it can be written.
    pub(crate) writable: bool,
    /// Of a volume whose name nobody chose: removed with the container on request.
    pub(crate) anonymous: bool,
    /// Whether an empty volume is not filled from the image.
    pub(crate) no_copy: bool,
    /// Folder in a volume.
    pub(crate) subpath: Option<String>,
    /// `rprivate`, `rslave`, `shared` …; empty for the default.
    pub(crate) propagation: String,
    /// Options: of `mount` for tmpfs (`size=1m`, `mode=1777`), or as written after a bind (`z`).
    pub(crate) options: Vec<String>,
}

/// What is mounted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MountKind {
    /// A path of the host.
    Bind,
    /// A volume, by name.
    Volume(String),
    /// A file system in memory.
    Tmpfs,
}

/// Where a container's life stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct State {
    /// In a word.
    pub(crate) status: Status,
    /// First process as the host numbers it; 0 when it does not run.
    pub(crate) pid: i32,
    /// Of the last run.
    pub(crate) exit_code: i64,
    /// Why it could not be started, or is dead.
    pub(crate) error: String,
    /// Whether the last run ended for want of memory.
    pub(crate) oom_killed: bool,
    /// RFC 3339, or [`time::NEVER`].
    pub(crate) started_at: String,
    /// RFC 3339, or [`time::NEVER`].
    pub(crate) finished_at: String,
    /// What the health checks of this run have found; none before they did.
    #[serde(default)]
    pub(crate) health: Option<Verdict>,
    /// Whether a person stopped it: its restart policy does not start it again.
    pub(crate) stopped_by_hand: bool,
}

/// A container's state in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    /// Never started.
    Created,
    /// It runs.
    Running,
    /// It runs, frozen.
    Paused,
    /// It has ended, and its policy is about to start it again.
    Restarting,
    /// It is being removed.
    Removing,
    /// It has ended.
    Exited,
    /// It could not be removed wholly.
    Dead,
}

impl Default for State {
    fn default() -> Self {
        Self {
            status: Status::Created,
            pid: 0,
            exit_code: 0,
            error: String::new(),
            oom_killed: false,
            started_at: time::NEVER.to_owned(),
            finished_at: time::NEVER.to_owned(),
            health: None,
            stopped_by_hand: false,
        }
    }
}

impl State {
    /// Whether it has processes: running or paused.
    pub(crate) fn is_up(&self) -> bool {
        matches!(self.status, Status::Running | Status::Paused)
    }
}

impl Status {
    /// The API's word.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Restarting => "restarting",
            Self::Removing => "removing",
            Self::Exited => "exited",
            Self::Dead => "dead",
        }
    }
}

impl Record {
    /// Its labels, the image's among them.
    pub(crate) fn labels(&self) -> HashMap<String, String> {
        self.config.labels.clone().unwrap_or_default()
    }

    /// Whether it has a terminal.
    pub(crate) fn has_terminal(&self) -> bool {
        self.config.tty == Some(true)
    }

    /// Its control group, from the root of each hierarchy.
    pub(crate) fn cgroup(&self) -> String {
        format!("/rcompose/{}", self.id)
    }

    /// Whether it goes as soon as it ends.
    pub(crate) fn removes_itself(&self) -> bool {
        self.host_config.auto_remove == Some(true)
    }

    /// Its host name: the one asked for, or the first twelve digits of its id.
    pub(crate) fn hostname(&self) -> &str {
        match self.config.hostname.as_deref() {
            Some(name) if !name.is_empty() => name,
            _ => &self.id[..self.id.len().min(12)],
        }
    }
}
