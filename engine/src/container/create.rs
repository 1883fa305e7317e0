//! A new container.

use std::collections::HashMap;
use std::sync::Arc;

use bollard_stubs::models::{
    ContainerConfig, ContainerCreateBody, EndpointSettings, HostConfig, NetworkingConfig,
};
use indexmap::IndexMap;

use super::handle::{Handle, blocking};
use super::record::{Mount, MountKind, Record, State};
use super::{merge, migration, mounts, parts, settings, tell};
use crate::engine::Engine;
use crate::{Error, Result, identifier, time};

/// Makes a container, which does not run yet.
///
/// # Errors
/// 400 for what makes no sense, 404 without the image, 409 when the name is taken, 501 for what
/// is not supported.
pub(crate) async fn create(
    engine: &Arc<Engine>,
    name: Option<&str>,
    body: ContainerCreateBody,
) -> Result<Arc<Handle>> {
    let (config, host, networking) = divide(body);
    if config.network_disabled == Some(true) {
        return Err(Error::not_supported("NetworkDisabled"));
    }
    let image_name = config.image.clone().unwrap_or_default();
    let image = parts::image(engine, &image_name)?;
    let config = merge::merge(config, &image.config)?;
    let host = settings::complete(engine, host)?;
    let inherited = inherited(engine, &host)?;
    let mounts = mounts::read(&config, &host, inherited)?;
    let endpoints = endpoints(&host, networking)?;
    let id = identifier::new();
    let name = take_name(engine, name, &id)?;
    let mut words = merge::words(&config).cloned();
    let record = Record {
        path: words.next().unwrap_or_default(),
        args: words.collect(),
        created: time::now(),
        image: image_name,
        image_id: image.id.clone(),
        config: with_hostname(config, &host, &id),
        host_config: host,
        endpoints,
        ports: HashMap::new(),
        mounts,
        state: State::default(),
        restart_count: 0,
        id,
        name,
    };
    let (id, name) = (record.id.clone(), record.name.clone());
    match build(engine, record).await {
        Ok(handle) => {
            tell(engine, &handle.record(), "create", &[]);
            Ok(handle)
        }
        Err(error) => {
            engine.containers.free_name(&name);
            engine.volumes.release(&id);
            let _ = engine.images.discard(&id).await;
            let _ = engine.containers.erase(&id).await;
            Err(error)
        }
    }
}

async fn build(engine: &Arc<Engine>, mut record: Record) -> Result<Arc<Handle>> {
    // A new container is started at once, most often.
    migration::prepare();
    parts::prepare(engine, &record.id, &record.image_id)?;
    let id = record.id.clone();
    for mount in &mut record.mounts {
        source(engine, mount, &id).await?;
    }
    populate(engine, &record).await?;
    let handle = engine.containers.insert(record);
    if let Err(error) = engine.containers.save_new(&handle).await {
        engine.containers.forget(&handle);
        return Err(error);
    }
    Ok(handle)
}

/// Makes sure that what is mounted is there.
async fn source(engine: &Engine, mount: &mut Mount, id: &str) -> Result<()> {
    match &mount.kind {
        MountKind::Volume(_) => mount.source = parts::volume(engine, mount, id)?,
        MountKind::Bind => {
            let path = mount.source.clone();
            blocking(move || {
                if path.exists() {
                    return Ok(());
                }
                std::fs::create_dir_all(&path).map_err(|error| Error::io("create", &path, error))
            })
            .await?;
        }
        MountKind::Tmpfs => {}
    }
    Ok(())
}

/// New volumes begin with what the image has in their place.
async fn populate(engine: &Engine, record: &Record) -> Result<()> {
    let volumes = record
        .mounts
        .iter()
        .filter(|mount| !mount.no_copy && mount.subpath.is_none());
    let volumes: Vec<(&str, &Mount)> = volumes
        .filter_map(|mount| Some((mount.volume()?, mount)))
        .collect();
    if volumes.is_empty() {
        return Ok(());
    }
    let root = engine.images.mount(&record.id).await?;
    for (name, mount) in volumes {
        let path = mount.target.to_string_lossy();
        engine.volumes.populate(name, &root, &path).await?;
    }
    engine.images.unmount(&record.id).await
}

fn inherited(engine: &Engine, host: &HostConfig) -> Result<Vec<Mount>> {
    let mut all = Vec::new();
    for from in host.volumes_from.iter().flatten() {
        let (name, mode) = from.split_once(':').unwrap_or((from, "rw"));
        let record = engine.containers.get(name)?.record();
        for mount in record
            .mounts
            .iter()
            .filter(|mount| mount.kind != MountKind::Tmpfs)
        {
            let mut mount = mount.clone();
            mount.writable &= mode != "ro";
            mount.anonymous = false;
            all.push(mount);
        }
    }
    Ok(all)
}

fn divide(body: ContainerCreateBody) -> (ContainerConfig, HostConfig, NetworkingConfig) {
    let config = ContainerConfig {
        hostname: body.hostname,
        domainname: body.domainname,
        user: body.user,
        attach_stdin: body.attach_stdin,
        attach_stdout: body.attach_stdout,
        attach_stderr: body.attach_stderr,
        exposed_ports: body.exposed_ports,
        tty: body.tty,
        open_stdin: body.open_stdin,
        stdin_once: body.stdin_once,
        env: body.env,
        cmd: body.cmd,
        healthcheck: body.healthcheck,
        args_escaped: body.args_escaped,
        image: body.image,
        volumes: body.volumes,
        working_dir: body.working_dir,
        entrypoint: body.entrypoint,
        network_disabled: body.network_disabled,
        on_build: body.on_build,
        labels: body.labels,
        stop_signal: body.stop_signal,
        stop_timeout: body.stop_timeout,
        shell: body.shell,
    };
    let host = body.host_config.unwrap_or_default();
    (config, host, body.networking_config.unwrap_or_default())
}

