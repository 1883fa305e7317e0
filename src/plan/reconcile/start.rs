//! The second pass: waits and starts in dependency order.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::error::PlanError;
use super::super::graph::Graph;
use super::super::inject;
use super::super::names;
use super::super::reason::Reason;
use super::super::step::{Action, Edge, Origin, Start, StepId, Until, Wait};
use super::up::{Planner, Settled};
use crate::compose::Diagnostic;
use crate::compose::model::{Condition, Dependency, Service};

/// Starts of each service, and the waits on them.
#[derive(Debug, Default)]
pub(super) struct Started {
    /// The steps after which the containers of a service have been started.
    starts: BTreeMap<String, Vec<StepId>>,
    waits: BTreeMap<(String, Condition), StepId>,
}

impl Planner<'_> {
    /// Plans the waits and starts of all services.
    pub(super) fn start_all(&mut self) -> Result<Started, PlanError> {
        let services = self.wanted.services.clone();
        let graph = Graph::new(&services)?;
        let mut started = Started::default();
        for name in graph.order() {
            if let Some(service) = services.get(*name) {
                self.start_service(service, &services, &mut started)?;
            }
        }
        Ok(started)
    }

    fn start_service(
        &mut self,
        service: &Arc<Service>,
        services: &BTreeMap<String, Arc<Service>>,
        started: &mut Started,
    ) -> Result<(), PlanError> {
        let settled = self.settled.get(&service.name).cloned().unwrap_or_default();
        let mut after: Vec<Edge> = self.plan.created.map(Edge::required).into_iter().collect();
        after.extend(self.dependency_edges(service, services, started)?);
        let pending: Vec<&Settled> = settled.iter().filter(|settled| !settled.running).collect();
        let hooks = self.pre_start(service, &pending, &after);
        let mut steps = Vec::new();
        for settled in &pending {
            let mut after = after.clone();
            after.extend(settled.after.iter().copied().map(Edge::required));
            after.extend(hooks.for_container(&settled.reference.name));
            let reason = start_reason(service, settled, services);
            let start = Start {
                container: settled.reference.clone(),
                inject: inject::injections(self.project, service),
                post_start: service.post_start.clone(),
                service: Some(Arc::clone(service)),
            };
            steps.push(self.plan.push(Action::Start(start), reason, after));
        }
        let kept = settled.iter().filter(|settled| settled.running);
        steps.extend(kept.flat_map(|settled| settled.after.iter().copied()));
        started.starts.insert(service.name.clone(), steps);
        Ok(())
    }

    /// What the starts of a service come after because of its dependencies.
    pub(super) fn dependency_edges(
        &mut self,
        service: &Service,
        services: &BTreeMap<String, Arc<Service>>,
        started: &mut Started,
    ) -> Result<Vec<Edge>, PlanError> {
        let mut edges = Vec::new();
        for (name, dependency) in &service.depends_on {
            let Some(target) = services.get(name) else {
                continue;
            };
            let steps = if dependency.condition == Condition::Started || target.replicas() == 0 {
                started.starts.get(name).cloned().unwrap_or_default()
            } else {
                self.check_condition(service, target, dependency)?;
                vec![self.wait(service, target, dependency.condition, started)]
            };
            edges.extend(steps.into_iter().map(|step| Edge {
                step,
                required: dependency.required,
            }));
        }
        Ok(edges)
    }

    /// Waiting for the health of a container without a healthcheck cannot succeed.
    fn check_condition(
        &self,
        service: &Service,
        target: &Service,
        dependency: &Dependency,
    ) -> Result<(), PlanError> {
        if dependency.condition != Condition::Healthy
            || !dependency.required
            || self.settings.strict
        {
            return Ok(());
        }
        let image = names::image(&self.project.name, target, self.settings.separator);
        let image_has_none = self
            .observed
            .images
            .get(&image)
            .is_some_and(|image| !image.healthcheck);
        let has_none = match &target.healthcheck {
            Some(check) => {
                check.disable || (check.test.is_empty() && image_has_none) || is_none(&check.test)
            }
            None => image_has_none,
        };
        if !has_none {
            return Ok(());
        }
        let path = ["services", &service.name, "depends_on", &target.name];
        Err(Diagnostic::error(format!(
            "service \"{}\" waits for \"{}\" to be healthy, but \"{}\" has no healthcheck configured",
            service.name, target.name, target.name
        ))
        .at(self.project.span_of(&path))
        .help("give it a healthcheck, or depend on service_started")
        .into())
    }

    /// The step that waits for a condition; all dependents share it.
    fn wait(
        &mut self,
        dependent: &Service,
        target: &Service,
        condition: Condition,
        started: &mut Started,
    ) -> StepId {
        let key = (target.name.clone(), condition);
        if let Some(step) = started.waits.get(&key) {
            let step = *step;
            self.add_dependent(step, &dependent.name);
            return step;
        }
        let settled = self.settled.get(&target.name).cloned().unwrap_or_default();
        let until = match condition {
            Condition::CompletedSuccessfully => Until::CompletedSuccessfully,
            Condition::Healthy | Condition::Started => Until::Healthy,
        };
        let satisfied = until == Until::Healthy && settled.iter().all(|settled| settled.healthy);
        let wait = Wait {
            service: target.name.clone(),
            until,
            containers: settled
                .into_iter()
                .map(|settled| settled.reference)
                .collect(),
            dependents: vec![dependent.name.clone()],
            timeout: self.options.wait_timeout,
            satisfied,
        };
        let after = edges(&started.starts, &target.name);
        let reason = Reason::NeededBy(wait.dependents.clone());
        let step = self.plan.push(Action::Wait(wait), reason, after);
        started.waits.insert(key, step);
        step
    }

    fn add_dependent(&mut self, step: StepId, dependent: &str) {
        let step = &mut self.plan.steps[step.0];
        if let Action::Wait(wait) = &mut step.action {
            wait.dependents.push(dependent.to_owned());
            step.reason = Reason::NeededBy(wait.dependents.clone());
        }
    }

    /// Plans what `--wait` waits for.
    pub(super) fn final_waits(&mut self, started: &Started) {
        let services = self.wanted.services.clone();
        let starts = started.starts.values().flatten().copied();
        let all = self.plan.push(
            Action::Started,
            Reason::Requested,
            starts.map(Edge::required).collect(),
        );
        for (name, service) in &services {
            if service.replicas() == 0 {
                continue;
            }
            let completes = services.values().any(|other| {
                other.depends_on.get(name).is_some_and(|dependency| {
                    dependency.condition == Condition::CompletedSuccessfully
                })
            });
            let until = if completes {
                Until::CompletedSuccessfully
            } else {
                Until::RunningOrHealthy {
                    exited_zero: !self.settings.strict,
                }
            };
            let settled = self.settled.get(name).cloned().unwrap_or_default();
            let satisfied = !completes && settled.iter().all(|settled| settled.healthy);
            let wait = Wait {
                service: name.clone(),
                until,
                containers: settled
                    .into_iter()
                    .map(|settled| settled.reference)
                    .collect(),
                dependents: Vec::new(),
                timeout: self.options.wait_timeout,
                satisfied,
            };
            let after = vec![Edge::required(all)];
            self.plan.push(Action::Wait(wait), Reason::Requested, after);
        }
    }

    /// Hooks that run before the containers, one after another.
    fn pre_start(&mut self, service: &Arc<Service>, pending: &[&Settled], after: &[Edge]) -> Hooks {
        let mut hooks = Hooks::default();
        let Some(first) = pending.first() else {
            return hooks;
        };
        let mut previous: Option<StepId> = None;
        for (index, hook) in service.pre_start.iter().enumerate() {
            let targets: &[&Settled] = if hook.per_replica {
                pending
            } else {
                std::slice::from_ref(first)
            };
            for settled in targets {
                let mut before = after.to_vec();
                before.extend(settled.after.iter().copied().map(Edge::required));
                before.extend(previous.map(Edge::required));
                before.extend(hooks.for_container(&settled.reference.name));
                let action = Action::PreStart {
                    service: Arc::clone(service),
                    hook: index,
                    container: settled.reference.clone(),
                };
                let step = self.plan.push(action, Reason::Requested, before);
                if hook.per_replica {
                    let own = hooks.own.entry(settled.reference.name.clone());
                    own.or_default().push(step);
                } else {
                    hooks.shared.push(step);
                    previous = Some(step);
                }
            }
        }
        hooks
    }
}

