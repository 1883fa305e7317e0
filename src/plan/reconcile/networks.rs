//! Networks that `up` needs.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::error::PlanError;
use super::super::observed::{Network, Observed};
use super::super::reason::Reason;
use super::super::step::{Action, Edge, StepId};
use super::super::{hash, labels, names};
use super::up::Planner;
use super::wanted::networks_to_make;
use crate::compose::model::{Network as Model, Service};
use crate::compose::{Diagnostic, Project};

/// What became of a network of the project.
#[derive(Debug, Clone, Default)]
pub(super) struct Planned {
    /// Its id, where it exists and stays.
    pub(super) id: Option<String>,
    /// The step that makes it.
    pub(super) step: Option<StepId>,
    /// Whether containers cannot be compared with it (a swarm network not seen yet).
    pub(super) unseen: bool,
}

impl Planner<'_> {
    /// Plans every network the services use, and others where all are asked for.
    pub(super) fn networks(&mut self) -> Result<(), PlanError> {
        let services = self.wanted.services.clone();
        for key in networks_to_make(self.project, &services, self.options) {
            let Some(model) = self.project.networks.get(key) else {
                continue;
            };
            let name = names::network(&self.project.name, key, model);
            let planned = if model.external {
                external(self.project, self.observed, key, &name)?
            } else {
                self.own_network(key, &name, model)?
            };
            self.networks.insert(key.to_owned(), planned);
        }
        Ok(())
    }

    fn own_network(&mut self, key: &str, name: &str, model: &Model) -> Result<Planned, PlanError> {
        let observed = self.observed;
        let Some(network) = observed.network(name) else {
            let step = self.create_network(key, name, Reason::Missing, Vec::new());
            return Ok(Planned {
                step: Some(step),
                ..Planned::default()
            });
        };
        self.check_owner(key, network)?;
        let actual = network.labels.get(labels::CONFIG_HASH).map(String::as_str);
        match actual {
            Some(actual) if !actual.is_empty() && actual != hash::network(model) => {
                let step = self.replace_network(key, network);
                Ok(Planned {
                    step: Some(step),
                    ..Planned::default()
                })
            }
            _ => Ok(Planned {
                id: Some(network.id.clone()),
                ..Planned::default()
            }),
        }
    }

    fn check_owner(&mut self, key: &str, network: &Network) -> Result<(), PlanError> {
        let name = &network.name;
        let span = self.project.span_of(&["networks", key]);
        let help = "set external: true to use an existing network";
        let owner = network.labels.get(labels::PROJECT);
        let complaint = match owner {
            None => Some(format!(
                "a network with name {name} exists but was not created by compose"
            )),
            Some(owner) if *owner != self.project.name => Some(format!(
                "a network with name {name} exists but was not created for project \"{}\"",
                self.project.name
            )),
            Some(_) => None,
        };
        if let Some(message) = complaint {
            self.plan
                .warnings
                .push(Diagnostic::warning(message).at(span).help(help));
        }
        let actual = network
            .labels
            .get(labels::NETWORK)
            .map_or("", String::as_str);
        if actual == key {
            return Ok(());
        }
        Err(Diagnostic::error(format!(
            "network {name} was found but has incorrect label {} set to \"{actual}\" (expected: \"{key}\")",
            labels::NETWORK
        ))
        .at(span)
        .help(help)
        .into())
    }

    fn create_network(
        &mut self,
        key: &str,
        name: &str,
        reason: Reason,
        after: Vec<Edge>,
    ) -> StepId {
        let action = Action::CreateNetwork {
            key: key.to_owned(),
            name: name.to_owned(),
        };
        self.plan.push(action, reason, after)
    }

    /// Stops the containers on it, detaches them, makes it anew and attaches them again.
    fn replace_network(&mut self, key: &str, network: &Network) -> StepId {
        let services: Vec<String> = self
            .wanted
            .services
            .values()
            .filter(|service| service.networks.contains_key(key))
            .map(|service| service.name.clone())
            .collect();
        let stops = self.stop_services(&services, &Reason::Diverged);
        let mut detached = Vec::new();
        let mut attached = Vec::new();
        for service in &services {
            for (index, current) in self.current.get(service).into_iter().flatten().enumerate() {
                let attachments = &current.container.networks;
                let is_on = attachments.iter().any(|attachment| {
                    attachment.id == network.id || attachment.name == network.name
                });
                if is_on {
                    attached.push((service.clone(), index));
                }
            }
        }
        for (service, index) in &attached {
            let current = &self.current[service][*index];
            let action = Action::Disconnect {
                network: network.id.clone(),
                name: network.name.clone(),
                container: current.reference(),
            };
            detached.push(self.plan.push(action, Reason::Diverged, current.edges()));
        }
        let before = stops.into_iter().chain(detached).map(Edge::required);
        let remove = Action::RemoveNetwork {
            id: network.id.clone(),
            name: network.name.clone(),
            required: true,
        };
        let removed = self.plan.push(remove, Reason::Diverged, before.collect());
        let created = self.create_network(
            key,
            &network.name,
            Reason::Diverged,
            vec![Edge::required(removed)],
        );
        self.reattach(key, &network.name, &attached, created);
        created
    }

    fn reattach(
        &mut self,
        key: &str,
        network: &str,
        attached: &[(String, usize)],
        created: StepId,
    ) {
        for (service, index) in attached {
            let Some(model) = self.wanted.services.get(service).map(Arc::clone) else {
                continue;
            };
            let current = &self.current[service][*index];
            let action = Action::Connect {
                network: network.to_owned(),
                key: key.to_owned(),
                container: current.reference(),
                service: model,
                number: current.number(),
            };
            let step = self
                .plan
                .push(action, Reason::Diverged, vec![Edge::required(created)]);
            if let Some(current) = self
                .current
                .get_mut(service)
                .and_then(|containers| containers.get_mut(*index))
            {
                current.after.push(step);
            }
        }
    }

    /// Steps that make the networks of a service.
    pub(super) fn network_edges(&self, service: &Service) -> Vec<Edge> {
        service
            .networks
            .keys()
            .filter_map(|key| self.networks.get(key)?.step)
            .map(Edge::required)
            .collect()
    }
}

fn external(
    project: &Project,
    observed: &Observed,
    key: &str,
    name: &str,
) -> Result<Planned, PlanError> {
    let mut found: Vec<&Network> = observed
        .networks
        .iter()
        .filter(|network| network.name == name)
        .collect();
    if found.is_empty() {
        found.extend(observed.networks.iter().find(|network| network.id == name));
    }
    let fail = |message: String, help: &str| {
        Err(Diagnostic::error(message)
            .at(project.span_of(&["networks", key]))
            .help(help)
            .into())
    };
    match found.as_slice() {
        [one] => Ok(Planned {
            id: Some(one.id.clone()),
            ..Planned::default()
        }),
        [] if observed.swarm => Ok(Planned {
            unseen: true,
            ..Planned::default()
        }),
        [] => fail(
            format!("network {name} declared as external, but could not be found"),
            "create it first, or leave out external: true",
        ),
        _ => fail(
            format!("multiple networks with name \"{name}\" were found"),
            "use the network's id as name",
        ),
    }
}

/// Whether a container is on the network with this id.
pub(super) fn is_attached(container: &super::super::observed::Container, id: &str) -> bool {
    container.networks.iter().any(|network| network.id == id)
}

/// Networks by key.
pub(super) type Networks = BTreeMap<String, Planned>;
