//! Volumes that `up` needs.

use super::super::error::PlanError;
use super::super::observed::{Observed, Volume};
use super::super::reason::Reason;
use super::super::step::{Action, Edge, StepId};
use super::super::{hash, labels, names};
use super::up::Planner;
use super::wanted::{volume_keys, volumes_to_make};
use crate::compose::model::{Service, Volume as Model};
use crate::compose::{Diagnostic, Project};

/// A volume whose configuration differs from the one it was made with. Recreating it loses its
/// data, so somebody must agree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DivergedVolume {
    /// Key in `volumes`.
    pub key: String,
    /// Name on the engine.
    pub name: String,
}

/// The project's volumes that exist with another configuration. The keys of those that may be
/// recreated go into [`Up::recreate_volumes`](super::super::options::Up::recreate_volumes).
pub fn diverged_volumes(project: &Project, observed: &Observed) -> Vec<DivergedVolume> {
    project
        .volumes
        .iter()
        .filter(|(_, model)| !model.external)
        .filter_map(|(key, model)| {
            let name = names::volume(&project.name, key, model);
            let volume = observed.volume(&name)?;
            is_diverged(volume, model).then(|| DivergedVolume {
                key: key.clone(),
                name,
            })
        })
        .collect()
}

fn is_diverged(volume: &Volume, model: &Model) -> bool {
    volume
        .labels
        .get(labels::CONFIG_HASH)
        .is_some_and(|actual| *actual != hash::volume(model))
}

impl Planner<'_> {
    /// Plans every volume the services use, and others where all are asked for.
    pub(super) fn volumes(&mut self) -> Result<(), PlanError> {
        let project = self.project;
        let services = self.wanted.services.clone();
        for key in volumes_to_make(project, &services, self.options) {
            let Some(model) = project.volumes.get(key) else {
                continue;
            };
            let name = names::volume(&project.name, key, model);
            match self.observed.volume(&name) {
                None if model.external => return Err(missing(project, key, &name)),
                None => self.create_volume(key, &name, Reason::Missing, Vec::new()),
                Some(_) if model.external => {}
                Some(volume) => self.existing_volume(key, volume, model),
            }
        }
        Ok(())
    }

    fn existing_volume(&mut self, key: &str, volume: &Volume, model: &Model) {
        let name = &volume.name;
        let owner = volume.labels.get(labels::PROJECT);
        let complaint = match owner {
            None => Some(format!(
                "volume \"{name}\" already exists but was not created by compose"
            )),
            Some(owner) if *owner != self.project.name => Some(format!(
                "volume \"{name}\" already exists but was created for project \"{owner}\" (expected \"{}\")",
                self.project.name
            )),
            Some(_) => None,
        };
        if let Some(message) = complaint {
            let warning = Diagnostic::warning(message)
                .at(self.project.span_of(&["volumes", key]))
                .help("set external: true to use an existing volume");
            self.plan.warnings.push(warning);
        }
        if is_diverged(volume, model) && self.options.recreate_volumes.contains(key) {
            self.replace_volume(key, name);
        }
    }

    fn create_volume(&mut self, key: &str, name: &str, reason: Reason, after: Vec<Edge>) {
        let action = Action::CreateVolume {
            key: key.to_owned(),
            name: name.to_owned(),
        };
        let step = self.plan.push(action, reason, after);
        self.volumes.insert(key.to_owned(), step);
    }

    /// Removes the containers that mount it, then makes it anew.
    fn replace_volume(&mut self, key: &str, name: &str) {
        let services: Vec<String> = self
            .wanted
            .services
            .values()
            .filter(|service| volume_keys(service).any(|used| used == key))
            .map(|service| service.name.clone())
            .collect();
        self.stop_services(&services, &Reason::Diverged);
        let mut removed: Vec<Edge> = Vec::new();
        for service in &services {
            for current in self.current.remove(service).into_iter().flatten() {
                let action = Action::Remove {
                    container: current.reference(),
                    volumes: false,
                    force: false,
                };
                let step = self.plan.push(action, Reason::Diverged, current.edges());
                self.freed.insert(current.container.name.clone(), step);
                removed.push(Edge::required(step));
            }
        }
        let action = Action::RemoveVolume {
            name: name.to_owned(),
            required: true,
        };
        let step = self.plan.push(action, Reason::Diverged, removed);
        self.create_volume(key, name, Reason::Diverged, vec![Edge::required(step)]);
    }

    /// Steps that make the volumes of a service.
    pub(super) fn volume_edges(&self, service: &Service) -> Vec<Edge> {
        let steps = volume_keys(service).filter_map(|key| self.volumes.get(key));
        let mut steps: Vec<StepId> = steps.copied().collect();
        steps.sort_unstable();
        steps.dedup();
        steps.into_iter().map(Edge::required).collect()
    }
}

fn missing(project: &Project, key: &str, name: &str) -> PlanError {
    Diagnostic::error(format!("external volume \"{name}\" not found"))
        .at(project.span_of(&["volumes", key]))
        .help("create it first, or leave out external: true")
        .into()
}
