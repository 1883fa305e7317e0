//! Top-level `networks`, and `networks` of a service.

use super::{Extensions, Mapping};

/// One entry of the top-level `networks`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Network {
    /// The name on the engine.
    pub name: Option<String>,
    /// Network driver.
    pub driver: Option<String>,
    /// Driver options.
    pub driver_opts: Mapping,
    /// Address management.
    pub ipam: Ipam,
    /// Whether it exists outside this project.
    pub external: bool,
    /// Whether it has no way out.
    pub internal: bool,
    /// Whether containers outside of services may join (Swarm).
    pub attachable: bool,
    /// Labels.
    pub labels: Mapping,
    /// IPv4 on or off.
    pub enable_ipv4: Option<bool>,
    /// IPv6 on or off.
    pub enable_ipv6: Option<bool>,
    /// `x-*` attributes.
    pub extensions: Extensions,
}

/// `ipam`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Ipam {
    /// IPAM driver.
    pub driver: Option<String>,
    /// Address pools.
    pub config: Vec<IpamPool>,
    /// `x-*` attributes.
    pub extensions: Extensions,
}

/// One address pool.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct IpamPool {
    /// Subnet in CIDR form.
    pub subnet: Option<String>,
    /// The gateway's address.
    pub gateway: Option<String>,
    /// Range to allocate from, in CIDR form.
    pub ip_range: Option<String>,
    /// Reserved addresses keyed by host name.
    pub aux_addresses: Mapping,
    /// `x-*` attributes.
    pub extensions: Extensions,
}

/// How a service joins one network.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ServiceNetwork {
    /// Further names on this network.
    pub aliases: Vec<String>,
    /// Endpoint driver options.
    pub driver_opts: Mapping,
    /// The highest becomes the default gateway (API 1.48).
    pub gw_priority: Option<i64>,
    /// Name of the interface in the container (API 1.49).
    pub interface_name: Option<String>,
    /// Static IPv4 address.
    pub ipv4_address: Option<String>,
    /// Static IPv6 address.
    pub ipv6_address: Option<String>,
    /// Link-local addresses.
    pub link_local_ips: Vec<String>,
    /// MAC address on this network.
    pub mac_address: Option<String>,
    /// Networks are joined in descending priority, then by name.
    pub priority: Option<i64>,
    /// `x-*` attributes.
    pub extensions: Extensions,
}
