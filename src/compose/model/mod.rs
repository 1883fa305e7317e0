//! The typed model of a compose project (compose-spec of 2026), one file per noun.
//!
//! An attribute that was not given, or was given as the type's empty value where
//! docker compose makes no difference, is `None` or empty. Mappings are keyed by name and
//! sorted, as docker compose prints them. The order of fields is the order of `config` output.

mod build;
mod byte_size;
mod config_object;
mod dependency;
mod deploy;
mod develop;
mod device;
mod duration;
mod environment;
mod gpu;
mod healthcheck;
mod hook;
mod network;
mod port;
mod project;
mod service;
mod volume;

use std::collections::BTreeMap;

pub use build::{Build, SshKey};
pub use byte_size::ByteSize;
pub use config_object::{Config, FileMode, FileReference, ObjectSource, Secret};
pub use dependency::{Condition, Dependency};
pub use deploy::{
    Deploy, GenericResource, Placement, PlacementPreference, Resource, Resources, RestartPolicy,
    UpdateConfig,
};
pub use develop::{Develop, WatchAction, WatchTrigger};
pub use device::{Blkio, DeviceMapping, ThrottleDevice, WeightDevice};
pub use duration::Duration;
pub use environment::{EnvFile, Environment, HostsList};
pub use gpu::DeviceRequest;
pub use healthcheck::Healthcheck;
pub use hook::Hook;
pub use network::{Ipam, IpamPool, Network, ServiceNetwork};
pub use port::Port;
pub use project::{AiModel, Project};
pub use service::{
    CredentialSpec, Extends, Logging, Provider, Service, ServiceModel, ShellCommand, Ulimit,
};
pub use volume::{
    BindOptions, ImageMountOptions, Mount, MountType, TmpfsOptions, Volume, VolumeOptions,
};

use super::node::Node;

/// `x-*` attributes, keyed by their name with the `x-`.
pub type Extensions = BTreeMap<String, Node>;

/// Text values keyed by name (labels, driver options, sysctls …).
pub type Mapping = BTreeMap<String, String>;