/// Steps of `pre_start` hooks that starts come after.
#[derive(Debug, Default)]
struct Hooks {
    /// For all containers of the service.
    shared: Vec<StepId>,
    /// For one container, keyed by its name.
    own: BTreeMap<String, Vec<StepId>>,
}

impl Hooks {
    fn for_container(&self, name: &str) -> Vec<Edge> {
        let own = self.own.get(name).into_iter().flatten();
        self.shared
            .iter()
            .chain(own)
            .copied()
            .map(Edge::required)
            .collect()
    }
}

fn start_reason(
    service: &Service,
    settled: &Settled,
    services: &BTreeMap<String, Arc<Service>>,
) -> Reason {
    if let Some(cause) = &settled.cause {
        return cause.clone();
    }
    if matches!(settled.reference.origin, Origin::Created(_)) {
        return Reason::Created;
    }
    let awaited = services.values().any(|other| {
        other
            .depends_on
            .get(&service.name)
            .is_some_and(|dependency| dependency.condition == Condition::CompletedSuccessfully)
    });
    if settled.exited && awaited {
        Reason::RunAgain
    } else {
        Reason::NotRunning
    }
}

fn edges(starts: &BTreeMap<String, Vec<StepId>>, service: &str) -> Vec<Edge> {
    let steps = starts.get(service).into_iter().flatten();
    steps.copied().map(Edge::required).collect()
}

fn is_none(test: &[String]) -> bool {
    test.first().is_some_and(|first| first == "NONE")
}
