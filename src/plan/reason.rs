//! The reasons of steps.

use std::fmt;

/// Why a step is in a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// The image is not on the engine.
    ImageMissing,
    /// `pull_policy` or `--pull` asks for it.
    PullPolicy(String),
    /// `--build` or `pull_policy: build` asks for it.
    BuildRequested,
    /// Nothing of the kind exists.
    Missing,
    /// It was made just now.
    Created,
    /// There are fewer containers than wanted.
    ScaleUp,
    /// There are more containers than wanted.
    ScaleDown,
    /// `--force-recreate` or `--always-recreate-deps`.
    Forced,
    /// The configuration differs from the one it was made with.
    ConfigChanged,
    /// The image behind the name is another one now.
    ImageChanged,
    /// The content of a config or secret changed.
    ContentChanged,
    /// It is not attached to a network it should be on.
    NetworkChanged(String),
    /// A volume it should mount is not mounted.
    VolumeChanged(String),
    /// The container whose namespace or volumes it uses is replaced.
    ReferenceRecreated(String),
    /// Its configuration says it is restarted together with this service.
    DependencyChanged(String),
    /// It is up to date.
    UpToDate,
    /// It is not running.
    NotRunning,
    /// A dependency that must complete runs again.
    RunAgain,
    /// These services wait for it.
    NeededBy(Vec<String>),
    /// Its service is not in the compose files.
    Orphan,
    /// The network's or volume's configuration differs.
    Diverged,
    /// The command asks for it.
    Requested,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ImageMissing => f.write_str("image is missing"),
            Self::PullPolicy(policy) => write!(f, "pull policy is {policy}"),
            Self::BuildRequested => f.write_str("build was requested"),
            Self::Missing => f.write_str("does not exist"),
            Self::Created => f.write_str("new"),
            Self::ScaleUp => f.write_str("scale up"),
            Self::ScaleDown => f.write_str("scale down"),
            Self::Forced => f.write_str("recreation was forced"),
            Self::ConfigChanged => f.write_str("configuration changed"),
            Self::ImageChanged => f.write_str("image changed"),
            Self::ContentChanged => f.write_str("content of a config or secret changed"),
            Self::NetworkChanged(name) => write!(f, "not attached to network {name}"),
            Self::VolumeChanged(name) => write!(f, "volume {name} is not mounted"),
            Self::ReferenceRecreated(service) => write!(f, "container of {service} is replaced"),
            Self::DependencyChanged(service) => write!(f, "restarts with its dependency {service}"),
            Self::UpToDate => f.write_str("up to date"),
            Self::NotRunning => f.write_str("not running"),
            Self::RunAgain => f.write_str("runs to completion on every up"),
            Self::NeededBy(services) => write!(f, "needed by {}", services.join(", ")),
            Self::Orphan => f.write_str("service is not in the compose files"),
            Self::Diverged => f.write_str("configuration changed"),
            Self::Requested => f.write_str("requested"),
        }
    }
}