/// The networks to attach to: those asked for, or the one that the mode names.
fn endpoints(
    host: &HostConfig,
    networking: NetworkingConfig,
) -> Result<IndexMap<String, EndpointSettings>> {
    let mode = host.network_mode.as_deref().unwrap_or("bridge");
    if mode.starts_with("container:") {
        return Ok(IndexMap::new());
    }
    let mut asked = networking.endpoints_config.unwrap_or_default();
    if let Some(settings) = asked.remove("default") {
        asked.entry("bridge".to_owned()).or_insert(settings);
    }
    let alone = matches!(mode, "host" | "none");
    if alone && asked.keys().any(|name| name != mode) {
        return Err(Error::bad_request(format!(
            "conflicting options: cannot attach both user-defined and non-user-defined network-modes ({mode})"
        )));
    }
    let mut endpoints = IndexMap::new();
    let mut first = asked.remove(mode).unwrap_or_default();
    let links = first.links.get_or_insert_default();
    for link in host.links.iter().flatten() {
        if !links.contains(link) {
            links.push(link.clone());
        }
    }
    first.links = first.links.filter(|links| !links.is_empty());
    endpoints.insert(mode.to_owned(), first);
    let mut others: Vec<_> = asked.into_iter().collect();
    others.sort_by(|a, b| a.0.cmp(&b.0));
    endpoints.extend(others);
    Ok(endpoints)
}

fn with_hostname(mut config: ContainerConfig, host: &HostConfig, id: &str) -> ContainerConfig {
    if config.hostname.as_deref().unwrap_or_default().is_empty() {
        let own = nix::sys::utsname::uname()
            .ok()
            .and_then(|name| name.nodename().to_str().map(str::to_owned));
        config.hostname = match host.network_mode.as_deref() {
            Some("host") => own,
            _ => Some(id[..12].to_owned()),
        };
    }
    config
}

/// The name asked for, or a made-up one.
fn take_name(engine: &Engine, name: Option<&str>, id: &str) -> Result<String> {
    if let Some(name) = name.filter(|name| !name.is_empty()) {
        let name = check_name(name)?;
        engine.containers.take_name(name, id)?;
        return Ok(name.to_owned());
    }
    for attempt in 0.. {
        let mut name = made_up();
        if attempt > 8 {
            name = format!("{name}_{}", &id[..6]);
        }
        if engine.containers.take_name(&name, id).is_ok() {
            return Ok(name);
        }
    }
    Ok(id.to_owned())
}

/// A name without the slash that may be in front.
///
/// # Errors
/// 400 for characters that names cannot have.
pub(crate) fn check_name(name: &str) -> Result<&str> {
    let name = name.strip_prefix('/').unwrap_or(name);
    let fits = |(at, byte): (usize, u8)| {
        byte.is_ascii_alphanumeric() || (at > 0 && matches!(byte, b'_' | b'.' | b'-'))
    };
    if name.len() > 1 && name.bytes().enumerate().all(fits) {
        return Ok(name);
    }
    Err(Error::bad_request(format!(
        "Invalid container name ({name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed"
    )))
}

fn made_up() -> String {
    const FIRST: &[&str] = &[
        "amber", "brisk", "calm", "deft", "early", "fair", "gentle", "hasty", "idle", "jolly",
        "keen", "lively", "mild", "neat", "olive", "plain", "quick", "ripe", "sunny", "tidy",
        "vivid", "warm",
    ];
    const SECOND: &[&str] = &[
        "badger", "beech", "cedar", "crane", "dune", "fern", "finch", "heron", "ibex", "juniper",
        "kestrel", "larch", "maple", "newt", "otter", "pebble", "quail", "robin", "spruce", "tern",
        "vole", "willow",
    ];
    let [first, second]: [u8; 2] = rand::random();
    let pick = |words: &[&'static str], number: u8| words[usize::from(number) % words.len()];
    format!("{}_{}", pick(FIRST, first), pick(SECOND, second))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked() {
        assert_eq!(check_name("/web-1").unwrap(), "web-1");
        for wrong in ["", "a", "-a", "a b", "a/b", "é1"] {
            assert_eq!(check_name(wrong).unwrap_err().status, 400, "{wrong}");
        }
        assert!(check_name(&made_up()).is_ok());
    }

    #[test]
    fn the_mode_names_the_first_network() {
        let host = HostConfig {
            network_mode: Some("front".to_owned()),
            ..HostConfig::default()
        };
        let named = ["back", "front"].map(|name| (name.to_owned(), EndpointSettings::default()));
        let networking = NetworkingConfig {
            endpoints_config: Some(named.into_iter().collect()),
        };
        let networks = endpoints(&host, networking.clone()).unwrap();
        assert_eq!(networks.keys().collect::<Vec<_>>(), ["front", "back"]);
        let host = HostConfig {
            network_mode: Some("host".to_owned()),
            ..HostConfig::default()
        };
        assert!(endpoints(&host, networking).is_err());
    }
}
