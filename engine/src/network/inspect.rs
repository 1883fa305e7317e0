//! Networks as the API shows them.

use std::net::IpAddr;

use serde_json::{Map, Value, json};

use super::document::{Driver, Network};
use super::ipam::Pool;
use super::networks::Networks;
use super::state::Inner;
use crate::Result;
use crate::filters::Filters;

/// The filters of the list.
pub(crate) const LIST_FILTERS: &[&str] = &[
    "dangling", "driver", "id", "label", "label!", "name", "scope", "type",
];

impl Networks {
    /// One network with the containers on it.
    ///
    /// # Errors
    /// 404 when there is none.
    pub(crate) fn inspect(&self, reference: &str) -> Result<Value> {
        let state = self.state.lock();
        let network = state.find(reference)?;
        Ok(shown(network, containers(&state, network)))
    }

    /// The networks that pass the filters, without their containers.
    pub(crate) fn list(&self, filters: &Filters) -> Vec<Value> {
        let state = self.state.lock();
        let networks = state
            .networks
            .values()
            .filter(|network| passes(&state, network, filters));
        networks.map(|network| shown(network, Map::new())).collect()
    }

    /// Removes the networks that nobody is on and that the filters let pass; gives their names.
    pub(crate) async fn prune(&self, passes: impl Fn(&Network) -> bool) -> Vec<String> {
        let unused: Vec<Network> = {
            let state = self.state.lock();
            let own = state.networks.values().filter(|network| !network.builtin);
            let unused = own.filter(|network| state.on(&network.id).next().is_none());
            unused.filter(|network| passes(network)).cloned().collect()
        };
        let mut removed = Vec::new();
        for network in unused {
            match self.remove(&network.id).await {
                Ok(()) => removed.push(network.name),
                Err(error) => tracing::warn!("prune network {}: {error}", network.name),
            }
        }
        removed
    }
}

fn passes(state: &Inner, network: &Network, filters: &Filters) -> bool {
    let kind = if network.builtin { "builtin" } else { "custom" };
    let dangling = !network.builtin && state.on(&network.id).next().is_none();
    filters.any("driver", |value| value == network.driver.name())
        && filters.any("id", |value| network.id.starts_with(value))
        && filters.any("name", |value| network.name.contains(value))
        && filters.any("scope", |value| value == "local")
        && filters.any("type", |value| value == kind)
        && filters.any("dangling", |value| {
            matches!(value, "true" | "1") == dangling
        })
        && filters.labels(&network.labels)
}

fn shown(network: &Network, containers: Map<String, Value>) -> Value {
    json!({
        "Name": network.name,
        "Id": network.id,
        "Created": network.created,
        "Scope": "local",
        "Driver": network.driver.name(),
        "EnableIPv4": true,
        "EnableIPv6": network.enable_ipv6,
        "IPAM": {
            "Driver": "default",
            "Options": network.ipam_options,
            "Config": network.pools.iter().map(pool).collect::<Vec<_>>(),
        },
        "Internal": network.internal,
        "Attachable": network.attachable,
        "Ingress": false,
        "ConfigFrom": { "Network": "" },
        "ConfigOnly": false,
        "Containers": containers,
        "Options": options(network),
        "Labels": network.labels,
    })
}

fn options(network: &Network) -> Map<String, Value> {
    let mut options: Map<String, Value> = network
        .options
        .iter()
        .map(|(key, value)| (key.clone(), json!(value)))
        .collect();
    if network.is_default_bridge() {
        options.insert(
            "com.docker.network.bridge.default_bridge".to_owned(),
            json!("true"),
        );
        options.insert(
            "com.docker.network.bridge.name".to_owned(),
            json!(network.bridge),
        );
    }
    options
}

fn pool(pool: &Pool) -> Value {
    let mut shown = Map::from_iter([
        ("Subnet".to_owned(), json!(pool.subnet)),
        ("Gateway".to_owned(), json!(pool.gateway)),
    ]);
    if let Some(range) = pool.range {
        shown.insert("IPRange".to_owned(), json!(range));
    }
    if !pool.auxiliary.is_empty() {
        shown.insert("AuxiliaryAddresses".to_owned(), json!(pool.auxiliary));
    }
    shown.into()
}

fn containers(state: &Inner, network: &Network) -> Map<String, Value> {
    let with_prefix = |address: Option<IpAddr>, pool: Option<&Pool>| {
        let both = address.zip(pool);
        both.map_or(String::new(), |(address, pool)| {
            format!("{address}/{}", pool.subnet.prefix_len())
        })
    };
    let endpoints = state.on(&network.id).filter_map(|attachment| {
        let endpoint = attachment.on(&network.id)?;
        let hardware = (network.driver == Driver::Bridge).then(|| endpoint.mac_address());
        let shown = json!({
            "Name": attachment.name,
            "EndpointID": endpoint.id,
            "MacAddress": hardware.unwrap_or_default(),
            "IPv4Address": with_prefix(endpoint.ipv4.map(IpAddr::V4), network.ipv4()),
            "IPv6Address": with_prefix(endpoint.ipv6.map(IpAddr::V6), network.ipv6()),
        });
        Some((attachment.container.clone(), shown))
    });
    endpoints.collect()
}
