//! Published ports: addresses and ports of the host that lead to a container.

mod bind;
mod tcp;
mod udp;

use std::net::{IpAddr, SocketAddr};

use bollard_stubs::models::{PortBinding, PortMap};
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use crate::{Error, Result};

pub(crate) use bind::{Bound, bind_again, bind_all};

/// Transport of a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Protocol {
    Tcp,
    Udp,
}

impl Protocol {
    /// `tcp` or `udp`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

/// One address and port of the host that leads to a port of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Publication {
    /// The container's port.
    pub(crate) port: u16,
    /// Its transport.
    pub(crate) protocol: Protocol,
    /// Address and port of the host.
    pub(crate) host: SocketAddr,
}

/// A port to publish, as the API says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// The container's port.
    port: u16,
    /// Its transport.
    protocol: Protocol,
    /// Address of the host; every one without it.
    address: Option<IpAddr>,
    /// The first and the last port that will do; 0 for one that is free.
    range: (u16, u16),
}

impl Wanted {
    /// With this address of the host where it names none.
    pub(crate) fn on(mut self, default: Option<IpAddr>) -> Self {
        self.address = self.address.or(default);
        self
    }
}

/// Reads the bindings of the API.
///
/// # Errors
/// 400 for what is no port or no address, 501 for a transport other than TCP and UDP.
pub(crate) fn parse(ports: &PortMap) -> Result<Vec<Wanted>> {
    let mut wanted = Vec::new();
    for (key, bindings) in ports {
        let (port, protocol) = parse_key(key)?;
        for binding in bindings.iter().flatten() {
            wanted.push(parse_binding(port, protocol, binding)?);
        }
    }
    // Fixed ports first, so that no ephemeral one takes them; and always in the same order.
    wanted.sort_by_key(|wanted| {
        (
            wanted.range.0 == 0,
            wanted.port,
            wanted.protocol,
            wanted.range,
        )
    });
    Ok(wanted)
}

fn parse_key(key: &str) -> Result<(u16, Protocol)> {
    let (port, protocol) = key.split_once('/').unwrap_or((key, "tcp"));
    let protocol = match protocol {
        "tcp" => Protocol::Tcp,
        "udp" => Protocol::Udp,
        other => {
            return Err(Error::not_supported(format!(
                "publishing {other} ports ({key})"
            )));
        }
    };
    let invalid = || Error::bad_request(format!("invalid port specification: {key:?}"));
    let port = port
        .parse()
        .ok()
        .filter(|port| *port > 0)
        .ok_or_else(invalid)?;
    Ok((port, protocol))
}

fn parse_binding(port: u16, protocol: Protocol, binding: &PortBinding) -> Result<Wanted> {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let (address, range) = (text(&binding.host_ip), text(&binding.host_port));
    let address = match address.trim_matches(['[', ']']) {
        "" => None,
        given => Some(given.parse().map_err(|_| {
            Error::bad_request(format!("invalid IP address in port mapping: {given:?}"))
        })?),
    };
    let invalid = || Error::bad_request(format!("invalid host port: {range:?}"));
    let number = |text: &str| text.parse::<u16>().map_err(|_| invalid());
    let range = match range.split_once('-') {
        _ if range.is_empty() => (0, 0),
        None => (number(&range)?, number(&range)?),
        Some((first, last)) => (number(first)?, number(last)?),
    };
    if range.0 > range.1 {
        return Err(invalid());
    }
    Ok(Wanted {
        port,
        protocol,
        address,
        range,
    })
}

/// What the API shows: every port that was asked for or exposed, with its bindings; an exposed
/// port without bindings has none.
pub(crate) fn shown(asked: &PortMap, publications: &[Publication]) -> PortMap {
    let mut shown: PortMap = asked.keys().map(|key| (key.clone(), None)).collect();
    for publication in publications {
        let key = format!("{}/{}", publication.port, publication.protocol.name());
        let binding = PortBinding {
            host_ip: Some(publication.host.ip().to_string()),
            host_port: Some(publication.host.port().to_string()),
        };
        shown
            .entry(key)
            .or_default()
            .get_or_insert_default()
            .push(binding);
    }
    shown
}

/// Begins to carry traffic to the container at `target`; until the set is dropped.
///
/// # Errors
/// 500 when a socket cannot be watched.
pub(crate) fn serve(bound: Vec<Bound>, target: IpAddr) -> Result<JoinSet<()>> {
    let mut proxies = JoinSet::new();
    for bound in bound {
        let failed = |error| Error::internal(format!("watch a published port: {error}"));
        match bound {
            Bound::Tcp(publication, listener) => {
                let listener = tokio::net::TcpListener::from_std(listener).map_err(failed)?;
                proxies.spawn(tcp::serve(
                    listener,
                    SocketAddr::new(target, publication.port),
                ));
            }
            Bound::Udp(publication, socket) => {
                let socket = tokio::net::UdpSocket::from_std(socket).map_err(failed)?;
                proxies.spawn(udp::serve(
                    socket,
                    SocketAddr::new(target, publication.port),
                ));
            }
        }
    }
    Ok(proxies)
}

#[cfg(test)]
mod tests;
