//! The part of a project that a command works on, with the command line's changes applied.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::super::error::PlanError;
use super::super::graph::Graph;
use super::super::inject::API_SOCKET_CONFIG;
use super::super::options::Up;
use super::scope::no_such_service;
use crate::compose::Project;
use crate::compose::model::{FileReference, Mount, MountType, Service};

const ENGINE_SOCKET: &str = "/var/run/docker.sock";
const CLIENT_CONFIG_FOLDER: &str = "/run/secrets/docker";
const CLIENT_CONFIG_FILE: &str = "/run/secrets/docker/config.json";

/// Services to bring up.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    /// Keyed by name. Dependencies on services outside of the selection are gone, and services of providers:
    /// they have no containers.
    pub(super) services: BTreeMap<String, Arc<Service>>,
    /// Those the command line names; all where it names none.
    pub(super) named: BTreeSet<String>,
}

impl Wanted {
    /// The named services with their dependencies, unless those are to be left alone.
    pub(super) fn new(project: &Project, options: &Up) -> Result<Self, PlanError> {
        let unknown = options
            .services
            .iter()
            .chain(options.scale.keys())
            .find(|name| !project.services.contains_key(*name));
        if let Some(name) = unknown {
            return Err(no_such_service(name, project.services.keys()));
        }
        let graph = Graph::new(&project.services)?;
        let mut selected: BTreeSet<String> = selection(project, &graph, options)
            .into_iter()
            .map(str::to_owned)
            .collect();
        selected.retain(|name| !is_provided(project, name));
        let services = selected
            .iter()
            .filter_map(|name| project.services.get(name))
            .map(|service| {
                let service = effective(service, &selected, options);
                (service.name.clone(), Arc::new(service))
            })
            .collect();
        let named = if options.services.is_empty() {
            selected
        } else {
            options.services.iter().cloned().collect()
        };
        Ok(Self { services, named })
    }
}

/// The named services with their dependencies, unless those are to be left alone.
fn selection<'a>(project: &'a Project, graph: &Graph<'a>, options: &'a Up) -> BTreeSet<&'a str> {
    let named = options.services.iter().map(String::as_str);
    if options.services.is_empty() {
        project.services.keys().map(String::as_str).collect()
    } else if options.no_deps {
        named.collect()
    } else {
        graph.with_dependencies(named).into_iter().collect()
    }
}

fn is_provided(project: &Project, service: &str) -> bool {
    let service = project.services.get(service);
    service.is_some_and(|service| service.provider.is_some())
}

/// The services among those to bring up that a provider runs, dependencies first.
pub fn provided<'a>(project: &'a Project, options: &Up) -> Result<Vec<&'a Service>, PlanError> {
    let graph = Graph::new(&project.services)?;
    let selected = selection(project, &graph, options);
    let order = graph.order().iter();
    Ok(order
        .filter(|name| selected.contains(**name) && is_provided(project, name))
        .filter_map(|name| project.services.get(*name))
        .collect())
}

fn effective(service: &Service, selected: &BTreeSet<String>, options: &Up) -> Service {
    let mut service = service.clone();
    service.depends_on.retain(|name, _| selected.contains(name));
    for (name, value) in options.provided.get(&service.name).into_iter().flatten() {
        let value = Some(value.clone());
        service.environment.insert(name.clone(), value);
    }
    if let Some(scale) = options.scale.get(&service.name) {
        service.scale = Some(*scale);
    }
    with_api_socket(service)
}

/// `use_api_socket` as mounts, files and variables.
pub(super) fn with_api_socket(mut service: Service) -> Service {
    if !service.use_api_socket {
        return service;
    }
    service.volumes.push(Mount {
        kind: MountType::Bind,
        source: Some(ENGINE_SOCKET.to_owned()),
        target: Some(ENGINE_SOCKET.to_owned()),
        ..Mount::default()
    });
    service
        .environment
        .entry("DOCKER_CONFIG".to_owned())
        .or_insert_with(|| Some(CLIENT_CONFIG_FOLDER.to_owned()));
    service.configs.push(FileReference {
        source: API_SOCKET_CONFIG.to_owned(),
        target: Some(CLIENT_CONFIG_FILE.to_owned()),
        ..FileReference::default()
    });
    service
}

/// Keys of the networks to make: those the services join, or all.
pub(super) fn networks_to_make<'a>(
    project: &'a Project,
    services: &'a BTreeMap<String, Arc<Service>>,
    options: &Up,
) -> BTreeSet<&'a str> {
    if options.all_resources {
        return project.networks.keys().map(String::as_str).collect();
    }
    networks_in_use(services)
}

/// Keys of the volumes to make: those the services mount, or all.
pub(super) fn volumes_to_make<'a>(
    project: &'a Project,
    services: &BTreeMap<String, Arc<Service>>,
    options: &Up,
) -> BTreeSet<&'a str> {
    if options.all_resources {
        return project.volumes.keys().map(String::as_str).collect();
    }
    volumes_in_use(project, services)
}

/// Keys of the networks the services join.
pub(super) fn networks_in_use(services: &BTreeMap<String, Arc<Service>>) -> BTreeSet<&str> {
    services
        .values()
        .flat_map(|service| service.networks.keys().map(String::as_str))
        .collect()
}

/// Keys of the project's volumes the services mount.
fn volumes_in_use<'a>(
    project: &'a Project,
    services: &BTreeMap<String, Arc<Service>>,
) -> BTreeSet<&'a str> {
    let mounted: BTreeSet<&str> = services
        .values()
        .flat_map(|service| volume_keys(service))
        .collect();
    project
        .volumes
        .keys()
        .map(String::as_str)
        .filter(|key| mounted.contains(key))
        .collect()
}

/// Sources of the service's volume mounts; anonymous ones have none.
pub(super) fn volume_keys(service: &Service) -> impl Iterator<Item = &str> {
    service
        .volumes
        .iter()
        .filter(|mount| mount.kind == MountType::Volume)
        .filter_map(|mount| mount.source.as_deref())
}
