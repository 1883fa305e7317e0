//! Compose files in registries, as OCI artifacts: writing and reading them.
//!
//! Registries are asked by the client of the bundled engine, which is there on Linux.

#[cfg(target_os = "linux")]
mod manifest;
#[cfg(target_os = "linux")]
mod pull;
#[cfg(target_os = "linux")]
mod push;
pub mod remote_files;

#[cfg(target_os = "linux")]
pub use pull::pull;
#[cfg(target_os = "linux")]
pub use push::push;

#[cfg(not(target_os = "linux"))]
mod absent;
#[cfg(not(target_os = "linux"))]
pub use absent::{pull, push};

use std::collections::BTreeSet;

/// The version of the OCI specifications that a manifest follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OciVersion {
    /// 1.0: what it is stands in the media type of its configuration.
    V1_0,
    /// 1.1: it has an artifact type.
    V1_1,
}

impl OciVersion {
    /// The version of a name, `1.0` or `1.1`.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "1.0" => Some(Self::V1_0),
            "1.1" => Some(Self::V1_1),
            _ => None,
        }
    }
}

/// What is pushed beside the files.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The version to follow; where there is none, 1.1 if the registry takes it, otherwise 1.0.
    pub version: Option<OciVersion>,
    /// Images to copy into the repository, with an index that names them.
    pub images: Vec<String>,
    /// Registries that are asked without TLS, by host and port.
    pub insecure: BTreeSet<String>,
}
