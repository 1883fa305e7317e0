//! A top-level network → the request that creates it.

use bollard::models::{Ipam, IpamConfig, NetworkCreateRequest};

use super::{hash, labels, names};
use crate::compose::model::{Mapping, Network};

/// Body of `POST /networks/create` for the network `key` of the project.
pub fn create_body(project: &str, key: &str, network: &Network) -> NetworkCreateRequest {
    let flag = |value: bool| value.then_some(true);
    NetworkCreateRequest {
        name: names::network(project, key, network),
        driver: network.driver.clone(),
        internal: flag(network.internal),
        attachable: flag(network.attachable),
        ipam: ipam(network),
        enable_ipv4: network.enable_ipv4,
        enable_ipv6: network.enable_ipv6,
        options: map(&network.driver_opts),
        labels: Some(labels::resource(
            &network.labels,
            project,
            labels::NETWORK,
            key,
            hash::network(network),
        )),
        ..NetworkCreateRequest::default()
    }
}

fn ipam(network: &Network) -> Option<Ipam> {
    let ipam = &network.ipam;
    if ipam.driver.is_none() && ipam.config.is_empty() {
        return None;
    }
    let pools = ipam.config.iter().map(|pool| IpamConfig {
        subnet: pool.subnet.clone(),
        ip_range: pool.ip_range.clone(),
        gateway: pool.gateway.clone(),
        auxiliary_addresses: map(&pool.aux_addresses),
    });
    Some(Ipam {
        driver: ipam.driver.clone(),
        config: Some(pools.collect()),
        options: None,
    })
}

fn map(mapping: &Mapping) -> Option<std::collections::HashMap<String, String>> {
    (!mapping.is_empty()).then(|| mapping.clone().into_iter().collect())
}
