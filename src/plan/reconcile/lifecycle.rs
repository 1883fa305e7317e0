//! `stop`, `start`, `restart`, `kill`, `rm`, `pause` and `unpause`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::super::error::PlanError;
use super::super::graph::Graph;
use super::super::inject;
use super::super::observed::{Container, Health, Observed, State};
use super::super::options::{Kill, Remove, Restart, Settings, Start, Stop};
use super::super::reason::Reason;
use super::super::step::{self, Action, ContainerRef, Edge, Plan, StepId, Until, Wait};
use super::current::{existing, is_one_off};
use super::scope::{Scope, service_name};
use crate::compose::Project;
use crate::compose::model::{Condition, Service};

/// Whether a stop would do something.
pub(super) fn may_run(container: &Container) -> bool {
    matches!(
        container.state,
        State::Running | State::Paused | State::Restarting
    )
}

/// Stops a container with the hooks of its service.
pub(super) fn stop_action(
    container: ContainerRef,
    service: Option<&Arc<Service>>,
    timeout: Option<i64>,
) -> step::Stop {
    step::Stop {
        container,
        timeout,
        pre_stop: service.map_or_else(Vec::new, |service| service.pre_stop.clone()),
        service: service.map(Arc::clone),
    }
}

/// The containers of a service, without one-offs, by name.
pub(super) fn containers_of<'a>(observed: &'a Observed, service: &str) -> Vec<&'a Container> {
    let mut found: Vec<&Container> = observed
        .containers
        .iter()
        .filter(|container| !is_one_off(container) && service_name(container) == service)
        .collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

/// Stops the containers of the services, dependents first.
pub fn stop(scope: &Scope, observed: &Observed, options: &Stop) -> Result<Plan, PlanError> {
    let mut plan = Plan::default();
    let services = scope.select(&options.services)?;
    let selected: BTreeSet<&str> = services.iter().map(String::as_str).collect();
    let graph = Graph::new(&scope.services)?;
    let mut steps = Ordered::default();
    for name in graph.order().iter().rev() {
        if !selected.contains(name) {
            continue;
        }
        let after = steps.after_dependents(&graph, name);
        for container in containers_of(observed, name) {
            // One that has ended is stopped all the same: the engine does nothing, and people
            // see that it is stopped.
            let model = scope.services.get(*name).filter(|_| may_run(container));
            let stop = stop_action(existing(container), model, options.timeout);
            let step = plan.push(Action::Stop(stop), Reason::Requested, after.clone());
            steps.add(name, step);
        }
    }
    Ok(plan)
}

/// Steps of each service, for edges along the graph.
#[derive(Debug, Default)]
pub(super) struct Ordered {
    steps: BTreeMap<String, Vec<StepId>>,
}

impl Ordered {
    pub(super) fn add(&mut self, service: &str, step: StepId) {
        self.steps.entry(service.to_owned()).or_default().push(step);
    }

    /// Edges to the steps of all dependents, also across services without steps.
    pub(super) fn after_dependents(&self, graph: &Graph<'_>, service: &str) -> Vec<Edge> {
        self.nearest(service, |name| graph.dependents(name))
    }

    /// Edges to the steps of all dependencies, also across services without steps.
    pub(super) fn after_dependencies(&self, graph: &Graph<'_>, service: &str) -> Vec<Edge> {
        self.nearest(service, |name| graph.dependencies(name))
    }

    fn nearest<'g>(&self, service: &str, neighbours: impl Fn(&str) -> Vec<&'g str>) -> Vec<Edge> {
        let mut found = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut todo = neighbours(service);
        while let Some(name) = todo.pop() {
            if !seen.insert(name) {
                continue;
            }
            match self.steps.get(name) {
                Some(steps) => found.extend(steps.iter().copied()),
                None => todo.extend(neighbours(name)),
            }
        }
        found.into_iter().map(Edge::required).collect()
    }
}

