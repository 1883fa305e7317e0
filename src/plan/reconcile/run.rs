//! `run`: a one-off container of a service, after its dependencies.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::container::seccomp_files;
use super::super::error::PlanError;
use super::super::observed::Observed;
use super::super::options::{Run, Settings, Up};
use super::super::reason::Reason;
use super::super::step::{Action, Create, Edge, OneOff, Plan};
use super::super::{graph::Graph, inject, names};
use super::start::Started;
use super::up::Planner;
use super::wanted::Wanted;
use super::{images, scope};
use crate::compose::Project;
use crate::compose::model::Service;

/// Brings up the dependencies, then creates the one-off container. Starting it is left to the
/// caller, who attaches to it first; its files to copy are
/// [`inject::injections`] of the created service.
pub fn run(
    project: &Project,
    observed: &Observed,
    settings: &Settings,
    options: &Run,
) -> Result<Plan, PlanError> {
    let model = project
        .services
        .get(&options.service)
        .ok_or_else(|| scope::no_such_service(&options.service, project.services.keys()))?;
    let up = Up {
        services: vec![options.service.clone()],
        no_deps: options.no_deps,
        start: true,
        wait: false,
        ..options.dependencies.clone()
    };
    let mut wanted = Wanted::new(project, &up)?;
    images::check(project, settings, &wanted)?;
    // The service's own containers are left alone; only its dependencies are brought up.
    let target = wanted
        .services
        .remove(&options.service)
        .unwrap_or_else(|| Arc::new(model.clone()));
    wanted.named = wanted.services.keys().cloned().collect();
    let service = Arc::new(one_off_service(&target, project, settings, options));
    let mut planner = Planner::new(project, observed, settings, &up, wanted);
    let mut resources = planner.wanted.clone();
    resources
        .services
        .insert(options.service.clone(), Arc::clone(&service));
    let dependencies = std::mem::replace(&mut planner.wanted, resources);
    planner.prepare()?;
    planner.wanted = dependencies;
    planner.containers_of_all()?;
    planner.barrier();
    let mut started = planner.start_all()?;
    planner.one_off(&service, options, &mut started)?;
    Ok(planner.plan)
}

impl Planner<'_> {
    fn one_off(
        &mut self,
        service: &Arc<Service>,
        options: &Run,
        started: &mut Started,
    ) -> Result<(), PlanError> {
        let services = self.wanted.services.clone();
        Graph::new(&services)?;
        let references = self.references(service)?;
        let mut after: Vec<Edge> = self.plan.created.map(Edge::required).into_iter().collect();
        after.extend(self.network_edges(service));
        after.extend(self.volume_edges(service));
        after.extend(self.dependency_edges(service, &services, started)?);
        let image = names::image(&self.project.name, service, self.settings.separator);
        let create = Create {
            name: service.container_name.clone().unwrap_or_default(),
            number: None,
            image_id: self
                .observed
                .images
                .get(&image)
                .map(|image| image.id.clone()),
            references,
            links: self.links(service, "-1"),
            inherited: Vec::new(),
            replaces: None,
            one_off: Some(OneOff {
                slug: options.slug.clone(),
                auto_remove: options.auto_remove,
                use_aliases: options.use_aliases,
                attach_stdin: options.interactive,
            }),
            seccomp_files: seccomp_files(service),
            content_hash: (!self.settings.strict)
                .then(|| inject::content_hash(self.project, service))
                .flatten(),
            service: Arc::clone(service),
        };
        self.plan
            .push(Action::Create(create), Reason::Requested, after);
        Ok(())
    }
}

/// The service with the command line's changes.
fn one_off_service(
    service: &Service,
    project: &Project,
    settings: &Settings,
    options: &Run,
) -> Service {
    let mut service = service.clone();
    service.tty = options.tty;
    service.stdin_open = options.interactive;
    service.scale = Some(1);
    service.restart = None;
    if let Some(deploy) = &mut service.deploy {
        deploy.restart_policy = None;
    }
    if !options.service_ports {
        service.ports.clone_from(&options.publish);
    }
    service.volumes.extend(options.volumes.iter().cloned());
    service.container_name = Some(options.name.clone().unwrap_or_else(|| {
        names::one_off(
            &project.name,
            &service.name,
            &options.slug,
            settings.separator,
        )
    }));
    apply_process(&mut service, options);
    apply_capabilities(&mut service, options);
    let labels: BTreeMap<String, String> = options.labels.clone();
    service.labels.extend(labels);
    service
}

fn apply_process(service: &mut Service, options: &Run) {
    if !options.command.is_empty() {
        service.command = Some(options.command.clone());
    }
    if let Some(user) = &options.user {
        service.user = Some(user.clone());
    }
    if let Some(folder) = &options.working_dir {
        service.working_dir = Some(folder.clone());
    }
    if let Some(entrypoint) = &options.entrypoint {
        service.entrypoint = Some(entrypoint.clone());
        if options.command.is_empty() {
            service.command = Some(Vec::new());
        }
    }
    for (name, value) in &options.environment {
        service
            .environment
            .insert(name.clone(), Some(value.clone()));
    }
}

fn apply_capabilities(service: &mut Service, options: &Run) {
    service.cap_add.extend(options.cap_add.iter().cloned());
    service
        .cap_drop
        .retain(|capability| !options.cap_add.contains(capability));
    service.cap_drop.extend(options.cap_drop.iter().cloned());
    service
        .cap_add
        .retain(|capability| !options.cap_drop.contains(capability));
}
