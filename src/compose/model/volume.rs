//! Top-level `volumes`, and `volumes` (mounts) of a service.

use super::{ByteSize, Extensions, Mapping};

/// One entry of the top-level `volumes`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Volume {
    /// The name on the engine.
    pub name: Option<String>,
    /// Volume driver.
    pub driver: Option<String>,
    /// Driver options.
    pub driver_opts: Mapping,
    /// Whether it exists outside this project.
    pub external: bool,
    /// Labels.
    pub labels: Mapping,
    /// `x-*` attributes.
    pub extensions: Extensions,
}

/// What a mount's source is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MountType {
    /// A file or folder of the host.
    Bind,
    /// A named or anonymous volume.
    #[default]
    Volume,
    /// A file system in memory.
    Tmpfs,
    /// A Windows named pipe.
    NamedPipe,
    /// A Swarm cluster volume.
    Cluster,
    /// The file system of an image (API 1.48).
    Image,
}

impl MountType {
    /// The name in compose files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bind => "bind",
            Self::Volume => "volume",
            Self::Tmpfs => "tmpfs",
            Self::NamedPipe => "npipe",
            Self::Cluster => "cluster",
            Self::Image => "image",
        }
    }
}

/// One entry of a service's `volumes`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Mount {
    /// What the source is.
    pub kind: MountType,
    /// Path, volume key or image reference; absent for anonymous volumes and tmpfs.
    pub source: Option<String>,
    /// Path in the container.
    pub target: Option<String>,
    /// Whether it is read-only.
    pub read_only: bool,
    /// Consistency requirement (Docker Desktop).
    pub consistency: Option<String>,
    /// Options of a bind mount.
    pub bind: Option<BindOptions>,
    /// Options of a volume mount.
    pub volume: Option<VolumeOptions>,
    /// Options of a tmpfs mount.
    pub tmpfs: Option<TmpfsOptions>,
    /// Options of an image mount.
    pub image: Option<ImageMountOptions>,
    /// `x-*` attributes.
    pub extensions: Extensions,
}

/// `bind`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BindOptions {
    /// `z` (shared) or `Z` (private) relabelling.
    pub selinux: Option<String>,
    /// Mount propagation.
    pub propagation: Option<String>,
    /// Whether a missing source is created as a folder.
    pub create_host_path: bool,
    /// `disabled`, `enabled`, `writable` or `readonly` treatment of sub-mounts.
    pub recursive: Option<String>,
    /// `x-*` attributes.
    pub extensions: Extensions,
}

/// `volume` of a mount.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct VolumeOptions {
    /// Labels of an anonymous volume.
    pub labels: Mapping,
    /// Whether the image's content is not copied into a new volume.
    pub nocopy: bool,
    /// Path inside the volume to mount (API 1.45).
    pub subpath: Option<String>,
    /// `x-*` attributes.
    pub extensions: Extensions,
}

/// `tmpfs` of a mount.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TmpfsOptions {
    /// Limit in bytes.
    pub size: Option<ByteSize>,
    /// File mode bits of the root.
    pub mode: Option<u32>,
    /// `x-*` attributes.
    pub extensions: Extensions,
}

/// `image` of a mount.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ImageMountOptions {
    /// Path inside the image to mount.
    pub subpath: Option<String>,
    /// `x-*` attributes.
    pub extensions: Extensions,
}
