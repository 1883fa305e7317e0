//! `deploy`.

use super::{ByteSize, DeviceRequest, Duration, Extensions, Mapping};

/// `deploy`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Deploy {
    /// `replicated`, `global`, `replicated-job` or `global-job`.
    pub mode: Option<String>,
    /// Number of containers.
    pub replicas: Option<u64>,
    /// Labels of the service (Swarm).
    pub labels: Mapping,
    /// How updates are rolled out.
    pub update_config: Option<UpdateConfig>,
    /// How failed updates are rolled back.
    pub rollback_config: Option<UpdateConfig>,
    /// Limits and reservations.
    pub resources: Resources,
    /// When containers are restarted.
    pub restart_policy: Option<RestartPolicy>,
    /// Where containers run (Swarm).
    pub placement: Placement,
    /// `vip` or `dnsrr`.
    pub endpoint_mode: Option<String>,
    /// `x-*` attributes.
    pub extensions: Extensions,
}

/// `update_config` and `rollback_config`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct UpdateConfig {
    /// Containers updated at a time; 0 is all.
    pub parallelism: Option<u64>,
    /// Time between batches.
    pub delay: Option<Duration>,
    /// `continue`, `pause` or `rollback`.
    pub failure_action: Option<String>,
    /// Time to watch each container after its update.
    pub monitor: Option<Duration>,
    /// Share of failures tolerated, 0 to 1.
    pub max_failure_ratio: Option<f32>,
    /// `stop-first` or `start-first`.
    pub order: Option<String>,
    /// `x-*` attributes.
    pub extensions: Extensions,
}

/// `resources`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Resources {
    /// What a container may use at most.
    pub limits: Option<Resource>,
    /// What is set aside for it.
    pub reservations: Option<Resource>,
    /// `x-*` attributes.
    pub extensions: Extensions,
}

/// `limits` and `reservations`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Resource {
    /// Number of CPUs.
    pub cpus: Option<f32>,
    /// Memory.
    pub memory: Option<ByteSize>,
    /// Processes.
    pub pids: Option<i64>,
    /// Devices.
    pub devices: Vec<DeviceRequest>,
    /// Resources of the user's own kind (Swarm).
    pub generic_resources: Vec<GenericResource>,
    /// `x-*` attributes.
    pub extensions: Extensions,
}

/// `discrete_resource_spec` of one `generic_resources` entry.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct GenericResource {
    /// Kind of the resource.
    pub kind: String,
    /// How many.
    pub value: i64,
    /// `x-*` attributes.
    pub extensions: Extensions,
}

/// `restart_policy`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RestartPolicy {
    /// `none`, `on-failure` or `any`.
    pub condition: Option<String>,
    /// Time between attempts.
    pub delay: Option<Duration>,
    /// Attempts before giving up.
    pub max_attempts: Option<u64>,
    /// Time after which a restart counts as successful.
    pub window: Option<Duration>,
    /// `x-*` attributes.
    pub extensions: Extensions,
}

/// `placement`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Placement {
    /// Expressions nodes must satisfy.
    pub constraints: Vec<String>,
    /// Preferred spread.
    pub preferences: Vec<PlacementPreference>,
    /// Containers on one node at most.
    pub max_replicas_per_node: Option<u64>,
    /// `x-*` attributes.
    pub extensions: Extensions,
}

/// One entry of `preferences`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PlacementPreference {
    /// Node label to spread over.
    pub spread: Option<String>,
    /// `x-*` attributes.
    pub extensions: Extensions,
}
