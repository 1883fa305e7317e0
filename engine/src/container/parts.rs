//! The seams: what a container needs of images, volumes, networks and the runtime.

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use bollard_stubs::models::{
    ContainerConfig, ContainerCreateBody, EndpointSettings, ExecConfig, PortBinding, PortMap,
};
use indexmap::IndexMap;

use super::files::Files;
use super::handle::{Handle, brief};
use super::record::{Mount, MountKind, Record};
use super::{
    ExecInput, Machine, SpecInput, SpecMount, exec_process, make_working_folder, runtime_spec,
};
use crate::engine::Engine;
use crate::events::Kind;
use crate::network::{self, Guest, NamesReady};
use crate::shim::Confinement;
use crate::{Error, Result};

/// An image, as far as a container is concerned.
pub(super) struct Image {
    /// `sha256:…`
    pub(super) id: String,
    /// What it says of its containers.
    pub(super) config: ContainerConfig,
}

/// A container's place in its networks.
#[derive(Debug, Default)]
pub(super) struct Network {
    /// With addresses, keyed as they were asked for.
    pub(super) endpoints: IndexMap<String, EndpointSettings>,
    /// With the host's ports.
    pub(super) ports: PortMap,
    /// Of our own.
    pub(super) nameserver: Option<IpAddr>,
    /// Lines for the hosts file.
    pub(super) hosts: Vec<(IpAddr, String)>,
    /// The namespace; none for the host's.
    pub(super) namespace: Option<PathBuf>,
    /// When the name server answers.
    pub(super) names: Option<NamesReady>,
}

impl Network {
    /// Waits until the container may begin: until names are answered.
    ///
    /// # Errors
    /// What keeps them from being answered.
    pub(super) async fn ready(names: Option<NamesReady>) -> Result<()> {
        match names {
            // It goes without a word only with the whole network.
            Some(names) => names
                .await
                .unwrap_or_else(|_| Err(Error::internal("the network was taken away"))),
            None => Ok(()),
        }
    }
}

/// The image that a reference means.
///
/// # Errors
/// 404 when there is none.
pub(super) fn image(engine: &Engine, reference: &str) -> Result<Image> {
    let image = engine.images.resolve(reference)?;
    // Both have the same fields, as far as both have them.
    let config = serde_json::to_value(image.document.config())
        .and_then(serde_json::from_value)
        .map_err(|error| Error::internal(format!("configuration of image {reference}: {error}")))?;
    Ok(Image {
        id: image.id,
        config,
    })
}

/// Makes a container's writable layer.
///
/// # Errors
/// 404 without the image, 500 when the disk does not take it.
pub(super) fn prepare(engine: &Engine, id: &str, image: &str) -> Result<()> {
    let image = engine.images.resolve(image)?;
    engine.images.prepare(id, &image)
}

/// The volume's folder; a new volume where there is none of this name.
///
/// # Errors
/// Those of volumes.
pub(super) fn volume(engine: &Engine, asked: &Mount, id: &str) -> Result<PathBuf> {
    let Some(name) = asked.volume() else {
        return Ok(asked.source.clone());
    };
    let mut labels = HashMap::new();
    if asked.anonymous {
        labels.insert(crate::volume::ANONYMOUS.to_owned(), String::new());
    }
    let (_, is_new) = engine.volumes.ensure(name, "", &HashMap::new(), &labels)?;
    if is_new {
        let attributes = HashMap::from([("driver".to_owned(), "local".to_owned())]);
        engine
            .events
            .publish(Kind::VOLUME, "create", name, attributes);
    }
    engine.volumes.hold(name, id)?;
    engine.volumes.mountpoint(name)
}

/// Removes a volume that only a removed container had.
///
/// # Errors
/// Those of volumes.
pub(super) async fn remove_volume(engine: &Engine, name: &str) -> Result<()> {
    engine.volumes.remove(name).await?;
    let attributes = HashMap::from([("driver".to_owned(), "local".to_owned())]);
    engine
        .events
        .publish(Kind::VOLUME, "destroy", name, attributes);
    Ok(())
}

