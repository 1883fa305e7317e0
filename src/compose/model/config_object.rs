//! Top-level `configs` and `secrets`, and a service's references to them.

use super::{Extensions, Mapping};

/// Permission bits, written in octal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileMode(pub i64);

/// A service's use of a config or secret.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FileReference {
    /// Key of the top-level entry.
    pub source: String,
    /// Path (or, for secrets, name below `/run/secrets`) in the container.
    pub target: Option<String>,
    /// Owner, numeric.
    pub uid: Option<String>,
    /// Group, numeric.
    pub gid: Option<String>,
    /// Permission bits.
    pub mode: Option<FileMode>,
    /// `x-*` attributes.
    pub extensions: Extensions,
}

/// A top-level config or secret.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ObjectSource {
    /// The name on the engine.
    pub name: Option<String>,
    /// File with the content.
    pub file: Option<String>,
    /// Environment variable with the content.
    pub environment: Option<String>,
    /// The content: inline, or resolved from `environment` while loading.
    pub content: Option<String>,
    /// Whether it exists outside this project.
    pub external: bool,
    /// Labels.
    pub labels: Mapping,
    /// Driver (Swarm).
    pub driver: Option<String>,
    /// Driver options (Swarm).
    pub driver_opts: Mapping,
    /// Template driver (Swarm).
    pub template_driver: Option<String>,
    /// `x-*` attributes.
    pub extensions: Extensions,
}

/// A top-level config.
pub type Config = ObjectSource;

/// A top-level secret.
pub type Secret = ObjectSource;

impl std::fmt::Display for FileMode {
    /// Octal digits after a zero: `0440`.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        write!(out, "0{sign}{:o}", self.0.unsigned_abs())
    }
}
