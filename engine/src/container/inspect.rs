//! `GET /containers/{id}/json`.

use std::path::Path;

use serde_json::{Value, json};

use super::files::Files;
use super::handle::{Handle, Live, blocking};
use super::health::Health;
use super::list::mount_point;
use super::record::Status;
use super::start::log_path;
use crate::Result;
use crate::engine::Engine;

/// Everything that the API shows of a container.
pub(crate) fn inspect(engine: &Engine, handle: &Handle) -> Value {
    let live = handle.live();
    let record = &live.record;
    let files = Files::of(engine, &record.id);
    let mut config = serde_json::to_value(&record.config).unwrap_or_default();
    for name in ["Env", "Cmd"] {
        if config[name].is_null() {
            config[name] = json!([]);
        }
    }
    if config["Labels"].is_null() {
        config["Labels"] = json!({});
    }
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
        "ExecIDs": engine.containers.execs_of(&record.id),
        "HostConfig": record.host_config,
        "GraphDriver": { "Name": "overlay2", "Data": {} },
        "Mounts": record.mounts.iter().filter_map(mount_point).collect::<Vec<_>>(),
        "Config": config,
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
    let mut ports = record.ports.clone();
    if record.state.is_up() {
        for port in record.config.exposed_ports.iter().flatten() {
            ports.entry(port.clone()).or_default();
        }
    }
    json!({
        "Bridge": "",
        "SandboxID": record.id,
        "SandboxKey": key,
        "Ports": ports,
        "IPAddress": text(first.and_then(|settings| settings.ip_address.as_ref())),
        "IPPrefixLen": first.and_then(|settings| settings.ip_prefix_len).unwrap_or_default(),
        "Gateway": text(first.and_then(|settings| settings.gateway.as_ref())),
        "MacAddress": text(first.and_then(|settings| settings.mac_address.as_ref())),
        "Networks": record.endpoints,
    })
}

/// How much a container has written to its own layer, in bytes.
///
/// # Errors
/// 500 when it cannot be read.
pub(crate) async fn written(engine: &Engine, id: &str) -> Result<u64> {
    let folder = engine.layout.snapshots().join(id).join("upper");
    blocking(move || Ok(size(&folder))).await
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
