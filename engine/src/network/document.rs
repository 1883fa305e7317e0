//! What a network is, as it is kept on disk.

use std::collections::HashMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::ipam::Pool;
use crate::{Error, Result};

/// How a network is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Driver {
    /// A bridge on the host.
    Bridge,
    /// The host's own namespace.
    Host,
    /// Loopback only.
    Null,
}

impl Driver {
    /// The name that the API uses.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bridge => "bridge",
            Self::Host => "host",
            Self::Null => "null",
        }
    }
}

/// One network.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Network {
    /// 64 hexadecimal digits.
    pub(crate) id: String,
    /// Unique among the engine's networks.
    pub(crate) name: String,
    /// When it was created, RFC 3339.
    pub(crate) created: String,
    /// How it is made.
    pub(crate) driver: Driver,
    /// Nothing is forwarded out of it or into it.
    pub(crate) internal: bool,
    /// Kept for the API; bridges are always attachable.
    pub(crate) attachable: bool,
    /// Whether its containers get IPv6 addresses too.
    pub(crate) enable_ipv6: bool,
    /// Options of the driver, keyed as given: `com.docker.network.bridge.name` ….
    pub(crate) options: HashMap<String, String>,
    /// Labels.
    pub(crate) labels: HashMap<String, String>,
    /// Options of the address management, kept for the API.
    pub(crate) ipam_options: Option<HashMap<String, String>>,
    /// Its subnets: at most one IPv4 and one IPv6.
    pub(crate) pools: Vec<Pool>,
    /// Name of the bridge's link; empty for other drivers.
    pub(crate) bridge: String,
    /// Whether the engine made it, and nobody may remove it.
    pub(crate) builtin: bool,
    /// Whether the bridge was there before the network and outlives it.
    #[serde(default)]
    pub(crate) foreign: bool,
}

impl Network {
    /// Whether it is the default bridge: its containers do not find each other by name.
    pub(crate) fn is_default_bridge(&self) -> bool {
        self.builtin && self.driver == Driver::Bridge
    }

    /// The IPv4 subnet.
    pub(crate) fn ipv4(&self) -> Option<&Pool> {
        self.pools.iter().find(|pool| pool.gateway.is_ipv4())
    }

    /// The IPv6 subnet.
    pub(crate) fn ipv6(&self) -> Option<&Pool> {
        self.pools.iter().find(|pool| pool.gateway.is_ipv6())
    }

    /// Bytes a packet may have; the kernel's default without it.
    ///
    /// # Errors
    /// 400 when the option is no number.
    pub(crate) fn mtu(&self) -> Result<Option<u32>> {
        let text = self.options.get("com.docker.network.driver.mtu");
        let invalid = |text: &String| Error::bad_request(format!("invalid MTU {text:?}"));
        text.map(|text| text.parse().map_err(|_| invalid(text)))
            .transpose()
    }

    /// Where ports are published that name no address of the host; everywhere without it.
    ///
    /// # Errors
    /// 400 when the option is no address.
    pub(crate) fn binding_address(&self) -> Result<Option<IpAddr>> {
        let text = self
            .options
            .get("com.docker.network.bridge.host_binding_ipv4");
        let invalid = |text: &String| Error::bad_request(format!("invalid address {text:?}"));
        text.filter(|text| !text.is_empty())
            .map(|text| text.parse().map_err(|_| invalid(text)))
            .transpose()
    }

    /// What the names of links in containers begin with.
    pub(crate) fn link_prefix(&self) -> &str {
        let given = self
            .options
            .get("com.docker.network.container_iface_prefix");
        given.map_or("eth", String::as_str)
    }

    /// Whether an option of the driver is on; `default` where it is not given.
    pub(crate) fn is_on(&self, option: &str, default: bool) -> bool {
        match self.options.get(option).map(String::as_str) {
            Some("true" | "1") => true,
            Some("false" | "0") => false,
            _ => default,
        }
    }
}
