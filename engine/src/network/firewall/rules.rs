//! What the firewall has to do, whichever tool writes it down.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

use crate::network::ports::Protocol;

/// Everything that the engine wants of the firewall.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Rules {
    /// Tells this engine's rules from another's: letters and digits, at most eight.
    pub(crate) tag: String,
    /// The bridges that are up.
    pub(crate) bridges: Vec<Bridge>,
    /// Published ports.
    pub(crate) redirects: Vec<Redirect>,
}

/// A bridge and what its containers may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bridge {
    /// Name of the link.
    pub(crate) link: String,
    /// Its subnets.
    pub(crate) subnets: Vec<IpNet>,
    /// Nothing goes out and nothing comes in.
    pub(crate) internal: bool,
    /// What goes out has the host's address.
    pub(crate) masquerade: bool,
    /// Containers may talk to each other.
    pub(crate) talkative: bool,
}

/// A published port: what comes from outside goes straight to the container. What comes from the
/// host itself or from containers goes through a proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Redirect {
    /// The transport.
    pub(crate) protocol: Protocol,
    /// Address of the host (any, when unspecified) and port.
    pub(crate) host: SocketAddr,
    /// Link of the container's bridge.
    pub(crate) link: String,
    /// Address and port of the container.
    pub(crate) target: SocketAddr,
}

impl Rules {
    /// Whether containers would lack something without a firewall: bridges that are all internal
    /// need none.
    pub(crate) fn matter(&self) -> bool {
        self.bridges
            .iter()
            .any(|bridge| bridge.masquerade && !bridge.internal)
    }

    /// The redirects of one family that a packet from outside can meet.
    pub(super) fn redirects(&self, is_ipv4: bool) -> impl Iterator<Item = &Redirect> {
        self.redirects.iter().filter(move |redirect| {
            redirect.target.is_ipv4() == is_ipv4
                && redirect.host.is_ipv4() == is_ipv4
                && !redirect.host.ip().is_loopback()
        })
    }

    /// Subnets of one family whose traffic is to have the host's address, with their bridges.
    pub(super) fn masqueraded(&self, is_ipv4: bool) -> impl Iterator<Item = (&Bridge, &IpNet)> {
        let bridges = self
            .bridges
            .iter()
            .filter(|bridge| bridge.masquerade && !bridge.internal);
        bridges
            .flat_map(|bridge| bridge.subnets.iter().map(move |subnet| (bridge, subnet)))
            .filter(move |(_, subnet)| subnet.addr().is_ipv4() == is_ipv4)
    }

    /// Whether any bridge has a subnet of a family.
    pub(super) fn has(&self, is_ipv4: bool) -> bool {
        let mut subnets = self.bridges.iter().flat_map(|bridge| &bridge.subnets);
        subnets.any(|subnet| subnet.addr().is_ipv4() == is_ipv4)
    }
}

impl Redirect {
    /// The host's address, where it is not any.
    pub(super) fn address(&self) -> Option<IpAddr> {
        let address = self.host.ip();
        (!address.is_unspecified()).then_some(address)
    }
}

#[cfg(test)]
pub(super) fn example() -> Rules {
    let bridge = |link: &str, subnet: &str, internal| Bridge {
        link: link.to_owned(),
        subnets: vec![subnet.parse().expect("a subnet")],
        internal,
        masquerade: true,
        talkative: true,
    };
    let redirect = |host: &str| Redirect {
        protocol: Protocol::Tcp,
        host: host.parse().expect("an address"),
        link: "br-a".to_owned(),
        target: "10.1.0.2:80".parse().expect("an address"),
    };
    Rules {
        tag: "0a1b2c3d".to_owned(),
        bridges: vec![
            bridge("br-a", "10.1.0.0/24", false),
            bridge("br-b", "10.2.0.0/24", true),
        ],
        redirects: [
            "0.0.0.0:8080",
            "127.0.0.1:8081",
            "192.0.2.1:8082",
            "[::]:8080",
        ]
        .map(redirect)
        .into(),
    }
}
