//! `up`, `create` and `scale`.

use std::collections::{BTreeMap, BTreeSet};

use super::super::error::PlanError;
use super::super::graph::Graph;
use super::super::observed::Observed;
use super::super::options::{Settings, Up};
use super::super::reason::Reason;
use super::super::step::{Action, ContainerRef, Edge, Plan, StepId};
use super::current::{self, Current};
use super::networks::Networks;
use super::wanted::Wanted;
use super::{images, lifecycle};
use crate::compose::Project;

/// Networks, volumes and containers, then their start in dependency order.
///
/// Images are taken as observed: execute the plan of [`images`](super::images()) first. Fails
/// when the engine cannot do what is asked; the warnings of that check are in the plan of the
/// images.
pub fn up(
    project: &Project,
    observed: &Observed,
    settings: &Settings,
    options: &Up,
) -> Result<Plan, PlanError> {
    let wanted = Wanted::new(project, options)?;
    images::check(project, settings, &wanted)?;
    let mut planner = Planner::new(project, observed, settings, options, wanted);
    planner.run()?;
    Ok(planner.plan)
}

/// A plan in the making.
pub(super) struct Planner<'a> {
    pub(super) project: &'a Project,
    pub(super) observed: &'a Observed,
    pub(super) settings: &'a Settings,
    pub(super) options: &'a Up,
    pub(super) wanted: Wanted,
    pub(super) plan: Plan,
    /// Existing containers of each service that are not done with yet.
    pub(super) current: BTreeMap<String, Vec<Current<'a>>>,
    pub(super) networks: Networks,
    /// Steps that make volumes, keyed by the volumes' keys.
    pub(super) volumes: BTreeMap<String, StepId>,
    /// Containers of each service after the first pass, sorted by number.
    pub(super) settled: BTreeMap<String, Vec<Settled>>,
    /// Steps that free a container name.
    pub(super) freed: BTreeMap<String, StepId>,
    /// Stops of dependents that must come before the containers of a service are replaced.
    pub(super) stopped_for: BTreeMap<String, Vec<StepId>>,
}

/// A container as the first pass leaves it.
#[derive(Debug, Clone)]
pub(super) struct Settled {
    pub(super) reference: ContainerRef,
    pub(super) number: u32,
    /// Whether it runs already.
    pub(super) running: bool,
    /// Whether it was observed to be healthy, and is left alone.
    pub(super) healthy: bool,
    /// Whether it ran before and ended.
    pub(super) exited: bool,
    /// Steps that touch it.
    pub(super) after: Vec<StepId>,
    /// Why it is started, where that is not plain.
    pub(super) cause: Option<Reason>,
}

impl<'a> Planner<'a> {
    pub(super) fn new(
        project: &'a Project,
        observed: &'a Observed,
        settings: &'a Settings,
        options: &'a Up,
        wanted: Wanted,
    ) -> Self {
        Self {
            project,
            observed,
            settings,
            options,
            wanted,
            plan: Plan::default(),
            current: current::by_service(observed),
            networks: BTreeMap::new(),
            volumes: BTreeMap::new(),
            settled: BTreeMap::new(),
            freed: BTreeMap::new(),
            stopped_for: BTreeMap::new(),
        }
    }

    /// Both passes.
    fn run(&mut self) -> Result<(), PlanError> {
        self.prepare()?;
        self.containers_of_all()?;
        self.barrier();
        if self.options.start {
            let started = self.start_all()?;
            if self.options.wait {
                self.final_waits(&started);
            }
        }
        Ok(())
    }

    /// What containers need: networks and volumes; and orphans out of the way.
    pub(super) fn prepare(&mut self) -> Result<(), PlanError> {
        self.networks()?;
        self.volumes()?;
        self.orphans()
    }

    /// The first pass: everything is created, nothing is started.
    pub(super) fn containers_of_all(&mut self) -> Result<(), PlanError> {
        let services = self.wanted.services.clone();
        let graph = Graph::new(&services)?;
        for name in graph.order() {
            if let Some(service) = services.get(*name) {
                self.containers(service, &graph)?;
            }
        }
        Ok(())
    }

    /// The point between the passes.
    pub(super) fn barrier(&mut self) {
        let before = (0..self.plan.steps.len()).map(StepId).map(Edge::required);
        let barrier = self
            .plan
            .push(Action::Created, Reason::Requested, before.collect());
        self.plan.created = Some(barrier);
    }

    /// Stops the running containers of the services, dependents first.
    pub(super) fn stop_services(&mut self, services: &[String], reason: &Reason) -> Vec<StepId> {
        let selected: BTreeSet<&str> = services.iter().map(String::as_str).collect();
        let all = self.wanted.services.clone();
        // The graph was checked for cycles when the selection was made.
        let order: Vec<String> = Graph::new(&all)
            .map(|graph| {
                graph
                    .order()
                    .iter()
                    .map(|name| (*name).to_owned())
                    .collect()
            })
            .unwrap_or_default();
        let mut stops = Vec::new();
        let mut by_service: BTreeMap<String, Vec<StepId>> = BTreeMap::new();
        for name in order
            .iter()
            .rev()
            .filter(|name| selected.contains(name.as_str()))
        {
            let dependents: Vec<StepId> = all
                .values()
                .filter(|service| service.depends_on.contains_key(name))
                .flat_map(|service| by_service.get(&service.name).cloned().unwrap_or_default())
                .collect();
            let model = all.get(name);
            for current in self.current.get_mut(name).into_iter().flatten() {
                if !lifecycle::may_run(current.container) || !current.running {
                    continue;
                }
                let before = dependents.iter().chain(&current.after).copied();
                let stop = lifecycle::stop_action(current.reference(), model, self.options.timeout);
                let step = self.plan.push(
                    Action::Stop(stop),
                    reason.clone(),
                    before.map(Edge::required).collect(),
                );
                current.running = false;
                current.after.push(step);
                by_service.entry(name.clone()).or_default().push(step);
                stops.push(step);
            }
        }
        stops
    }
}
