//! One service.

use std::collections::BTreeMap;

use super::{
    Blkio, Build, ByteSize, Dependency, Deploy, Develop, DeviceMapping, DeviceRequest, Duration,
    EnvFile, Environment, Extensions, FileReference, Healthcheck, Hook, HostsList, Mapping, Mount,
    Port, ServiceNetwork,
};

/// A command line; `None` keeps the image's, `Some(vec![])` clears it.
pub type ShellCommand = Option<Vec<String>>;

/// One entry of `services` (compose-spec, 05-services.md).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Service {
    /// The key in `services`.
    pub name: String,
    /// Profiles of which one must be enabled; always enabled where empty.
    pub profiles: Vec<String>,
    /// Annotations.
    pub annotations: Mapping,
    /// Whether `up` shows its logs; yes where absent.
    pub attach: Option<bool>,
    /// How to build its image.
    pub build: Option<Build>,
    /// What `watch` does.
    pub develop: Option<Develop>,
    /// Block I/O limits.
    pub blkio_config: Option<Blkio>,
    /// Capabilities to add.
    pub cap_add: Vec<String>,
    /// Capabilities to drop.
    pub cap_drop: Vec<String>,
    /// Parent cgroup.
    pub cgroup_parent: Option<String>,
    /// `host` or `private` cgroup namespace.
    pub cgroup: Option<String>,
    /// Number of CPUs (Windows).
    pub cpu_count: Option<i64>,
    /// Share of the CPUs in percent (Windows).
    pub cpu_percent: Option<f32>,
    /// CFS period in microseconds.
    pub cpu_period: Option<i64>,
    /// CFS quota in microseconds.
    pub cpu_quota: Option<i64>,
    /// Real-time period in microseconds.
    pub cpu_rt_period: Option<i64>,
    /// Real-time runtime in microseconds.
    pub cpu_rt_runtime: Option<i64>,
    /// Number of CPUs it may use.
    pub cpus: Option<f32>,
    /// CPUs it may run on.
    pub cpuset: Option<String>,
    /// Relative weight.
    pub cpu_shares: Option<i64>,
    /// Replaces the image's `CMD`.
    pub command: ShellCommand,
    /// Configs it uses.
    pub configs: Vec<FileReference>,
    /// Name of its container instead of the generated one.
    pub container_name: Option<String>,
    /// Credentials of a managed account (Windows).
    pub credential_spec: Option<CredentialSpec>,
    /// What it depends on, keyed by service.
    pub depends_on: BTreeMap<String, Dependency>,
    /// Replicas, resources, updates.
    pub deploy: Option<Deploy>,
    /// Rules of the device cgroup.
    pub device_cgroup_rules: Vec<String>,
    /// Devices of the host.
    pub devices: Vec<DeviceMapping>,
    /// DNS servers.
    pub dns: Vec<String>,
    /// Resolver options.
    pub dns_opt: Vec<String>,
    /// Search domains.
    pub dns_search: Vec<String>,
    /// Left over from the first format.
    pub dockerfile: Option<String>,
    /// Domain name.
    pub domainname: Option<String>,
    /// Replaces the image's `ENTRYPOINT`.
    pub entrypoint: ShellCommand,
    /// A provider that runs the service instead of a container.
    pub provider: Option<Provider>,
    /// Environment, env files merged in once resolved.
    pub environment: Environment,
    /// Env files, empty once resolved.
    pub env_file: Vec<EnvFile>,
    /// Ports offered to other containers.
    pub expose: Vec<String>,
    /// What it was derived from; absent once resolved.
    pub extends: Option<Extends>,
    /// Links to containers outside the project.
    pub external_links: Vec<String>,
    /// Entries for `/etc/hosts`.
    pub extra_hosts: HostsList,
    /// Further groups of the user.
    pub group_add: Vec<String>,
    /// GPUs.
    pub gpus: Vec<DeviceRequest>,
    /// Host name.
    pub hostname: Option<String>,
    /// Healthcheck.
    pub healthcheck: Option<Healthcheck>,
    /// Image reference.
    pub image: Option<String>,
    /// Whether an init process runs as PID 1.
    pub init: Option<bool>,
    /// IPC namespace.
    pub ipc: Option<String>,
    /// Isolation technology (Windows).
    pub isolation: Option<String>,
    /// Labels.
    pub labels: Mapping,
    /// Label files, empty once resolved.
    pub label_file: Vec<String>,
    /// Links to other services.
    pub links: Vec<String>,
    /// Logging driver and options.
    pub logging: Option<Logging>,
    /// Left over from the first format.
    pub log_driver: Option<String>,
    /// Left over from the first format.
    pub log_opt: Mapping,
    /// Memory limit.
    pub mem_limit: Option<ByteSize>,
    /// Memory set aside.
    pub mem_reservation: Option<ByteSize>,
    /// Memory and swap together.
    pub memswap_limit: Option<ByteSize>,
    /// Willingness to swap, 0 to 100.
    pub mem_swappiness: Option<ByteSize>,
    /// MAC address on the first network.
    pub mac_address: Option<String>,
    /// AI models it uses, keyed by name in `models`.
    pub models: BTreeMap<String, Option<ServiceModel>>,
    /// Left over from the first format.
    pub net: Option<String>,
    /// `host`, `none`, `service:NAME`, `container:NAME` or a network's name.
    pub network_mode: Option<String>,
    /// Networks it joins, keyed by name in `networks`.
    pub networks: BTreeMap<String, Option<Box<ServiceNetwork>>>,
    /// Whether the OOM killer leaves it alone.
    pub oom_kill_disable: bool,
    /// OOM score adjustment, -1000 to 1000.
    pub oom_score_adj: Option<i64>,
    /// PID namespace.
    pub pid: Option<String>,
    /// Number of processes; `-1` is unlimited.
    pub pids_limit: Option<i64>,
    /// Platform (`os/arch/variant`).
    pub platform: Option<String>,
    /// Published ports.
    pub ports: Vec<Port>,
    /// Whether it gets all capabilities and devices.
    pub privileged: bool,
    /// `always`, `never`, `missing`, `if_not_present`, `build`, `daily`, `weekly`, `every_…`.
    pub pull_policy: Option<String>,
    /// Whether its root file system is read-only.
    pub read_only: bool,
    /// `no`, `always`, `on-failure[:n]`, `unless-stopped`.
    pub restart: Option<String>,
    /// OCI runtime.
    pub runtime: Option<String>,
    /// Number of containers.
    pub scale: Option<u64>,
    /// Secrets it uses.
    pub secrets: Vec<FileReference>,
    /// Security options.
    pub security_opt: Vec<String>,
    /// Size of `/dev/shm`.
    pub shm_size: Option<ByteSize>,
    /// Whether standard input is kept open.
    pub stdin_open: bool,
    /// Time between the stop signal and SIGKILL.
    pub stop_grace_period: Option<Duration>,
    /// Signal that stops it.
    pub stop_signal: Option<String>,
    /// Storage driver options.
    pub storage_opt: Mapping,
    /// Kernel parameters.
    pub sysctls: Mapping,
    /// Paths mounted as tmpfs, with options after a colon.
    pub tmpfs: Vec<String>,
    /// Whether it gets a terminal.
    pub tty: bool,
    /// Resource limits keyed by name.
    pub ulimits: BTreeMap<String, Ulimit>,
    /// Whether the engine's socket is mounted.
    pub use_api_socket: bool,
    /// User and group.
    pub user: Option<String>,
    /// User namespace.
    pub userns_mode: Option<String>,
    /// UTS namespace.
    pub uts: Option<String>,
    /// Left over from the first format.
    pub volume_driver: Option<String>,
    /// Mounts.
    pub volumes: Vec<Mount>,
    /// Services or containers whose mounts it takes over.
    pub volumes_from: Vec<String>,
    /// Working directory.
    pub working_dir: Option<String>,
    /// Containers to run to completion before it starts.
    pub pre_start: Vec<Hook>,
    /// Commands to run after it started.
    pub post_start: Vec<Hook>,
    /// Commands to run before it stops.
    pub pre_stop: Vec<Hook>,
    /// `x-*` attributes.
    pub extensions: Extensions,
}

