//! What a running container has of the networks, as it is kept until it is torn down.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

use bollard_stubs::models::EndpointSettings;
use serde::{Deserialize, Serialize};

use super::document::Network;
use super::ipam::hardware_address;
use super::ports::Publication;

/// A container on its networks. Kept in the folder that a reboot empties, since all it speaks of
/// ends with the kernel.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Attachment {
    /// The container's id.
    pub(crate) container: String,
    /// Its name, without a slash.
    pub(crate) name: String,
    /// Its host name.
    pub(crate) hostname: String,
    /// The file its network namespace is mounted on.
    pub(crate) namespace: PathBuf,
    /// Name servers to ask in place of the host's.
    pub(crate) dns: Vec<String>,
    /// Its networks, `eth0` first.
    pub(crate) endpoints: Vec<Endpoint>,
    /// Its published ports.
    pub(crate) publications: Vec<Publication>,
}

/// A container on one network.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Endpoint {
    /// The network's id.
    pub(crate) network: String,
    /// The endpoint's own id.
    pub(crate) id: String,
    /// Address; none in host mode and without a network.
    pub(crate) ipv4: Option<Ipv4Addr>,
    /// IPv6 address, where the network has such.
    pub(crate) ipv6: Option<Ipv6Addr>,
    /// Hardware address.
    pub(crate) hardware: [u8; 6],
    /// Name of the link on the host; empty where there is none.
    pub(crate) host_link: String,
    /// Name of the link in the container.
    pub(crate) guest_link: String,
    /// What was asked for.
    pub(crate) settings: EndpointSettings,
}

impl Endpoint {
    /// Its addresses.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        let ipv4 = self.ipv4.map(IpAddr::V4);
        ipv4.into_iter().chain(self.ipv6.map(IpAddr::V6))
    }

    /// `02:42:ac:11:00:02`.
    pub(crate) fn mac_address(&self) -> String {
        self.hardware.map(|byte| format!("{byte:02x}")).join(":")
    }

    /// The hardware address for an IPv4 address, unless another was asked for.
    pub(crate) fn hardware(wanted: Option<[u8; 6]>, ipv4: Option<Ipv4Addr>) -> [u8; 6] {
        let derived = || hardware_address(ipv4.unwrap_or_else(|| rand::random::<[u8; 4]>().into()));
        wanted.unwrap_or_else(derived)
    }
}

impl Attachment {
    /// The first twelve digits of the container's id.
    pub(crate) fn short_id(&self) -> &str {
        self.container.get(..12).unwrap_or(&self.container)
    }

    /// The endpoint on a network.
    pub(crate) fn on(&self, network: &str) -> Option<&Endpoint> {
        self.endpoints
            .iter()
            .find(|endpoint| endpoint.network == network)
    }

    /// The names by which others on the same network find this container: its name, its aliases,
    /// its short id and its host name.
    pub(crate) fn names<'a>(&'a self, endpoint: &'a Endpoint) -> Vec<&'a str> {
        let aliases = endpoint
            .settings
            .aliases
            .iter()
            .flatten()
            .map(String::as_str);
        let mut names: Vec<&str> = Vec::new();
        let all = [self.name.as_str()].into_iter().chain(aliases);
        for name in all.chain([self.short_id(), self.hostname.as_str()]) {
            if !name.is_empty() && !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// The endpoint that leads outside: of those whose network is not internal the one with the
    /// highest priority, then the first by the network's name.
    pub(crate) fn gateway<'a>(
        &'a self,
        network: impl Fn(&str) -> Option<&'a Network>,
    ) -> Option<(&'a Endpoint, &'a Network)> {
        let with_network = |endpoint: &'a Endpoint| Some((endpoint, network(&endpoint.network)?));
        let outward = self
            .endpoints
            .iter()
            .filter_map(with_network)
            .filter(|(endpoint, network)| !network.internal && !endpoint.host_link.is_empty());
        outward.min_by_key(|(endpoint, network)| {
            (-endpoint.settings.gw_priority.unwrap_or(0), &network.name)
        })
    }
}
