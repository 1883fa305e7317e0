//! The networks a container joins.

use std::collections::HashMap;

use bollard::models::{EndpointIpamConfig, EndpointSettings, NetworkingConfig};

use super::super::names;
use super::super::observed::ApiVersion;
use super::Part;
use super::config::{map, non_empty};
use crate::compose::Project;
use crate::compose::model::{Service, ServiceNetwork};

/// From this version on all networks go into the create request.
const ALL_IN_CREATE: ApiVersion = ApiVersion::v1(44);
const INTERFACE_NAME: &str = "com.docker.network.endpoint.ifname";
const DEFAULT_NETWORK: &str = "default";

/// The container's network mode, and its networks split by when they are joined.
pub(super) struct Endpoints {
    pub(super) mode: Option<String>,
    pub(super) in_create: Option<NetworkingConfig>,
    pub(super) connect: Vec<(String, EndpointSettings)>,
}

/// The networks of the service in the order of joining.
pub(super) fn endpoints(part: &Part<'_>) -> Endpoints {
    if let Some(mode) = mode_without_networks(part) {
        return Endpoints {
            mode: Some(mode),
            in_create: None,
            connect: Vec::new(),
        };
    }
    let mut keys = part.service.networks_by_priority();
    if keys.is_empty() {
        keys.push(DEFAULT_NETWORK);
    }
    let with_aliases = part
        .create
        .one_off
        .as_ref()
        .is_none_or(|one_off| one_off.use_aliases);
    let named = |key: &str| {
        let settings = Endpoint {
            service: part.service,
            container: &part.create.name,
            key,
            links: &part.create.links,
            with_aliases,
        };
        (network_name(part.project, key), settings.build())
    };
    let all_in_create = part.settings.api >= ALL_IN_CREATE;
    let mut all = keys.into_iter().map(named);
    let Some((first_name, mut first)) = all.next() else {
        return Endpoints {
            mode: None,
            in_create: None,
            connect: Vec::new(),
        };
    };
    if all_in_create && first.mac_address.is_none() {
        first.mac_address.clone_from(&part.service.mac_address);
    }
    let mut in_create = HashMap::from([(first_name.clone(), first)]);
    let mut connect = Vec::new();
    for (name, settings) in all.filter(|(name, _)| *name != first_name) {
        if all_in_create {
            in_create.insert(name, settings);
        } else {
            connect.push((name, settings));
        }
    }
    Endpoints {
        mode: Some(first_name),
        in_create: Some(NetworkingConfig {
            endpoints_config: Some(in_create),
        }),
        connect,
    }
}

/// The address of the container's device, where the engine knows one only.
pub(super) fn single_mac_address(part: &Part<'_>) -> Option<String> {
    if part.settings.api >= ALL_IN_CREATE {
        return None;
    }
    let service = part.service;
    let first = service.networks_by_priority().first().copied();
    let network = first.and_then(|key| service.networks.get(key)?.as_ref());
    let of_network = network.and_then(|network| network.mac_address.clone());
    of_network.or_else(|| service.mac_address.clone())
}

fn mode_without_networks(part: &Part<'_>) -> Option<String> {
    let given = part
        .service
        .network_mode
        .clone()
        .filter(|mode| !mode.is_empty());
    given.or_else(|| part.project.networks.is_empty().then(|| "none".to_owned()))
}

fn network_name(project: &Project, key: &str) -> String {
    project.networks.get(key).map_or_else(
        || format!("{}_{key}", project.name),
        |network| names::network(&project.name, key, network),
    )
}

/// How the container named `container` joins the network `key` of its service.
pub fn endpoint(service: &Service, container: &str, key: &str) -> EndpointSettings {
    Endpoint {
        service,
        container,
        key,
        links: &[],
        with_aliases: true,
    }
    .build()
}

struct Endpoint<'a> {
    service: &'a Service,
    container: &'a str,
    key: &'a str,
    links: &'a [String],
    with_aliases: bool,
}

impl Endpoint<'_> {
    fn build(&self) -> EndpointSettings {
        let config = self
            .service
            .networks
            .get(self.key)
            .and_then(Option::as_deref);
        let mut settings = config.map(settings_of).unwrap_or_default();
        settings.aliases = Some(self.aliases(config));
        settings.links = non_empty(self.links.to_vec());
        settings
    }

    fn aliases(&self, config: Option<&ServiceNetwork>) -> Vec<String> {
        let mut aliases = vec![self.container.to_owned()];
        if self.with_aliases {
            aliases.push(self.service.name.clone());
            aliases.extend(config.iter().flat_map(|config| config.aliases.clone()));
        }
        aliases
    }
}

fn settings_of(config: &ServiceNetwork) -> EndpointSettings {
    let mut driver_opts = config.driver_opts.clone();
    if let Some(name) = &config.interface_name {
        driver_opts.insert(INTERFACE_NAME.to_owned(), name.clone());
    }
    EndpointSettings {
        ipam_config: Some(EndpointIpamConfig {
            ipv4_address: config.ipv4_address.clone(),
            ipv6_address: config.ipv6_address.clone(),
            link_local_ips: non_empty(config.link_local_ips.clone()),
        }),
        mac_address: config.mac_address.clone(),
        driver_opts: map(&driver_opts),
        gw_priority: config.gw_priority,
        ..EndpointSettings::default()
    }
}
