//! `GET /info`.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use bollard_stubs::models::{
    LocalNodeState, PluginsInfo, SwarmInfo, SystemInfo, SystemInfoCgroupDriverEnum,
    SystemInfoCgroupVersionEnum,
};
use nix::sys::utsname::uname;

use super::Answer;
use crate::container::{Machine, Status, usage};
use crate::engine::Engine;
use crate::{Error, time};

/// The routes of this file.
pub(super) fn routes() -> Router<Arc<Engine>> {
    Router::new().route("/info", get(info))
}

async fn info(State(engine): State<Arc<Engine>>) -> Answer<Json<SystemInfo>> {
    let system = uname().map_err(|error| Error::internal(format!("uname: {error}")))?;
    let machine = Machine::detect();
    let statuses: Vec<Status> = {
        let all = engine.containers.all().into_iter();
        all.map(|handle| handle.record().state.status).collect()
    };
    let count = |wanted: Status| statuses.iter().filter(|status| **status == wanted).count() as i64;
    let (all, running, paused) = (
        statuses.len() as i64,
        count(Status::Running),
        count(Status::Paused),
    );
    let version = if machine.unified {
        SystemInfoCgroupVersionEnum::_2
    } else {
        SystemInfoCgroupVersionEnum::_1
    };
    Ok(Json(SystemInfo {
        id: Some(engine.layout.root().display().to_string()),
        name: Some(system.nodename().to_string_lossy().into_owned()),
        server_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        containers: Some(all),
        containers_running: Some(running),
        containers_paused: Some(paused),
        containers_stopped: Some(all - running - paused),
        images: Some(engine.images.all().len() as i64),
        driver: Some("overlay2".to_owned()),
        driver_status: Some(Vec::new()),
        docker_root_dir: Some(engine.layout.root().display().to_string()),
        plugins: Some(plugins()),
        memory_limit: Some(true),
        swap_limit: Some(machine.limits_swap),
        cpu_cfs_period: Some(true),
        cpu_cfs_quota: Some(true),
        cpu_shares: Some(true),
        cpu_set: Some(true),
        pids_limit: Some(true),
        oom_kill_disable: Some(!machine.unified),
        ipv4_forwarding: Some(true),
        debug: Some(false),
        logging_driver: Some("json-file".to_owned()),
        cgroup_driver: Some(SystemInfoCgroupDriverEnum::CGROUPFS),
        cgroup_version: Some(version),
        kernel_version: Some(system.release().to_string_lossy().into_owned()),
        operating_system: Some(operating_system()),
        os_type: Some("linux".to_owned()),
        architecture: Some(system.machine().to_string_lossy().into_owned()),
        ncpu: Some(processors()),
        mem_total: Some(i64::try_from(usage::machine_memory()).unwrap_or(i64::MAX)),
        system_time: Some(time::now()),
        labels: Some(Vec::new()),
        experimental_build: Some(false),
        live_restore_enabled: Some(true),
        init_binary: Some("rcompose".to_owned()),
        security_options: Some(vec!["name=seccomp,profile=builtin".to_owned()]),
        swarm: Some(SwarmInfo {
            local_node_state: Some(LocalNodeState::INACTIVE),
            ..SwarmInfo::default()
        }),
        default_runtime: Some("rcompose".to_owned()),
        index_server_address: Some("https://index.docker.io/v1/".to_owned()),
        warnings: Some(Vec::new()),
        ..SystemInfo::default()
    }))
}

fn plugins() -> PluginsInfo {
    let names = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect());
    PluginsInfo {
        volume: names(&["local"]),
        network: names(&["bridge", "host", "null"]),
        authorization: None,
        log: names(&["json-file", "none"]),
    }
}

fn processors() -> i64 {
    std::thread::available_parallelism().map_or(1, |processors| processors.get() as i64)
}

/// The distribution's name for itself.
fn operating_system() -> String {
    let text = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    let name = text
        .lines()
        .find_map(|line| line.strip_prefix("PRETTY_NAME="));
    name.map_or("Linux", |name| name.trim_matches('"'))
        .to_owned()
}
