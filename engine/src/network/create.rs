//! From a request to a network.

use std::collections::HashMap;
use std::net::IpAddr;

use bollard_stubs::models::{Ipam, IpamConfig, NetworkCreateRequest};
use ipnet::IpNet;

use super::document::{Driver, Network};
use super::ipam::{self, Pool, overlap};
use super::state::Inner;
use crate::{Error, Result, identifier, time};

/// Options of the bridge driver that are honoured.
const OPTIONS: [&str; 9] = [
    "com.docker.network.bridge.name",
    "com.docker.network.bridge.enable_icc",
    "com.docker.network.bridge.enable_ip_masquerade",
    "com.docker.network.bridge.host_binding_ipv4",
    "com.docker.network.bridge.default_bridge",
    "com.docker.network.container_iface_prefix",
    "com.docker.network.driver.mtu",
    "com.docker.network.enable_ipv4",
    "com.docker.network.enable_ipv6",
];

/// The longest name of a link.
const LINK_NAME: usize = 15;

/// The networks that are always there.
pub(super) fn builtin() -> [Network; 3] {
    let network = |name: &str, driver| Network {
        builtin: true,
        ..empty(name, driver)
    };
    [
        network("bridge", Driver::Bridge),
        network("host", Driver::Host),
        network("none", Driver::Null),
    ]
}

fn empty(name: &str, driver: Driver) -> Network {
    let id = identifier::new();
    let bridge = match driver {
        Driver::Bridge => format!("br-{}", id.get(..12).unwrap_or(&id)),
        Driver::Host | Driver::Null => String::new(),
    };
    Network {
        id,
        name: name.to_owned(),
        created: time::now(),
        driver,
        internal: false,
        attachable: false,
        enable_ipv6: false,
        options: HashMap::new(),
        labels: HashMap::new(),
        ipam_options: None,
        pools: Vec::new(),
        bridge,
        builtin: false,
        foreign: false,
    }
}

/// Reads a request; subnets that it leaves open are chosen by [`settle`].
///
/// # Errors
/// 400 for what makes no sense, 403 for reserved names, 404 for an unknown driver, 501 for what
/// is not supported.
pub(crate) fn read(request: NetworkCreateRequest) -> Result<Network> {
    check_name(&request.name)?;
    check_driver(request.driver.as_deref().unwrap_or_default())?;
    refuse(&request)?;
    let mut network = empty(&request.name, Driver::Bridge);
    network.internal = request.internal.unwrap_or(false);
    network.attachable = request.attachable.unwrap_or(false);
    network.labels = request.labels.unwrap_or_default();
    network.options = request.options.unwrap_or_default();
    network.enable_ipv6 = request.enable_ipv6.unwrap_or(false)
        || network.is_on("com.docker.network.enable_ipv6", false);
    for option in network.options.keys() {
        if option.starts_with("com.docker.network.") && !OPTIONS.contains(&option.as_str()) {
            return Err(Error::not_supported(format!("network option {option}")));
        }
    }
    network.mtu()?;
    network.binding_address()?;
    let prefix = network.link_prefix();
    if prefix.is_empty() || prefix.len() + 3 > LINK_NAME || prefix.contains(['/', ' ']) {
        return Err(Error::bad_request(format!(
            "invalid prefix of links {prefix:?}"
        )));
    }
    if let Some(name) = network
        .options
        .get("com.docker.network.bridge.name")
        .filter(|name| !name.is_empty())
    {
        if name.len() > LINK_NAME || name.contains(['/', ' ']) {
            return Err(Error::bad_request(format!("invalid bridge name {name:?}")));
        }
        network.bridge.clone_from(name);
    }
    let ipam = request.ipam.unwrap_or_default();
    network.pools = pools(&ipam, network.enable_ipv6)?;
    network.ipam_options = ipam.options;
    Ok(network)
}

fn check_name(name: &str) -> Result<()> {
    let mut characters = name.chars();
    let begins = characters
        .next()
        .is_some_and(|first| first.is_ascii_alphanumeric());
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "_.-".contains(character);
    if !begins || !characters.all(is_plain) {
        return Err(Error::bad_request(format!(
            "invalid network name {name:?}: only [a-zA-Z0-9][a-zA-Z0-9_.-]* is allowed"
        )));
    }
    if ["bridge", "host", "none", "default"].contains(&name) {
        let message = format!("operation is not permitted on predefined {name} network");
        return Err(Error::forbidden(message));
    }
    Ok(())
}

fn check_driver(driver: &str) -> Result<()> {
    match driver {
        "" | "default" | "bridge" => Ok(()),
        "host" | "null" => {
            let message = format!("only one instance of {driver:?} network is allowed");
            Err(Error::forbidden(message))
        }
        "macvlan" | "ipvlan" | "overlay" => {
            Err(Error::not_supported(format!("network driver {driver:?}")))
        }
        other => Err(Error::not_found(format!(
            "could not find plugin {other} in v1 plugin registry: plugin not found"
        ))),
    }
}

