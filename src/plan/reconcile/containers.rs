//! The first pass over one service: which containers stay, go, are replaced or added.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::container::seccomp_files;
use super::super::error::PlanError;
use super::super::graph::Graph;
use super::super::observed::{Health, Mount as ObservedMount, State};
use super::super::options::Recreate;
use super::super::reason::Reason;
use super::super::step::{Action, ContainerRef, Create, Edge, InheritedMount, Origin, StepId};
use super::super::{hash, inject, labels, names, reference};
use super::current::Current;
use super::lifecycle;
use super::networks::is_attached;
use super::up::{Planner, Settled};
use super::wanted::volume_keys;
use crate::compose::Diagnostic;
use crate::compose::model::Service;

/// What a service's containers are compared with.
struct Expected {
    /// The hash, or the service whose new container makes every old hash wrong.
    hash: Result<String, String>,
    image_id: Option<String>,
    content_hash: Option<String>,
    references: Vec<(String, ContainerRef)>,
}

impl Planner<'_> {
    /// Plans the containers of one service whose dependencies are planned already.
    pub(super) fn containers(
        &mut self,
        service: &Arc<Service>,
        graph: &Graph<'_>,
    ) -> Result<(), PlanError> {
        let wanted = service.replicas() as usize;
        let expected = self.expected(service)?;
        let existing = self.current.remove(&service.name).unwrap_or_default();
        let next = existing.iter().map(Current::number).max().unwrap_or(0) + 1;
        let missing = wanted.saturating_sub(existing.len());
        let mut judged: Vec<(Option<Reason>, Current<'_>)> = existing
            .into_iter()
            .map(|current| (self.divergence(service, &current, &expected), current))
            .collect();
        // Outdated ones last, so that they go first when there are too many.
        judged.sort_by_key(|(reason, current)| {
            (
                reason.is_some(),
                current.number(),
                current.container.created,
            )
        });
        let surplus = judged.split_off(judged.len().min(wanted));
        for (_, current) in surplus {
            self.scale_down(service, &current);
        }
        if judged.iter().any(|(reason, _)| reason.is_some()) {
            self.stop_dependents(service, graph);
        }
        let mut settled: Vec<Settled> = judged
            .into_iter()
            .map(|(reason, current)| match reason {
                Some(reason) => self.recreate(service, &current, &expected, reason),
                None => self.keep(&current),
            })
            .collect();
        let reason = if settled.is_empty() {
            Reason::Missing
        } else {
            Reason::ScaleUp
        };
        for number in (next..).take(missing) {
            settled.push(self.add(service, number, &expected, reason.clone()));
        }
        settled.sort_by_key(|settled| settled.number);
        self.settled.insert(service.name.clone(), settled);
        Ok(())
    }

    fn expected(&self, service: &Service) -> Result<Expected, PlanError> {
        let references = self.references(service)?;
        let new = references
            .iter()
            .find(|(_, container)| matches!(container.origin, Origin::Created(_)));
        let hash = match new {
            Some((name, _)) => Err(name.clone()),
            None => Ok(hash::service(&reference::resolve(
                service,
                &ids(&references),
            ))),
        };
        let image = names::image(&self.project.name, service, self.settings.separator);
        let content_hash = (!self.settings.strict)
            .then(|| inject::content_hash(self.project, service))
            .flatten();
        Ok(Expected {
            hash,
            image_id: self
                .observed
                .images
                .get(&image)
                .map(|image| image.id.clone()),
            content_hash,
            references,
        })
    }

    /// The containers that `service:x` references stand for.
    pub(super) fn references(
        &self,
        service: &Service,
    ) -> Result<Vec<(String, ContainerRef)>, PlanError> {
        let mut found = Vec::new();
        for name in reference::services(service) {
            let first = match self.settled.get(name) {
                Some(settled) => settled
                    .iter()
                    .map(|settled| &settled.reference)
                    .min()
                    .cloned(),
                None => self.observed_reference(name),
            };
            match first {
                Some(container) => found.push((name.to_owned(), container)),
                None => return Err(self.missing_reference(service, name)),
            }
        }
        Ok(found)
    }

    /// A container of a service outside of the selection.
    fn observed_reference(&self, name: &str) -> Option<ContainerRef> {
        let containers = self.current.get(name)?;
        containers.iter().map(Current::reference).min()
    }

    fn missing_reference(&self, service: &Service, name: &str) -> PlanError {
        let shared = format!("service:{name}");
        let uses = |mode: &Option<String>| mode.as_ref() == Some(&shared);
        let (what, attribute) = if uses(&service.network_mode) {
            ("network namespace", "network_mode")
        } else if uses(&service.ipc) {
            ("IPC namespace", "ipc")
        } else if uses(&service.pid) {
            ("PID namespace", "pid")
        } else {
            ("volume", "volumes_from")
        };
        let path = ["services", &service.name, attribute];
        Diagnostic::error(format!(
            "cannot share {what} with service {name}: container missing"
        ))
        .at(self.project.span_of(&path))
        .help(format!(
            "bring {name} up as well, with at least one container"
        ))
        .into()
    }

    /// Why a container must be replaced, if it must.
    fn divergence(
        &self,
        service: &Service,
        current: &Current<'_>,
        expected: &Expected,
    ) -> Option<Reason> {
        let policy = if self.wanted.named.contains(&service.name) {
            self.options.recreate
        } else {
            self.options.recreate_dependencies
        };
        match policy {
            Recreate::Never => return None,
            Recreate::Force => return Some(Reason::Forced),
            Recreate::Diverged => {}
        }
        let container = current.container;
        let hash = match &expected.hash {
            Ok(hash) => hash,
            Err(service) => return Some(Reason::ReferenceRecreated(service.clone())),
        };
        if container.label(labels::CONFIG_HASH) != hash {
            return Some(Reason::ConfigChanged);
        }
        let image_id = expected.image_id.as_deref().unwrap_or_default();
        if container.label(labels::IMAGE) != image_id {
            return Some(Reason::ImageChanged);
        }
        self.missing_network(service, current)
            .or_else(|| self.missing_volume(service, current))
            .or_else(|| content_divergence(current, expected))
    }

    fn missing_network(&self, service: &Service, current: &Current<'_>) -> Option<Reason> {
        if !current.running {
            return None;
        }
        let missing = service.networks.keys().find(|key| {
            let Some(network) = self.networks.get(*key) else {
                return false;
            };
            let attached = network
                .id
                .as_deref()
                .is_some_and(|id| is_attached(current.container, id));
            !network.unseen && !attached
        })?;
        Some(Reason::NetworkChanged(missing.clone()))
    }

    fn missing_volume(&self, service: &Service, current: &Current<'_>) -> Option<Reason> {
        let mounted = |name: &str| {
            current
                .container
                .mounts
                .iter()
                .any(|mount| mount.kind == "volume" && mount.name == name)
        };
        let missing = volume_keys(service).find(|key| {
            self.project
                .volumes
                .get(*key)
                .is_some_and(|volume| !mounted(&names::volume(&self.project.name, key, volume)))
        })?;
        Some(Reason::VolumeChanged(missing.to_owned()))
    }

    fn scale_down(&mut self, service: &Arc<Service>, current: &Current<'_>) {
        let mut after = current.edges();
        if lifecycle::may_run(current.container) {
            let stop =
                lifecycle::stop_action(current.reference(), Some(service), self.options.timeout);
            let step = self.plan.push(Action::Stop(stop), Reason::ScaleDown, after);
            after = vec![Edge::required(step)];
        }
        let remove = Action::Remove {
            container: current.reference(),
            volumes: false,
            force: true,
        };
        let step = self.plan.push(remove, Reason::ScaleDown, after);
        self.freed.insert(current.container.name.clone(), step);
    }

    /// Stops the dependents that ask to be restarted with the service; the second pass starts
    /// them again.
    fn stop_dependents(&mut self, service: &Service, graph: &Graph<'_>) {
        let dependents: Vec<String> = graph
            .dependents(&service.name)
            .into_iter()
            .filter(|name| {
                self.wanted.services.get(*name).is_some_and(|dependent| {
                    dependent
                        .depends_on
                        .get(&service.name)
                        .is_some_and(|dependency| dependency.restart)
                })
            })
            .map(str::to_owned)
            .collect();
        let reason = Reason::DependencyChanged(service.name.clone());
        let stops = self.stop_services(&dependents, &reason);
        self.stopped_for
            .entry(service.name.clone())
            .or_default()
            .extend(stops);
    }

    fn recreate(
        &mut self,
        service: &Arc<Service>,
        current: &Current<'_>,
        expected: &Expected,
        reason: Reason,
    ) -> Settled {
        let number = current.number();
        let separator = self.settings.separator;
        let mut create = self.create_action(service, number, expected);
        create.replaces = Some(names::replaced(service, number, separator));
        if self.options.inherit_volumes {
            create.inherited = self.inherited(service, &current.container.mounts);
        }
        let mut after = self.create_edges(service, expected, &create.name);
        after.extend(current.edges());
        let stops = self.stopped_for.get(&service.name).into_iter().flatten();
        after.extend(stops.copied().map(Edge::required));
        let name = create.name.clone();
        let action = Action::Recreate {
            old: current.reference(),
            temporary_name: names::temporary(&current.container.id, &name),
            create,
            timeout: self.options.timeout,
        };
        let step = self.plan.push(action, reason, after);
        created(service, name, number, step)
    }

    fn add(
        &mut self,
        service: &Arc<Service>,
        number: u32,
        expected: &Expected,
        reason: Reason,
    ) -> Settled {
        let create = self.create_action(service, number, expected);
        let after = self.create_edges(service, expected, &create.name);
        let name = create.name.clone();
        let step = self.plan.push(Action::Create(create), reason, after);
        created(service, name, number, step)
    }

    fn keep(&mut self, current: &Current<'_>) -> Settled {
        let container = current.container;
        let reference = current.reference();
        let mut after = current.after.clone();
        let mut running = current.running;
        let cause = (!running && container.state == State::Running)
            .then(|| self.cause_of_stop(&after))
            .flatten();
        if container.state == State::Paused && after.is_empty() {
            let action = Action::Unpause {
                container: reference.clone(),
            };
            after.push(self.plan.push(action, Reason::NotRunning, Vec::new()));
            running = true;
        } else {
            let action = Action::Keep {
                container: reference.clone(),
                running,
            };
            self.plan.push(action, Reason::UpToDate, current.edges());
        }
        Settled {
            reference,
            number: current.number(),
            healthy: running && container.health == Health::Healthy,
            exited: container.state == State::Exited,
            running,
            after,
            cause,
        }
    }

    fn cause_of_stop(&self, steps: &[StepId]) -> Option<Reason> {
        steps
            .last()
            .map(|step| self.plan.step(*step).reason.clone())
    }

    fn create_edges(&self, service: &Service, expected: &Expected, name: &str) -> Vec<Edge> {
        let mut edges = self.network_edges(service);
        edges.extend(self.volume_edges(service));
        for (_, container) in &expected.references {
            if let Origin::Created(step) = container.origin {
                edges.push(Edge::required(step));
            }
        }
        edges.extend(self.link_edges(service));
        edges.extend(self.freed.get(name).copied().map(Edge::required));
        edges
    }

    fn create_action(&self, service: &Arc<Service>, number: u32, expected: &Expected) -> Create {
        let separator = self.settings.separator;
        Create {
            service: Arc::clone(service),
            number: Some(number),
            name: names::container(&self.project.name, service, number, separator),
            image_id: expected.image_id.clone(),
            references: expected.references.clone(),
            links: self.links(service, &number.to_string()),
            inherited: Vec::new(),
            replaces: None,
            one_off: None,
            seccomp_files: seccomp_files(service),
            content_hash: expected.content_hash.clone(),
        }
    }

    /// `container:alias` for every container of the linked services.
    pub(super) fn links(&self, service: &Service, number: &str) -> Vec<String> {
        let project = &self.project.name;
        let separator = self.settings.separator;
        let mut links = Vec::new();
        for link in &service.links {
            let (linked, alias) = link.split_once(':').unwrap_or((link, link));
            for container in self.container_names(linked) {
                links.push(format!("{container}:{alias}"));
                links.push(format!("{container}:{linked}{separator}{number}"));
                links.push(format!(
                    "{container}:{project}{separator}{linked}{separator}{number}"
                ));
            }
        }
        for link in &service.external_links {
            let (container, alias) = link.split_once(':').unwrap_or((link, link));
            links.push(format!("{container}:{alias}"));
        }
        links
    }

    /// The engine looks linked containers up when it creates one on its default bridge.
    fn link_edges(&self, service: &Service) -> Vec<Edge> {
        let linked = service.links.iter().filter_map(|link| {
            let name = link.split(':').next()?;
            self.settled.get(name)
        });
        linked
            .flatten()
            .filter_map(|settled| match settled.reference.origin {
                Origin::Created(step) => Some(Edge::required(step)),
                Origin::Existing(_) => None,
            })
            .collect()
    }

    /// Names of the containers of a service, planned or found.
    fn container_names(&self, service: &str) -> Vec<String> {
        if let Some(settled) = self.settled.get(service) {
            let names = settled.iter().map(|settled| settled.reference.name.clone());
            return names.collect();
        }
        let found = self.current.get(service).into_iter().flatten();
        found
            .map(|current| current.container.name.clone())
            .collect()
    }

    /// Mounts of the old container that belong to paths where the image or the service wants a
    /// volume without saying which.
    fn inherited(&self, service: &Service, mounts: &[ObservedMount]) -> Vec<InheritedMount> {
        let image = names::image(&self.project.name, service, self.settings.separator);
        let image = self.observed.images.get(&image);
        let is_anonymous = |path: &str| {
            let of_image = image.is_some_and(|image| image.volumes.contains(path));
            let of_service = service
                .volumes
                .iter()
                .any(|mount| mount.source.is_none() && mount.target.as_deref() == Some(path));
            of_image || of_service
        };
        mounts
            .iter()
            .filter(|mount| mount.kind != "tmpfs" && is_anonymous(&mount.destination))
            .map(|mount| InheritedMount {
                kind: mount.kind.clone(),
                source: if mount.kind == "volume" {
                    mount.name.clone()
                } else {
                    mount.source.clone()
                },
                target: mount.destination.clone(),
                read_only: !mount.writable,
            })
            .collect()
    }
}

fn created(service: &Service, name: String, number: u32, step: StepId) -> Settled {
    Settled {
        reference: ContainerRef {
            name,
            service: service.name.clone(),
            origin: Origin::Created(step),
        },
        number,
        running: false,
        healthy: false,
        exited: false,
        after: vec![step],
        cause: None,
    }
}

/// A container without the label was made by another tool and is left alone.
fn content_divergence(current: &Current<'_>, expected: &Expected) -> Option<Reason> {
    let actual = current.container.labels.get(labels::CONTENT_HASH)?;
    let changed = expected.content_hash.as_ref() != Some(actual);
    (changed && expected.content_hash.is_some()).then_some(Reason::ContentChanged)
}

fn ids(references: &[(String, ContainerRef)]) -> BTreeMap<String, String> {
    references
        .iter()
        .filter_map(|(service, container)| match &container.origin {
            Origin::Existing(id) => Some((service.clone(), id.clone())),
            Origin::Created(_) => None,
        })
        .collect()
}