/// Gives a container its place in its networks.
///
/// # Errors
/// Those of networks; 409 when the container that it shares them with does not run.
pub(super) async fn attach(engine: &Engine, record: &Record) -> Result<Network> {
    let mode = record
        .host_config
        .network_mode
        .as_deref()
        .unwrap_or_default();
    if let Some(other) = mode.strip_prefix("container:") {
        let pid = pid_of(engine, other)?;
        return Ok(Network {
            namespace: Some(PathBuf::from(format!("/proc/{pid}/ns/net"))),
            ..Network::default()
        });
    }
    let namespace = namespace_of(engine, &record.id);
    if mode != "host" {
        let file = namespace.clone();
        brief(move || {
            // What a run before a crash may have left.
            network::remove_namespace(&file)?;
            network::create_namespace(&file)
        })
        .await?;
    }
    let host = &record.host_config;
    let mut endpoints = record.endpoints.clone();
    for settings in endpoints.values_mut() {
        *settings = network::asked(settings);
    }
    if let Some(links) = host.links.as_ref().filter(|links| !links.is_empty())
        && let Some((_, settings)) = endpoints.first_mut()
    {
        settings.links = Some(links.clone());
    }
    let guest = Guest {
        id: &record.id,
        name: &record.name,
        hostname: record.hostname(),
        endpoints: &endpoints,
        ports: &ports(record),
        dns: host.dns.as_deref().unwrap_or_default(),
        extra_hosts: host.extra_hosts.as_deref().unwrap_or_default(),
    };
    let attached = engine.networks.setup(&guest, &namespace).await?;
    Ok(Network {
        endpoints: attached.endpoints,
        ports: attached.ports,
        nameserver: attached.nameserver,
        hosts: attached.hosts,
        names: attached.names,
        namespace: (mode != "host").then_some(namespace),
    })
}

/// Where a container's network namespace is mounted.
fn namespace_of(engine: &Engine, id: &str) -> PathBuf {
    engine.layout.container_run(id).join("netns")
}

/// The ports to publish, and those that are only exposed.
fn ports(record: &Record) -> PortMap {
    let host = &record.host_config;
    let mut ports: PortMap = HashMap::new();
    for port in record.config.exposed_ports.iter().flatten() {
        let any = host.publish_all_ports == Some(true);
        let bindings = any.then(|| vec![PortBinding::default()]);
        ports.insert(port.clone(), bindings);
    }
    for (port, bindings) in host.port_bindings.iter().flatten() {
        if bindings
            .as_ref()
            .is_some_and(|bindings| !bindings.is_empty())
        {
            ports.insert(port.clone(), bindings.clone());
        }
    }
    ports
}

/// Takes a container's place in its networks away.
///
/// # Errors
/// Those of networks.
pub(super) async fn detach(engine: &Engine, id: &str) -> Result<()> {
    let torn = engine.networks.teardown(id).await;
    if let Ok(handle) = engine.containers.get(id) {
        handle.change(|record| {
            for settings in record.endpoints.values_mut() {
                *settings = network::asked(settings);
            }
        });
    }
    let file = namespace_of(engine, id);
    torn.and(brief(move || network::remove_namespace(&file)).await)
}

/// The first process of a container whose namespaces are shared.
fn pid_of(engine: &Engine, container: &str) -> Result<i32> {
    let record = engine.containers.get(container)?.record();
    if record.state.is_up() {
        return Ok(record.state.pid);
    }
    Err(Error::conflict(format!(
        "cannot join the namespaces of a non running container: {}",
        record.id
    )))
}

/// Writes the bundle's `config.json`. The root file system is mounted.
///
/// # Errors
/// 400 for what makes no sense, 501 for what is not supported.
pub(super) async fn specification(
    engine: &Engine,
    record: &Record,
    network: &Network,
    files: &Files,
) -> Result<()> {
    let rootfs = engine.images.rootfs(&record.id);
    let mounts = spec_mounts(engine, record, files).await?;
    let shared = Shared::of(engine, record)?;
    let (body, cgroup) = (body(record), record.cgroup());
    let input = spec_input(
        record,
        &body,
        &rootfs,
        &mounts,
        &shared,
        network.namespace.as_deref(),
        &cgroup,
    );
    if let Some(folder) = record.config.working_dir.as_deref() {
        make_working_folder(&rootfs, folder)?;
    }
    let mut spec = runtime_spec(&input)?;
    let run = engine.layout.container_run(&record.id);
    let filters = engine.layout.run().to_owned();
    brief(move || {
        Confinement::take(&mut spec, &filters)?.save(&run)?;
        let path = run.join("bundle/config.json");
        spec.save(&path)
            .map_err(|error| Error::io("write", &path, error))
    })
    .await
}

/// Writes the specification of a further process of a running container to a file.
///
/// # Errors
/// As of [`specification`].
pub(super) fn process(
    engine: &Engine,
    handle: &Handle,
    id: &str,
    config: &ExecConfig,
) -> Result<PathBuf> {
    let record = handle.record();
    let rootfs = engine.images.rootfs(&record.id);
    let shared = Shared::default();
    let (body, cgroup) = (body(&record), record.cgroup());
    let input = spec_input(&record, &body, &rootfs, &[], &shared, None, &cgroup);
    let process = exec_process(
        &input,
        &ExecInput {
            args: config.cmd.as_deref().unwrap_or_default(),
            env: config.env.as_deref().unwrap_or_default(),
            cwd: config.working_dir.as_deref().unwrap_or_default(),
            user: config.user.as_deref().unwrap_or_default(),
            tty: config.tty == Some(true),
            privileged: config.privileged == Some(true),
        },
    )?;
    let path = engine
        .layout
        .container_run(&record.id)
        .join(format!("{id}.json"));
    let text = serde_json::to_vec(&process).map_err(Error::internal)?;
    std::fs::write(&path, text).map_err(|error| Error::io("write", &path, error))?;
    Ok(path)
}

