//! Containers as commands show them.

use std::collections::BTreeMap;

const PROJECT: &str = "com.docker.compose.project";
const SERVICE: &str = "com.docker.compose.service";
const NUMBER: &str = "com.docker.compose.container-number";
const ONEOFF: &str = "com.docker.compose.oneoff";

/// One container.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listed {
    /// Id, 64 hexadecimal digits.
    pub id: String,
    /// Name without the leading slash.
    pub name: String,
    /// All names without the leading slash; those of links have a slash within.
    pub names: Vec<String>,
    /// The image as the container names it.
    pub image: String,
    /// The command as one text.
    pub command: String,
    /// When it was made, in seconds since 1970.
    pub created: i64,
    /// State: "running", "exited" …
    pub state: String,
    /// State in words: "Up 2 minutes (healthy)".
    pub status: String,
    /// Health: "healthy", "unhealthy", "starting", or nothing.
    pub health: String,
    /// Exit code of one that stopped, otherwise 0.
    pub exit_code: i64,
    /// Ports, sorted by the one inside the container.
    pub ports: Vec<Published>,
    /// All labels.
    pub labels: BTreeMap<String, String>,
    /// Names of mounted volumes and paths of mounted folders.
    pub mounts: Vec<String>,
    /// How many mounts are volumes of the local driver.
    pub local_volumes: usize,
    /// Names of its networks, sorted.
    pub networks: Vec<String>,
    /// Bytes written on top of the image, where the engine was asked.
    pub size: u64,
    /// Bytes of the whole file system, where the engine was asked.
    pub full_size: u64,
}

/// A port of a container.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Published {
    /// The port inside the container.
    pub target: u16,
    /// The address on the host; empty where it is not published.
    pub ip: String,
    /// The port on the host; 0 where it is not published.
    pub published: u16,
    /// "tcp", "udp" or "sctp".
    pub protocol: String,
}

impl Listed {
    /// A label's value; empty where the label is missing.
    pub fn label(&self, name: &str) -> &str {
        self.labels.get(name).map_or("", String::as_str)
    }

    /// The project it belongs to.
    pub fn project(&self) -> &str {
        self.label(PROJECT)
    }

    /// The service it belongs to.
    pub fn service(&self) -> &str {
        self.label(SERVICE)
    }

    /// Its number within the service; 0 where it has none.
    pub fn number(&self) -> u64 {
        self.label(NUMBER).parse().unwrap_or_default()
    }

    /// Whether `run` made it.
    pub fn is_one_off(&self) -> bool {
        self.label(ONEOFF) == "True"
    }
}
