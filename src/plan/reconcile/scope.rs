//! What commands on existing containers work on: a loaded project, or what labels tell.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::error::PlanError;
use super::super::observed::Observed;
use super::super::{labels, names};
use crate::compose::model::Service;
use crate::compose::{Diagnostic, Project};

/// Services, networks and volumes of a project by name.
#[derive(Debug, Clone)]
pub struct Scope {
    /// The project's name.
    pub name: String,
    /// Services keyed by name.
    pub services: BTreeMap<String, Arc<Service>>,
    /// Services that are in the files but disabled by their profiles.
    pub disabled: Vec<String>,
    /// Names of networks keyed by their key in the file; no external ones.
    pub networks: BTreeMap<String, String>,
    /// Names of volumes keyed by their key in the file; no external ones.
    pub volumes: BTreeMap<String, String>,
    /// Whether it comes from compose files rather than from labels.
    pub from_files: bool,
    /// Folder of the project, where files were read.
    pub working_dir: Option<String>,
}

impl Scope {
    /// The scope of a loaded project.
    pub fn of(project: &Project) -> Self {
        let networks = project
            .networks
            .iter()
            .filter(|(_, network)| !network.external)
            .map(|(key, network)| (key.clone(), names::network(&project.name, key, network)));
        let volumes = project
            .volumes
            .iter()
            .filter(|(_, volume)| !volume.external)
            .map(|(key, volume)| (key.clone(), names::volume(&project.name, key, volume)));
        Self {
            name: project.name.clone(),
            services: project
                .services
                .iter()
                .map(|(name, service)| (name.clone(), Arc::new(service.clone())))
                .collect(),
            disabled: project.disabled_services.keys().cloned().collect(),
            networks: networks.collect(),
            volumes: volumes.collect(),
            from_files: true,
            working_dir: Some(project.working_dir.display().to_string()),
        }
    }

    /// The scope that the labels on the engine tell, for `-p` without files.
    pub fn observed(name: &str, observed: &Observed) -> Self {
        let mut services: BTreeMap<String, Service> = BTreeMap::new();
        for container in &observed.containers {
            if container.label(labels::ONE_OFF) == "True" {
                continue;
            }
            let service_name = service_name(container);
            let service = services.entry(service_name.clone()).or_insert(Service {
                name: service_name,
                image: Some(container.image.clone()),
                depends_on: labels::parse_depends_on(container.label(labels::DEPENDS_ON)),
                scale: Some(0),
                ..Service::default()
            });
            service.scale = service.scale.map(|scale| scale + 1);
        }
        let networks = observed
            .networks
            .iter()
            .map(|network| (&network.labels, &network.name, labels::NETWORK));
        let volumes = observed
            .volumes
            .iter()
            .map(|volume| (&volume.labels, &volume.name, labels::VOLUME));
        Self {
            name: name.to_owned(),
            services: services
                .into_iter()
                .map(|(name, service)| (name, Arc::new(service)))
                .collect(),
            disabled: Vec::new(),
            networks: labelled(name, networks),
            volumes: labelled(name, volumes),
            from_files: false,
            working_dir: None,
        }
    }

    /// The named services, all where none is named. A name that is not known is an error
    /// when there are files, and left out otherwise: its containers may just be gone.
    pub(super) fn select(&self, named: &[String]) -> Result<Vec<String>, PlanError> {
        if named.is_empty() {
            return Ok(self.services.keys().cloned().collect());
        }
        let (known, unknown): (Vec<&String>, Vec<&String>) = named
            .iter()
            .partition(|name| self.services.contains_key(*name));
        match unknown.first() {
            Some(name) if self.from_files => Err(self.no_such_service(name)),
            _ => Ok(known.into_iter().cloned().collect()),
        }
    }

    pub(super) fn no_such_service(&self, name: &str) -> PlanError {
        no_such_service(name, self.services.keys())
    }
}

/// An error that suggests the nearest known name.
pub(super) fn no_such_service<'a>(
    name: &str,
    known: impl IntoIterator<Item = &'a String>,
) -> PlanError {
    let nearest = known
        .into_iter()
        .map(|other| (strsim::damerau_levenshtein(name, other), other))
        .filter(|(distance, other)| *distance <= other.len().min(name.len()) / 2)
        .min();
    let mut diagnostic = Diagnostic::error(format!("no such service: {name}"));
    if let Some((_, other)) = nearest {
        diagnostic = diagnostic.help(format!("did you mean \"{other}\"?"));
    }
    diagnostic.into()
}

pub(super) fn service_name(container: &super::super::observed::Container) -> String {
    match container.label(labels::SERVICE) {
        "" => container.name.clone(),
        service => service.to_owned(),
    }
}

fn labelled<'a>(
    project: &str,
    objects: impl Iterator<Item = (&'a BTreeMap<String, String>, &'a String, &'static str)>,
) -> BTreeMap<String, String> {
    objects
        .filter(|(labels, _, _)| {
            labels
                .get(labels::PROJECT)
                .is_some_and(|name| name == project)
        })
        .filter_map(|(labels, name, key)| Some((labels.get(key)?.clone(), name.clone())))
        .collect()
}
