//! Networks: bridges, addresses, names, published ports and the firewall around them.
//!
//! | file | holds |
//! |---|---|
//! | `document`, `create`, `inspect` | what a network is, how one is asked for and shown |
//! | `ipam` | subnets and addresses |
//! | `networks`, `state`, `rest` | all of them, who is on them; nothing on the host while nothing runs |
//! | `namespace`, `link` | network namespaces; kernel links, addresses, routes |
//! | `endpoint`, `connect`, `change`, `attachment` | containers on networks: what they ask for, setup and teardown, joining and leaving meanwhile, what is kept |
//! | `lingering` | links of containers that have ended |
//! | `dns` | names of containers, answered inside each network namespace |
//! | `ports` | published ports and the proxies behind them |
//! | `firewall` | masquerade, redirection, isolation |

mod attachment;
mod change;
mod connect;
mod create;
mod dns;
mod document;
mod endpoint;
mod firewall;
mod inspect;
mod ipam;
mod lingering;
mod link;
mod namespace;
mod networks;
mod ports;
mod rest;
mod state;

#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::sync::Arc;

use bollard_stubs::models::{EndpointSettings, PortMap};
use indexmap::IndexMap;

pub(crate) use create::read as read_request;
pub(crate) use document::Network;
pub(crate) use endpoint::asked;
pub(crate) use inspect::LIST_FILTERS;
pub(crate) use namespace::{create as create_namespace, remove as remove_namespace};
pub(crate) use networks::Networks;

/// What a container wants of the networks when it starts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Guest<'a> {
    /// The container's id.
    pub(crate) id: &'a str,
    /// Its name, without a slash.
    pub(crate) name: &'a str,
    /// Its host name.
    pub(crate) hostname: &'a str,
    /// The networks to join, keyed by name or id; in this order they become `eth0`, `eth1` ….
    /// Host mode is the one network `host`, no network the one network `none`; with another
    /// container's network there is nothing to set up.
    pub(crate) endpoints: &'a IndexMap<String, EndpointSettings>,
    /// Ports to publish, keyed by `80/tcp`; a port without bindings is only exposed.
    pub(crate) ports: &'a PortMap,
    /// Name servers to ask for what is no container, in place of the host's.
    pub(crate) dns: &'a [String],
    /// `name:address` and `name:host-gateway`, for the hosts file.
    pub(crate) extra_hosts: &'a [String],
}

/// Tells that a container's name server answers, or why it does not.
pub(crate) type NamesReady = tokio::sync::oneshot::Receiver<crate::Result<()>>;

/// What a container has got when it was set up.
#[derive(Debug, Default)]
pub(crate) struct Attached {
    /// Its endpoints with addresses, keyed as they were asked for.
    pub(crate) endpoints: IndexMap<String, EndpointSettings>,
    /// Ports with the host's addresses and ports, keyed by `80/tcp`.
    pub(crate) ports: PortMap,
    /// The name server for its `resolv.conf`; `None` in host mode, where the host's file serves,
    /// and without a network.
    pub(crate) nameserver: Option<IpAddr>,
    /// When that answers: to be waited for before anything runs there.
    pub(crate) names: Option<NamesReady>,
    /// Lines for its hosts file beyond those of every container: its own addresses and the
    /// extra hosts.
    pub(crate) hosts: Vec<(IpAddr, String)>,
}

/// The parts that tasks in the background share with the API.
type Shared = Arc<state::State>;