/// Starts the containers that exist, in dependency order and with the waits of `depends_on`.
///
/// `project` is the loaded project, if there are files: its configs, secrets and hooks apply.
pub fn start(
    scope: &Scope,
    project: Option<&Project>,
    observed: &Observed,
    settings: &Settings,
    options: &Start,
) -> Result<Plan, PlanError> {
    if let Some(name) = options
        .services
        .iter()
        .find(|name| !scope.services.contains_key(*name))
    {
        return Err(scope.no_such_service(name));
    }
    if scope.services.is_empty() && !scope.from_files {
        return Err(PlanError::new(format!(
            "no container found for project \"{}\"",
            scope.name
        )));
    }
    let graph = Graph::new(&scope.services)?;
    let selected = if options.services.is_empty() {
        graph.order().iter().copied().collect()
    } else {
        graph.with_dependencies(options.services.iter().map(String::as_str))
    };
    let mut starter = Starter {
        scope,
        wait_timeout: options.wait_timeout,
        project,
        observed,
        plan: Plan::default(),
        steps: Ordered::default(),
        waits: BTreeMap::new(),
    };
    let order: Vec<&str> = graph
        .order()
        .iter()
        .copied()
        .filter(|name| selected.contains(name))
        .collect();
    for name in &order {
        starter.service(name, &graph)?;
    }
    if options.wait {
        for name in &order {
            starter.wait_ready(name, settings);
        }
    }
    Ok(starter.plan)
}

struct Starter<'a> {
    scope: &'a Scope,
    wait_timeout: Option<u64>,
    project: Option<&'a Project>,
    observed: &'a Observed,
    plan: Plan,
    steps: Ordered,
    waits: BTreeMap<(String, Condition), StepId>,
}

impl Starter<'_> {
    fn service(&mut self, name: &str, graph: &Graph<'_>) -> Result<(), PlanError> {
        let Some(service) = self.scope.services.get(name).map(Arc::clone) else {
            return Ok(());
        };
        let containers = containers_of(self.observed, name);
        if containers.is_empty() {
            // docker compose misses containers only where the project has none at all.
            if service.replicas() == 0 || !self.observed.containers.is_empty() {
                return Ok(());
            }
            return Err(PlanError::new(format!(
                "service \"{name}\" has no container to start"
            )));
        }
        let mut after = self.steps.after_dependencies(graph, name);
        after.extend(self.waits(&service));
        for container in containers {
            if container.is_running() {
                continue;
            }
            let start = step::Start {
                container: existing(container),
                inject: self
                    .project
                    .map_or_else(Vec::new, |project| inject::injections(project, &service)),
                post_start: service.post_start.clone(),
                service: self.project.map(|_| Arc::clone(&service)),
            };
            let step = self
                .plan
                .push(Action::Start(start), Reason::NotRunning, after.clone());
            self.steps.add(name, step);
        }
        Ok(())
    }

    fn waits(&mut self, service: &Service) -> Vec<Edge> {
        let mut edges = Vec::new();
        for (name, dependency) in &service.depends_on {
            let exists = self
                .scope
                .services
                .get(name)
                .is_some_and(|target| target.replicas() > 0);
            if dependency.condition == Condition::Started || !exists {
                continue;
            }
            let until = match dependency.condition {
                Condition::CompletedSuccessfully => Until::CompletedSuccessfully,
                Condition::Healthy | Condition::Started => Until::Healthy,
            };
            let key = (name.clone(), dependency.condition);
            let step = match self.waits.get(&key) {
                Some(step) => *step,
                None => self.wait(name, until, vec![service.name.clone()], self.wait_timeout),
            };
            self.waits.insert(key, step);
            edges.push(Edge {
                step,
                required: dependency.required,
            });
        }
        edges
    }

    fn wait(
        &mut self,
        name: &str,
        until: Until,
        dependents: Vec<String>,
        timeout: Option<u64>,
    ) -> StepId {
        let containers = containers_of(self.observed, name);
        let satisfied = until == Until::Healthy
            && containers
                .iter()
                .all(|container| container.is_running() && container.health == Health::Healthy);
        let reason = if dependents.is_empty() {
            Reason::Requested
        } else {
            Reason::NeededBy(dependents.clone())
        };
        let wait = Wait {
            service: name.to_owned(),
            until,
            containers: containers.into_iter().map(existing).collect(),
            dependents,
            timeout,
            satisfied,
        };
        let steps = self.steps.steps.get(name).into_iter().flatten();
        let after = steps.copied().map(Edge::required).collect();
        self.plan.push(Action::Wait(wait), reason, after)
    }

    fn wait_ready(&mut self, name: &str, settings: &Settings) {
        let completes = self.scope.services.values().any(|other| {
            other
                .depends_on
                .get(name)
                .is_some_and(|dependency| dependency.condition == Condition::CompletedSuccessfully)
        });
        let until = if completes {
            Until::CompletedSuccessfully
        } else {
            Until::RunningOrHealthy {
                exited_zero: !settings.strict,
            }
        };
        self.wait(name, until, Vec::new(), self.wait_timeout);
    }
}

