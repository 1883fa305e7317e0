//! One file for each rule, or for each two that look at the same thing.

pub(super) mod bind_source;
pub(super) mod container_name;
pub(super) mod depends_on;
pub(super) mod docker_socket;
pub(super) mod dockerfile;
pub(super) mod dollar_in_env_file;
pub(super) mod duplicate_port;
pub(super) mod floating_tag;
pub(super) mod host_network_ports;
pub(super) mod implicit_type;
pub(super) mod links;
pub(super) mod oneoff_restart;
pub(super) mod privileged;
pub(super) mod profile;
pub(super) mod quoted_value;
pub(super) mod secret_in_clear;
pub(super) mod unused;
pub(super) mod version;
pub(super) mod yaml11;
