//! A service → the request that creates one of its containers.

mod config;
mod mounts;
mod network;
mod ports;
mod resources;
mod security;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use bollard::models::{ContainerCreateBody, EndpointSettings};

use super::error::PlanError;
use super::options::Settings;
use super::step::Create;
use super::{hash, labels, reference};
use crate::compose::Project;
use crate::compose::model::Service;

pub use network::endpoint;
pub use security::seccomp_files;

/// What is known only when the step runs.
#[derive(Debug, Clone, Default)]
pub struct Resolved {
    /// Ids of the containers in [`Create::references`], keyed by service.
    pub ids: BTreeMap<String, String>,
    /// Content of the files in [`Create::seccomp_files`], keyed by the name given there.
    pub seccomp: BTreeMap<String, String>,
    /// Variables of the client's proxy settings; the service's own win.
    pub proxy: BTreeMap<String, String>,
    /// Id of the image, where the step did not know it.
    pub image_id: Option<String>,
}

/// A container to create.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateRequest {
    /// Body of `POST /containers/create`. The name is the caller's business: a replacement
    /// is created under a temporary one.
    pub body: ContainerCreateBody,
    /// `os/arch/variant`.
    pub platform: Option<String>,
    /// Address of the container's device for engines before API 1.44, which read `MacAddress` of
    /// the body: the body has no such field.
    pub mac_address: Option<String>,
    /// Networks to attach the container to after it was created, in this order (engines
    /// before API 1.44 take only the first network in the body).
    pub connect: Vec<(String, EndpointSettings)>,
}

/// The request for a [`Create`] step.
///
/// Fails with the place of the attribute when it cannot be expressed.
pub fn request(
    project: &Project,
    settings: &Settings,
    create: &Create,
    resolved: &Resolved,
) -> Result<CreateRequest, PlanError> {
    let service = reference::resolve(&create.service, &resolved.ids);
    let config_hash = hash::service(&service);
    let part = Part {
        project,
        settings,
        create,
        service: &service,
    };
    let endpoints = network::endpoints(&part);
    let mut body = config::body(&part, resolved);
    body.labels = Some(
        container_labels(&part, resolved, config_hash)
            .into_iter()
            .collect(),
    );
    let mut host = config::host(&part, resolved)?;
    host.network_mode = endpoints.mode;
    body.host_config = Some(host);
    body.networking_config = endpoints.in_create;
    Ok(CreateRequest {
        mac_address: network::single_mac_address(&part),
        body,
        platform: platform(project, &service),
        connect: endpoints.connect,
    })
}

/// What every part of the request is made from.
struct Part<'a> {
    project: &'a Project,
    settings: &'a Settings,
    create: &'a Create,
    /// The service with its references resolved.
    service: &'a Service,
}

/// The platform the service asks for, or the default of `DOCKER_DEFAULT_PLATFORM`.
pub fn platform(project: &Project, service: &Service) -> Option<String> {
    service
        .platform
        .clone()
        .or_else(|| project.environment.get("DOCKER_DEFAULT_PLATFORM").cloned())
        .filter(|platform| !platform.is_empty())
}

fn container_labels(
    part: &Part<'_>,
    resolved: &Resolved,
    config_hash: String,
) -> BTreeMap<String, String> {
    let create = part.create;
    let mut labels = labels::container(part.project, &create.service, create.one_off.is_some());
    let mut set = |key: &str, value: String| labels.insert(key.to_owned(), value);
    set(labels::CONFIG_HASH, config_hash);
    if let Some(id) = create.image_id.as_ref().or(resolved.image_id.as_ref()) {
        set(labels::IMAGE, id.clone());
    }
    if let Some(number) = create.number {
        set(labels::CONTAINER_NUMBER, number.to_string());
    }
    if let Some(replaced) = &create.replaces {
        set(labels::REPLACE, replaced.clone());
    }
    if let Some(one_off) = &create.one_off {
        set(labels::SLUG, one_off.slug.clone());
    }
    if let Some(hash) = &create.content_hash {
        set(labels::CONTENT_HASH, hash.clone());
    }
    labels
}