/// Restarts the services in dependency order, and after them the dependents that ask for it.
pub fn restart(scope: &Scope, observed: &Observed, options: &Restart) -> Result<Plan, PlanError> {
    let known = |name: &&String| scope.services.contains_key(*name);
    if let Some(name) = options.services.iter().find(|name| !known(name)) {
        return Err(scope.no_such_service(name));
    }
    let named = scope.select(&options.services)?;
    // Only dependencies that say `restart: true` matter here.
    let services: BTreeMap<String, Arc<Service>> = scope
        .services
        .iter()
        .filter(|(name, _)| !options.no_deps || named.contains(*name))
        .map(|(name, service)| {
            let mut service = Service::clone(service);
            service
                .depends_on
                .retain(|_, dependency| dependency.restart);
            (name.clone(), Arc::new(service))
        })
        .collect();
    let graph = Graph::new(&services)?;
    let selected = if options.no_deps {
        named.iter().map(String::as_str).collect()
    } else {
        graph.with_dependents(named.iter().map(String::as_str))
    };
    let mut restarter = Restarter {
        observed,
        timeout: options.timeout,
        plan: Plan::default(),
        steps: Ordered::default(),
        waits: BTreeMap::new(),
    };
    for name in graph.order().iter().filter(|name| selected.contains(*name)) {
        let Some(service) = services.get(*name) else {
            continue;
        };
        let reason = if named.iter().any(|other| other == name) {
            Reason::Requested
        } else {
            let dependency = service.depends_on.keys().next().cloned();
            Reason::DependencyChanged(dependency.unwrap_or_default())
        };
        restarter.service(scope, service, &graph, &selected, reason);
    }
    Ok(restarter.plan)
}

struct Restarter<'a> {
    observed: &'a Observed,
    timeout: Option<i64>,
    plan: Plan,
    steps: Ordered,
    waits: BTreeMap<(String, Condition), StepId>,
}

