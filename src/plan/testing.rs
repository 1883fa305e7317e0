//! Projects from text, and the state a plan leads to, for unit tests.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::container::{self, Resolved};
use super::observed::{
    ApiVersion, Attachment, Container, Health, Image, Mount, Network, Observed, State, Volume,
};
use super::step::{Action, ContainerRef, Create, Origin, Plan, StepId};
use super::{Settings, explain, network, volume};
use crate::compose::decode;
use crate::compose::source::{Source, SourceMap};
use crate::compose::{Project, yaml};

/// A project named `p` from YAML in long form. Services without networks join `default`.
pub(crate) fn project(text: &str) -> Project {
    let mut sources = SourceMap::default();
    let source = sources.add(Source {
        name: "compose.yaml".to_owned(),
        text: text.into(),
        parent: None,
    });
    let tree = yaml::parse(source, text).unwrap().remove(0);
    let mut cx = decode::Context::new();
    let declared = decode::project(&tree, &mut cx);
    assert_eq!(cx.diagnostics, []);
    let mut project = Project {
        name: "p".to_owned(),
        services: declared.services,
        networks: declared.networks,
        volumes: declared.volumes,
        secrets: declared.secrets,
        configs: declared.configs,
        models: declared.models,
        extensions: declared.extensions,
        working_dir: PathBuf::from("/w"),
        compose_files: vec!["/w/compose.yaml".to_owned()],
        env_files: Vec::new(),
        environment: BTreeMap::new(),
        profiles: Vec::new(),
        disabled_services: BTreeMap::new(),
        tree,
    };
    normalize(&mut project);
    project
}

fn normalize(project: &mut Project) {
    for service in project.services.values_mut() {
        if service.networks.is_empty() && service.network_mode.is_none() {
            service.networks.insert("default".to_owned(), None);
        }
        for dependency in service.depends_on.values_mut() {
            dependency.required = true;
        }
    }
    project.networks.entry("default".to_owned()).or_default();
    for (key, network) in &mut project.networks {
        network.name.get_or_insert_with(|| format!("p_{key}"));
    }
    for (key, volume) in &mut project.volumes {
        volume.name.get_or_insert_with(|| format!("p_{key}"));
    }
}

/// An engine with the image `img`, and one that declares the volume `/data` (`img-volume`).
pub(crate) fn empty() -> Observed {
    let image = |id: &str, volumes: &[&str]| Image {
        id: format!("sha256:{id}"),
        volumes: volumes.iter().map(|path| (*path).to_owned()).collect(),
        os: "linux".to_owned(),
        architecture: "amd64".to_owned(),
        ..Image::default()
    };
    Observed {
        images: [
            ("img".to_owned(), image("1", &[])),
            ("img-volume".to_owned(), image("2", &["/data"])),
        ]
        .into(),
        api: ApiVersion::v1(41),
        ..Observed::default()
    }
}

/// The lines of [`explain::lines`], with runs of spaces shortened.
pub(crate) fn lines(plan: &Plan) -> Vec<String> {
    explain::lines(plan)
        .iter()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect()
}

/// Steps that must have ended before the step shown as `line`, directly or not.
pub(crate) fn before(plan: &Plan, line: &str) -> BTreeSet<String> {
    let shown = |id: StepId| {
        let step = plan.step(id).clone();
        let single = Plan {
            steps: vec![step],
            ..Plan::default()
        };
        lines(&single).pop()
    };
    let mut todo: Vec<StepId> = (0..plan.steps.len())
        .map(StepId)
        .filter(|id| shown(*id).is_some_and(|text| text.starts_with(line)))
        .collect();
    assert_eq!(todo.len(), 1, "steps like {line:?}: {:#?}", lines(plan));
    let mut seen = BTreeSet::new();
    let mut found = BTreeSet::new();
    while let Some(id) = todo.pop() {
        for edge in &plan.step(id).after {
            if seen.insert(edge.step) {
                todo.push(edge.step);
                found.extend(shown(edge.step));
            }
        }
    }
    found
}

