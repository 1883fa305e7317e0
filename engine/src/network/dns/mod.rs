//! Names of containers: a name server inside each container's network namespace.
//!
//! It answers at 127.0.0.11, where containers expect it whichever networks they are on, where no
//! firewall of the host is in between, and where it knows who asks. What is no container goes to
//! the name servers of the container or of the host.

mod answer;
mod forward;
mod redirect;
mod server;
mod view;

#[cfg(test)]
mod tests;

pub(crate) use server::{Sockets, serve};

use std::net::{IpAddr, Ipv4Addr};

/// Where a container finds its name server.
pub(crate) const ADDRESS: IpAddr = IpAddr::V4(OWN);

const OWN: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 11);