impl Restarter<'_> {
    fn service(
        &mut self,
        scope: &Scope,
        service: &Service,
        graph: &Graph<'_>,
        selected: &BTreeSet<&str>,
        reason: Reason,
    ) {
        let mut after = self.steps.after_dependencies(graph, &service.name);
        after.extend(self.waits(service, selected));
        let model = scope.services.get(&service.name);
        for container in containers_of(self.observed, &service.name) {
            let action = Action::Restart {
                stop: stop_action(existing(container), model, self.timeout),
                post_start: service.post_start.clone(),
            };
            let step = self.plan.push(action, reason.clone(), after.clone());
            self.steps.add(&service.name, step);
        }
    }

    fn waits(&mut self, service: &Service, selected: &BTreeSet<&str>) -> Vec<Edge> {
        let mut edges = Vec::new();
        for (name, dependency) in &service.depends_on {
            if !selected.contains(name.as_str()) || dependency.condition == Condition::Started {
                continue;
            }
            let containers = containers_of(self.observed, name);
            if containers.is_empty() {
                continue;
            }
            let key = (name.clone(), dependency.condition);
            let known = self.waits.get(&key).copied();
            let step = known.unwrap_or_else(|| {
                let wait = Wait {
                    service: name.clone(),
                    until: match dependency.condition {
                        Condition::CompletedSuccessfully => Until::CompletedSuccessfully,
                        Condition::Healthy | Condition::Started => Until::Healthy,
                    },
                    containers: containers.into_iter().map(existing).collect(),
                    dependents: vec![service.name.clone()],
                    timeout: None,
                    satisfied: false,
                };
                let steps = self.steps.steps.get(name).into_iter().flatten();
                let after = steps.copied().map(Edge::required).collect();
                let reason = Reason::NeededBy(wait.dependents.clone());
                self.plan.push(Action::Wait(wait), reason, after)
            });
            self.waits.insert(key, step);
            edges.push(Edge {
                step,
                required: dependency.required,
            });
        }
        edges
    }
}

/// Sends a signal to the containers of the services, one-offs included.
pub fn kill(scope: &Scope, observed: &Observed, options: &Kill) -> Plan {
    let mut plan = Plan::default();
    for container in &observed.containers {
        let service = service_name(container);
        let named = options.services.is_empty() || options.services.contains(&service);
        let known = options.remove_orphans || scope.services.contains_key(&service);
        if named && known && (options.all || may_run(container)) {
            let action = Action::Kill {
                container: existing(container),
                signal: options.signal.clone(),
            };
            plan.push(action, Reason::Requested, Vec::new());
        }
    }
    plan
}

/// Removes stopped containers of the services; with `stop` also those it stops first.
pub fn remove(scope: &Scope, observed: &Observed, options: &Remove) -> Result<Plan, PlanError> {
    let services = scope.select(&options.services)?;
    let mut plan = Plan::default();
    let mut stopped: BTreeMap<String, StepId> = BTreeMap::new();
    if options.stop {
        let stop_options = Stop {
            services: options.services.clone(),
            timeout: None,
        };
        plan = stop(scope, observed, &stop_options)?;
        for (index, step) in plan.steps.iter().enumerate() {
            if let Action::Stop(stop) = &step.action {
                stopped.insert(stop.container.name.clone(), StepId(index));
            }
        }
    }
    for service in &services {
        for container in containers_of(observed, service) {
            let stop = stopped.get(&container.name);
            // A paused container counts as running for the engine.
            if may_run(container) && stop.is_none() {
                continue;
            }
            let action = Action::Remove {
                container: existing(container),
                volumes: options.volumes,
                force: options.force,
            };
            let after = stop.copied().map(Edge::required).into_iter().collect();
            plan.push(action, Reason::Requested, after);
        }
    }
    Ok(plan)
}

/// Freezes the running containers of the services.
pub fn pause(scope: &Scope, observed: &Observed, services: &[String]) -> Result<Plan, PlanError> {
    each(scope, observed, services, |container, reference| {
        may_run(container).then_some(Action::Pause {
            container: reference,
        })
    })
}

/// Unfreezes the containers of the services.
pub fn unpause(scope: &Scope, observed: &Observed, services: &[String]) -> Result<Plan, PlanError> {
    each(scope, observed, services, |container, reference| {
        may_run(container).then_some(Action::Unpause {
            container: reference,
        })
    })
}

fn each(
    scope: &Scope,
    observed: &Observed,
    services: &[String],
    action: impl Fn(&Container, ContainerRef) -> Option<Action>,
) -> Result<Plan, PlanError> {
    let mut plan = Plan::default();
    for service in scope.select(services)? {
        for container in containers_of(observed, &service) {
            if let Some(action) = action(container, existing(container)) {
                plan.push(action, Reason::Requested, Vec::new());
            }
        }
    }
    Ok(plan)
}
