//! `GET /containers/{id}/json`.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::files::Files;
use super::handle::{Handle, Live, blocking};
use super::health::Health;
use super::list::mount_point;
use super::record::{Record, Status};
use super::shown;
use super::start::log_path;
use crate::Result;
use crate::engine::Engine;

/// Everything that the API shows of a container.
pub(crate) fn inspect(engine: &Engine, handle: &Handle) -> Value {
    let live = handle.live();
    let record = &live.record;
    let files = Files::of(engine, &record.id);
    let execs = engine.containers.execs_of(&record.id);
    let execs = (!execs.is_empty()).then_some(execs);
    json!({
        "Id": record.id,
        "Created": record.created,
        "Path": record.path,
        "Args": record.args,
        "State": state(&live),
        "Image": record.image_id,
        "ResolvConfPath": files.resolv,
        "HostnamePath": files.hostname,
        "HostsPath": files.hosts,
        "LogPath": log_path(engine, &record.id),
        "Name": format!("/{}", record.name),
        "RestartCount": record.restart_count,
        "Driver": "overlay2",
        "Platform": "linux",
        "MountLabel": "",
        "ProcessLabel": "",
        "AppArmorProfile": "",
        "ExecIDs": execs,
        "HostConfig": shown::host(&record.host_config),
        "GraphDriver": { "Name": "overlay2", "Data": {} },
        "Mounts": record.mounts.iter().filter_map(mount_point).collect::<Vec<_>>(),
        "Config": shown::config(&record.config),
        "NetworkSettings": network(engine, &live),
    })
}

fn state(live: &Live) -> Value {
    let state = &live.record.state;
    let mut shown = json!({
        "Status": state.status.as_str(),
        "Running": state.is_up() || state.status == Status::Restarting,
        "Paused": state.status == Status::Paused,
        "Restarting": state.status == Status::Restarting,
        "OOMKilled": state.oom_killed,
        "Dead": state.status == Status::Dead,
        "Pid": state.pid,
        "ExitCode": state.exit_code,
        "Error": state.error,
        "StartedAt": state.started_at,
        "FinishedAt": state.finished_at,
    });
    if let Some(found) = &live.health {
        shown["Health"] = health(found);
    }
    shown
}

fn health(health: &Health) -> Value {
    let results = health.results.iter().map(|result| {
        json!({
            "Start": result.start,
            "End": result.end,
            "ExitCode": result.code,
            "Output": result.output,
        })
    });
    json!({
        "Status": health.verdict.as_str(),
        "FailingStreak": health.failing,
        "Log": results.collect::<Vec<_>>(),
    })
}

fn network(engine: &Engine, live: &Live) -> Value {
    let record = &live.record;
    let first = record.endpoints.first().map(|(_, settings)| settings);
    let text = |value: Option<&String>| value.cloned().unwrap_or_default();
    let key = engine.layout.container_run(&record.id).join("netns");
    let mut ports: Map<String, Value> = Map::new();
    for (port, bindings) in &record.ports {
        ports.insert(port.clone(), json!(bindings));
    }
    if record.state.is_up() {
        for port in record.config.exposed_ports.iter().flatten() {
            ports.entry(port).or_insert(Value::Null);
        }
    }
    ports.sort_keys();
    json!({
        "Bridge": "",
        "SandboxID": record.id,
        "SandboxKey": key,
        "Ports": ports,
        "IPAddress": text(first.and_then(|settings| settings.ip_address.as_ref())),
        "IPPrefixLen": first.and_then(|settings| settings.ip_prefix_len).unwrap_or_default(),
        "Gateway": text(first.and_then(|settings| settings.gateway.as_ref())),
        "EndpointID": text(first.and_then(|settings| settings.endpoint_id.as_ref())),
        "GlobalIPv6Address": text(first.and_then(|settings| settings.global_ipv6_address.as_ref())),
        "GlobalIPv6PrefixLen": first.and_then(|settings| settings.global_ipv6_prefix_len).unwrap_or_default(),
        "IPv6Gateway": text(first.and_then(|settings| settings.ipv6_gateway.as_ref())),
        "HairpinMode": false,
        "LinkLocalIPv6Address": "",
        "LinkLocalIPv6PrefixLen": 0,
        "SecondaryIPAddresses": null,
        "SecondaryIPv6Addresses": null,
        "MacAddress": text(first.and_then(|settings| settings.mac_address.as_ref())),
        "Networks": shown::networks(&record.endpoints),
    })
}

/// How much a container has written to its own layer, in bytes.
///
/// # Errors
/// 500 when it cannot be read.
async fn written(engine: &Engine, id: &str) -> Result<u64> {
    let folder = engine.layout.snapshots().join(id).join("upper");
    blocking(move || Ok(size(&folder))).await
}

/// Adds `SizeRw` and `SizeRootFs` to what is shown of a container.
///
/// # Errors
/// 500 when its layer cannot be read.
pub(crate) async fn add_sizes(engine: &Engine, record: &Record, shown: &mut Value) -> Result<()> {
    let written = written(engine, &record.id).await?;
    let image = engine.images.resolve(&record.image_id);
    let image = image.map_or(0, |image| image.size);
    shown["SizeRw"] = written.into();
    shown["SizeRootFs"] = image.saturating_add(written).into();
    Ok(())
}

/// Bytes of all files below a folder; what cannot be read does not count.
pub(crate) fn size(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let sizes = entries.map(|entry| match entry.metadata() {
        Ok(data) if data.is_dir() => size(&entry.path()),
        Ok(data) => data.len(),
        Err(_) => 0,
    });
    sizes.sum()
}