/// The state after the plan ran. Started containers run, and are healthy where they have a
/// healthcheck.
pub(crate) fn apply(
    observed: &Observed,
    project: &Project,
    settings: &Settings,
    plan: &Plan,
) -> Observed {
    let mut engine = Engine {
        state: observed.clone(),
        created: BTreeMap::new(),
        project,
        settings,
    };
    for (index, step) in plan.steps.iter().enumerate() {
        engine.step(StepId(index), &step.action);
    }
    engine.state
}

struct Engine<'a> {
    state: Observed,
    created: BTreeMap<StepId, String>,
    project: &'a Project,
    settings: &'a Settings,
}

impl Engine<'_> {
    fn id(&self, container: &ContainerRef) -> String {
        match &container.origin {
            Origin::Existing(id) => id.clone(),
            Origin::Created(step) => self.created[step].clone(),
        }
    }

    fn find(&mut self, container: &ContainerRef) -> &mut Container {
        let id = self.id(container);
        let mut all = self.state.containers.iter_mut();
        all.find(|container| container.id == id).unwrap()
    }

    fn remove(&mut self, container: &ContainerRef) {
        let id = self.id(container);
        self.state.containers.retain(|other| other.id != id);
    }

    fn step(&mut self, step: StepId, action: &Action) {
        match action {
            Action::CreateNetwork { key, .. } => {
                let model = &self.project.networks[key];
                let body = network::create_body(&self.project.name, key, model);
                let count = self.state.networks.len();
                self.state.networks.push(Network {
                    id: format!("net-{}-{count}", body.name),
                    name: body.name,
                    labels: body.labels.unwrap().into_iter().collect(),
                });
            }
            Action::RemoveNetwork { id, .. } => {
                self.state.networks.retain(|network| network.id != *id);
            }
            Action::CreateVolume { key, .. } => {
                let model = &self.project.volumes[key];
                let body = volume::create_body(&self.project.name, key, model);
                self.state.volumes.push(Volume {
                    name: body.name.unwrap(),
                    labels: body.labels.unwrap().into_iter().collect(),
                });
            }
            Action::RemoveVolume { name, .. } => {
                self.state.volumes.retain(|volume| volume.name != *name);
            }
            Action::Create(create) => self.create(step, create),
            Action::Recreate { old, create, .. } => {
                self.create(step, create);
                self.remove(old);
            }
            Action::Remove { container, .. } => self.remove(container),
            Action::Start(start) => {
                let container = self.find(&start.container);
                container.state = State::Running;
            }
            Action::Stop(stop) => self.find(&stop.container).state = State::Exited,
            _ => {}
        }
    }

    fn create(&mut self, step: StepId, create: &Create) {
        let ids = create
            .references
            .iter()
            .map(|(service, container)| (service.clone(), self.id(container)));
        let resolved = Resolved {
            ids: ids.collect(),
            ..Resolved::default()
        };
        let request = container::request(self.project, self.settings, create, &resolved).unwrap();
        let host = request.body.host_config.unwrap_or_default();
        let networks = create.service.networks.keys().filter_map(|key| {
            let name = self.project.networks[key].name.clone()?;
            let network = self.state.network(&name)?;
            Some(Attachment {
                name: network.name.clone(),
                id: network.id.clone(),
            })
        });
        let binds = host.binds.unwrap_or_default();
        let mounts = binds.iter().map(|bind| {
            let mut parts = bind.split(':');
            let name = parts.next().unwrap_or_default().to_owned();
            Mount {
                kind: if name.starts_with('/') {
                    "bind"
                } else {
                    "volume"
                }
                .to_owned(),
                name,
                destination: parts.next().unwrap_or_default().to_owned(),
                writable: true,
                ..Mount::default()
            }
        });
        // Ids differ from container to container and from run to run.
        let id = format!("{:064x}", self.state.containers.len() * 1000 + step.0 + 1);
        let healthy = create.service.healthcheck.is_some();
        let container = Container {
            id: id.clone(),
            name: create.name.clone(),
            labels: request.body.labels.unwrap().into_iter().collect(),
            health: if healthy {
                Health::Healthy
            } else {
                Health::None
            },
            networks: networks.collect(),
            mounts: mounts.collect(),
            ..Container::default()
        };
        self.created.insert(step, id);
        self.state.containers.push(container);
    }
}