fn refuse(request: &NetworkCreateRequest) -> Result<()> {
    let ipam = request.ipam.as_ref();
    let ipam_driver = ipam
        .and_then(|ipam| ipam.driver.as_deref())
        .unwrap_or_default();
    let scope = request.scope.as_deref().unwrap_or_default();
    let from = request
        .config_from
        .as_ref()
        .and_then(|from| from.network.as_deref());
    let refused = [
        (!["", "local"].contains(&scope), "Scope"),
        (request.ingress == Some(true), "Ingress"),
        (request.config_only == Some(true), "ConfigOnly"),
        (from.is_some_and(|from| !from.is_empty()), "ConfigFrom"),
        (request.enable_ipv4 == Some(false), "EnableIPv4"),
        (!["", "default"].contains(&ipam_driver), "IPAM.Driver"),
    ];
    match refused.iter().find(|(is_set, _)| *is_set) {
        Some((_, field)) => Err(Error::not_supported(field)),
        None => Ok(()),
    }
}

fn pools(ipam: &Ipam, enable_ipv6: bool) -> Result<Vec<Pool>> {
    let mut pools: Vec<Pool> = Vec::new();
    for config in ipam.config.iter().flatten() {
        let Some(pool) = pool(config)? else { continue };
        if pool.gateway.is_ipv6() && !enable_ipv6 {
            continue;
        }
        if pools
            .iter()
            .any(|other| other.gateway.is_ipv4() == pool.gateway.is_ipv4())
        {
            return Err(Error::bad_request(
                "bridge driver doesn't support multiple subnets",
            ));
        }
        pools.push(pool);
    }
    Ok(pools)
}

fn given(text: Option<&String>) -> Option<&str> {
    text.map(String::as_str).filter(|text| !text.is_empty())
}

fn pool(config: &IpamConfig) -> Result<Option<Pool>> {
    let gateway = given(config.gateway.as_ref());
    let range = given(config.ip_range.as_ref());
    let auxiliary = config.auxiliary_addresses.iter().flatten();
    let Some(subnet) = given(config.subnet.as_ref()) else {
        if gateway.is_none() && range.is_none() {
            return Ok(None);
        }
        return Err(Error::bad_request(
            "invalid network config: a gateway or a range needs a subnet",
        ));
    };
    let invalid = |what: &str, text: &str| Error::bad_request(format!("invalid {what} {text}"));
    let subnet: IpNet = subnet.parse().map_err(|_| invalid("subnet", subnet))?;
    let outside = |what: &str, text: &str| {
        Error::bad_request(format!(
            "invalid network config: no matching subnet for {what} {text}"
        ))
    };
    let inside = |what: &str, text: &str| -> Result<IpAddr> {
        let address: IpAddr = text.parse().map_err(|_| invalid(what, text))?;
        subnet
            .contains(&address)
            .then_some(address)
            .ok_or_else(|| outside(what, text))
    };
    let mut pool = Pool::of(subnet.trunc(), true);
    if let Some(range) = range {
        let net: IpNet = range.parse().map_err(|_| invalid("range", range))?;
        if !subnet.contains(&net) {
            return Err(outside("range", range));
        }
        pool.range = Some(net.trunc());
    }
    if let Some(gateway) = gateway {
        pool.gateway = inside("gateway", gateway)?;
    }
    for (name, address) in auxiliary {
        let address = inside("aux-address", address)?;
        pool.auxiliary.insert(name.clone(), address);
    }
    Ok(Some(pool))
}

/// The last checks and choices, against what is there; `taken` are the host's subnets.
///
/// # Errors
/// 409 for a name that is in use, 403 for subnets or a bridge in use and when no subnet is left.
pub(super) fn settle(network: &mut Network, state: &Inner, taken: &[IpNet]) -> Result<()> {
    if state
        .networks
        .values()
        .any(|other| other.name == network.name)
    {
        return Err(Error::conflict(format!(
            "network with name {} already exists",
            network.name
        )));
    }
    if let Some(other) = state
        .networks
        .values()
        .find(|other| other.bridge == network.bridge)
    {
        let (bridge, name) = (&network.bridge, &other.name);
        let message = format!("network {name} uses the bridge {bridge} already");
        return Err(Error::forbidden(message));
    }
    let own = self::taken(state, &[]);
    if network
        .pools
        .iter()
        .any(|pool| own.iter().any(|other| overlap(&pool.subnet, other)))
    {
        let message = "invalid pool request: Pool overlaps with other one on this address space";
        return Err(Error::forbidden(message));
    }
    if network.ipv4().is_none() {
        let subnet = ipam::free_subnet(&self::taken(state, taken))?;
        network.pools.insert(0, Pool::of(subnet, false));
    }
    if network.enable_ipv6 && network.ipv6().is_none() {
        network
            .pools
            .push(Pool::of(ipam::random_ipv6_subnet(), false));
    }
    Ok(())
}

