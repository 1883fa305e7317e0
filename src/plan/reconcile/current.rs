//! The containers of the services as the steps planned so far leave them.

use std::collections::BTreeMap;

use super::super::labels;
use super::super::observed::{Container, Observed, State};
use super::super::step::{ContainerRef, Edge, Origin, StepId};
use super::scope::service_name;

/// One existing container, and the steps already planned for it.
#[derive(Debug, Clone)]
pub(super) struct Current<'a> {
    pub(super) container: &'a Container,
    /// Whether it runs after the steps planned so far.
    pub(super) running: bool,
    /// Steps that touch it.
    pub(super) after: Vec<StepId>,
}

impl Current<'_> {
    pub(super) fn reference(&self) -> ContainerRef {
        existing(self.container)
    }

    pub(super) fn number(&self) -> u32 {
        number(self.container)
    }

    pub(super) fn edges(&self) -> Vec<Edge> {
        self.after.iter().copied().map(Edge::required).collect()
    }
}

/// A reference to an existing container.
pub(super) fn existing(container: &Container) -> ContainerRef {
    ContainerRef {
        name: container.name.clone(),
        service: service_name(container),
        origin: Origin::Existing(container.id.clone()),
    }
}

/// The container's number; 0 where it has none.
pub(super) fn number(container: &Container) -> u32 {
    container
        .label(labels::CONTAINER_NUMBER)
        .parse()
        .unwrap_or_default()
}

/// Whether it was made by `run`.
pub(super) fn is_one_off(container: &Container) -> bool {
    container.label(labels::ONE_OFF) == "True"
}

/// The containers of each service, one-offs left out, sorted by number.
pub(super) fn by_service(observed: &Observed) -> BTreeMap<String, Vec<Current<'_>>> {
    let mut services: BTreeMap<String, Vec<Current<'_>>> = BTreeMap::new();
    for container in &observed.containers {
        if is_one_off(container) {
            continue;
        }
        services
            .entry(service_name(container))
            .or_default()
            .push(Current {
                container,
                running: container.state == State::Running,
                after: Vec::new(),
            });
    }
    for containers in services.values_mut() {
        containers.sort_by_key(|current| (current.number(), current.container.created));
    }
    services
}