/// Processes of containers whose namespaces are shared.
#[derive(Debug, Default)]
struct Shared {
    pid: Option<i32>,
    ipc: Option<i32>,
    shm: Option<PathBuf>,
}

impl Shared {
    fn of(engine: &Engine, record: &Record) -> Result<Self> {
        let host = &record.host_config;
        let other = |mode: &Option<String>| -> Result<Option<i32>> {
            let name = mode
                .as_deref()
                .and_then(|mode| mode.strip_prefix("container:"));
            name.map(|name| pid_of(engine, name)).transpose()
        };
        let ipc = other(&host.ipc_mode)?;
        Ok(Self {
            pid: other(&host.pid_mode)?,
            ipc,
            // What is mounted there is reached through the process that has it.
            shm: ipc.map(|pid| PathBuf::from(format!("/proc/{pid}/root/dev/shm"))),
        })
    }
}

/// What this machine can do, asked once.
pub(super) fn machine() -> &'static Machine {
    static MACHINE: OnceLock<Machine> = OnceLock::new();
    MACHINE.get_or_init(Machine::detect)
}

fn body(record: &Record) -> ContainerCreateBody {
    let config = record.config.clone();
    ContainerCreateBody {
        hostname: config.hostname,
        domainname: config.domainname,
        user: config.user,
        tty: config.tty,
        env: config.env,
        cmd: config.cmd,
        entrypoint: config.entrypoint,
        working_dir: config.working_dir,
        open_stdin: config.open_stdin,
        labels: config.labels,
        ..ContainerCreateBody::default()
    }
}

fn spec_input<'a>(
    record: &'a Record,
    body: &'a ContainerCreateBody,
    rootfs: &'a Path,
    mounts: &'a [SpecMount],
    shared: &'a Shared,
    network: Option<&'a Path>,
    cgroup: &'a str,
) -> SpecInput<'a> {
    SpecInput {
        config: body,
        host: &record.host_config,
        rootfs,
        mounts,
        network,
        pid_of: shared.pid,
        ipc_of: shared.ipc,
        shm: shared.shm.as_deref(),
        hostname: record.hostname(),
        domainname: record.config.domainname.as_deref().unwrap_or_default(),
        cgroup,
        machine: machine(),
    }
}

/// What is bound into a container from the host: volumes, folders, its own files. Devices of
/// volumes are mounted for it.
///
/// # Errors
/// Those of volumes.
pub(super) async fn bind_mounts(engine: &Engine, record: &Record) -> Result<Vec<SpecMount>> {
    let mut mounts = spec_mounts(engine, record, &Files::of(engine, &record.id)).await?;
    // Its own files are written with the first start.
    mounts.retain(|mount| mount.source.as_ref().is_some_and(|source| source.exists()));
    Ok(mounts)
}

async fn spec_mounts(engine: &Engine, record: &Record, files: &Files) -> Result<Vec<SpecMount>> {
    let mut mounts = Vec::new();
    let own = [
        (&files.hosts, "/etc/hosts"),
        (&files.hostname, "/etc/hostname"),
        (&files.resolv, "/etc/resolv.conf"),
    ];
    for (source, target) in own {
        if !record
            .mounts
            .iter()
            .any(|mount| mount.target == Path::new(target))
        {
            mounts.push(SpecMount {
                source: Some(source.clone()),
                target: PathBuf::from(target),
                writable: true,
                ..SpecMount::default()
            });
        }
    }
    for mount in &record.mounts {
        let source = match &mount.kind {
            MountKind::Bind => Some(mount.source.clone()),
            MountKind::Volume(name) => {
                let folder = engine.volumes.mount(name, &record.id).await?;
                Some(within(folder, mount.subpath.as_deref())?)
            }
            MountKind::Tmpfs => None,
        };
        mounts.push(SpecMount {
            options: match source {
                Some(_) => Vec::new(),
                None => mount.options.clone(),
            },
            source,
            target: mount.target.clone(),
            writable: mount.writable,
            propagation: mount.propagation.clone(),
        });
    }
    Ok(mounts)
}

/// A folder in a volume; no link leads out of it.
fn within(folder: PathBuf, subpath: Option<&str>) -> Result<PathBuf> {
    let Some(subpath) = subpath else {
        return Ok(folder);
    };
    let failed = |error| Error::bad_request(format!("volume subpath {subpath:?}: {error}"));
    let found = folder.join(subpath).canonicalize().map_err(failed)?;
    let folder = folder.canonicalize().map_err(failed)?;
    if found.starts_with(&folder) {
        return Ok(found);
    }
    Err(Error::bad_request(format!(
        "volume subpath {subpath:?} is not within the volume"
    )))
}