/// The subnets of all networks, and `host`'s.
pub(super) fn taken(state: &Inner, host: &[IpNet]) -> Vec<IpNet> {
    let pools = state.networks.values().flat_map(|network| &network.pools);
    pools
        .map(|pool| pool.subnet)
        .chain(host.iter().copied())
        .collect()
}

/// Why a network cannot be removed; `None` when it can.
pub(super) fn in_use(state: &Inner, network: &Network) -> Option<String> {
    let endpoints: Vec<String> = state
        .on(&network.id)
        .map(|attachment| format!("name:{:?} id:{:?}", attachment.name, attachment.short_id()))
        .collect();
    let (name, endpoints) = (&network.name, endpoints.join(", "));
    (!endpoints.is_empty()).then(|| {
        format!("error while removing network: network {name} has active endpoints ({endpoints})")
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn network(request: Value) -> Result<Network> {
        read(serde_json::from_value(request).unwrap())
    }

    fn with_pool(config: Value) -> Result<Network> {
        network(json!({ "Name": "a", "IPAM": { "Config": [config] } }))
    }

    #[test]
    fn a_bare_request_gets_a_subnet() {
        let mut one = network(json!({ "Name": "one" })).unwrap();
        let mut state = Inner::default();
        settle(&mut one, &state, &["172.17.0.0/24".parse().unwrap()]).unwrap();
        assert_eq!(one.pools[0].subnet.to_string(), "172.18.0.0/16");
        assert_eq!(one.bridge.len(), LINK_NAME);
        state.networks.insert(one.id.clone(), one);
        let mut other = network(json!({ "Name": "other", "EnableIPv6": true })).unwrap();
        settle(&mut other, &state, &[]).unwrap();
        let subnets: Vec<_> = other
            .pools
            .iter()
            .map(|pool| pool.subnet.to_string())
            .collect();
        assert_eq!(subnets[0], "172.17.0.0/16");
        assert!(subnets[1].starts_with("fd"));
        let mut again = network(json!({ "Name": "one" })).unwrap();
        assert_eq!(settle(&mut again, &state, &[]).unwrap_err().status, 409);
    }

    #[test]
    fn subnets_are_as_given() {
        let network = with_pool(json!({
            "Subnet": "172.28.0.0/16", "IPRange": "172.28.5.0/24", "Gateway": "172.28.5.254",
            "AuxiliaryAddresses": { "host1": "172.28.1.5" },
        }));
        let pool = network.unwrap().pools.remove(0);
        assert_eq!(pool.gateway.to_string(), "172.28.5.254");
        // The first address of a range inside the subnet is one like any other, as with Docker.
        assert_eq!(pool.allocate(&[].into()).unwrap().to_string(), "172.28.5.0");
    }

    #[test]
    fn overlapping_subnets_are_refused_as_docker_does() {
        let mut state = Inner::default();
        let one = with_pool(json!({ "Subnet": "10.5.0.0/16" })).unwrap();
        state.networks.insert(one.id.clone(), one);
        let mut other = with_pool(json!({ "Subnet": "10.5.9.0/24" })).unwrap();
        other.name = "b".to_owned();
        let error = settle(&mut other, &state, &[]).unwrap_err();
        assert_eq!(error.status, 403);
        assert!(
            error
                .message
                .contains("Pool overlaps with other one on this address space")
        );
    }

    #[test]
    fn nonsense_is_refused() {
        let status = |config| with_pool(config).map(drop).map_err(|error| error.status);
        assert_eq!(status(json!({})), Ok(()));
        assert_eq!(status(json!({ "Subnet": "10.5.0.0" })), Err(400));
        assert_eq!(status(json!({ "Gateway": "10.5.0.1" })), Err(400));
        assert_eq!(
            status(json!({ "Subnet": "10.5.0.0/24", "Gateway": "10.6.0.1" })),
            Err(400)
        );
        assert_eq!(
            status(json!({ "Subnet": "10.5.0.0/24", "IPRange": "10.5.0.0/16" })),
            Err(400)
        );
        let status = |request| network(request).map(drop).map_err(|error| error.status);
        assert_eq!(status(json!({ "Name": "" })), Err(400));
        assert_eq!(status(json!({ "Name": "host" })), Err(403));
        assert_eq!(status(json!({ "Name": "a", "Driver": "host" })), Err(403));
        assert_eq!(
            status(json!({ "Name": "a", "Driver": "macvlan" })),
            Err(501)
        );
        assert_eq!(status(json!({ "Name": "a", "Driver": "weave" })), Err(404));
        assert_eq!(status(json!({ "Name": "a", "ConfigOnly": true })), Err(501));
        let options = json!({ "com.docker.network.bridge.gateway_mode_ipv4": "routed" });
        assert_eq!(status(json!({ "Name": "a", "Options": options })), Err(501));
        for option in [
            "driver.mtu",
            "bridge.host_binding_ipv4",
            "container_iface_prefix",
        ] {
            let options = json!({ format!("com.docker.network.{option}"): "x/y" });
            assert_eq!(status(json!({ "Name": "a", "Options": options })), Err(400));
        }
    }
}