/// `credential_spec`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CredentialSpec {
    /// Config with the specification.
    pub config: Option<String>,
    /// File with the specification.
    pub file: Option<String>,
    /// Registry value with the specification.
    pub registry: Option<String>,
    /// `x-*` attributes.
    pub extensions: Extensions,
}

/// `extends`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Extends {
    /// File of the base service; the same file where absent.
    pub file: Option<String>,
    /// Name of the base service.
    pub service: Option<String>,
}

/// `logging`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Logging {
    /// Logging driver.
    pub driver: Option<String>,
    /// Driver options.
    pub options: Mapping,
    /// `x-*` attributes.
    pub extensions: Extensions,
}

/// `provider`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Provider {
    /// Name of the provider's program.
    pub kind: Option<String>,
    /// Options, each with one or more values.
    pub options: BTreeMap<String, Vec<String>>,
    /// `x-*` attributes.
    pub extensions: Extensions,
}

/// One entry of a service's `models`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ServiceModel {
    /// Variable that gets the model's URL.
    pub endpoint_var: Option<String>,
    /// Variable that gets the model's name.
    pub model_var: Option<String>,
    /// `x-*` attributes.
    pub extensions: Extensions,
}

/// One entry of `ulimits`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Ulimit {
    /// Soft and hard limit in one.
    pub single: Option<i64>,
    /// Soft limit.
    pub soft: Option<i64>,
    /// Hard limit.
    pub hard: Option<i64>,
    /// `x-*` attributes.
    pub extensions: Extensions,
}

impl Service {
    /// Number of containers wanted: `scale`, else `deploy.replicas`, else 1.
    pub fn replicas(&self) -> u64 {
        self.scale
            .or_else(|| self.deploy.as_ref().and_then(|deploy| deploy.replicas))
            .unwrap_or(1)
    }

    /// Keys of its networks in the order of joining: descending priority, then name.
    pub fn networks_by_priority(&self) -> Vec<&str> {
        let mut keys: Vec<(i64, &str)> = self
            .networks
            .iter()
            .map(|(key, network)| {
                let priority = network.as_ref().and_then(|network| network.priority);
                (priority.unwrap_or(0), key.as_str())
            })
            .collect();
        keys.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
        keys.into_iter().map(|(_, key)| key).collect()
    }
}
