//! `build`.

use std::collections::BTreeMap;

use super::{ByteSize, Environment, Extensions, FileReference, HostsList, Mapping, Ulimit};

/// How to build a service's image.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Build {
    /// Folder or URL of the build context.
    pub context: Option<String>,
    /// Path of the Dockerfile, relative to the context.
    pub dockerfile: Option<String>,
    /// Text of the Dockerfile.
    pub dockerfile_inline: Option<String>,
    /// Extra privileges (`network.host`, `security.insecure`).
    pub entitlements: Vec<String>,
    /// Build arguments.
    pub args: Environment,
    /// Provenance attestation.
    pub provenance: Option<String>,
    /// SBOM attestation.
    pub sbom: Option<String>,
    /// SSH agents and keys offered to the build.
    pub ssh: Vec<SshKey>,
    /// Labels of the image.
    pub labels: Mapping,
    /// Cache sources.
    pub cache_from: Vec<String>,
    /// Cache destinations.
    pub cache_to: Vec<String>,
    /// Whether the cache is not used.
    pub no_cache: bool,
    /// Stages for which the cache is not used.
    pub no_cache_filter: Vec<String>,
    /// Further contexts keyed by the name they have in the Dockerfile.
    pub additional_contexts: Mapping,
    /// Whether base images are pulled each time.
    pub pull: bool,
    /// Entries for `/etc/hosts` during the build.
    pub extra_hosts: HostsList,
    /// Isolation technology (Windows).
    pub isolation: Option<String>,
    /// Network for `RUN`.
    pub network: Option<String>,
    /// Stage to build.
    pub target: Option<String>,
    /// Secrets offered to the build.
    pub secrets: Vec<FileReference>,
    /// Size of `/dev/shm`.
    pub shm_size: Option<ByteSize>,
    /// Further names of the image.
    pub tags: Vec<String>,
    /// Resource limits keyed by name.
    pub ulimits: BTreeMap<String, Ulimit>,
    /// Platforms to build for.
    pub platforms: Vec<String>,
    /// Whether `RUN` gets all capabilities.
    pub privileged: bool,
    /// `x-*` attributes.
    pub extensions: Extensions,
}

/// One entry of `build.ssh`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SshKey {
    /// `default` or a name.
    pub id: String,
    /// Socket or key file; the agent where absent.
    pub path: Option<String>,
}
