//! `/_ping`, `/version`, `/system/df`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, HeaderName};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use nix::sys::utsname::uname;
use serde_json::{Value, json};

use super::images_shown::listed;
use super::{Answer, NEWEST, OLDEST};
use crate::Error;
use crate::container::{blocking, inspect, list};
use crate::engine::Engine;
use crate::filters::Filters;

/// The routes of this file.
pub(super) fn routes() -> Router<Arc<Engine>> {
    Router::new()
        .route("/_ping", get(ping).head(ping))
        .route("/version", get(version))
        .route("/system/df", get(disk_usage))
}

async fn ping() -> impl IntoResponse {
    let header = HeaderName::from_static;
    let headers = [
        (header("api-version"), NEWEST),
        // Tells clients that care that this is not Docker.
        (
            header("server"),
            concat!("rcompose-engine/", env!("CARGO_PKG_VERSION"), " (linux)"),
        ),
        (header("ostype"), "linux"),
        (header("docker-experimental"), "false"),
        (header("swarm"), "inactive"),
        (header("builder-version"), "1"),
        (CACHE_CONTROL, "no-cache, no-store, must-revalidate"),
    ];
    (headers, "OK")
}

async fn version() -> Answer<Json<Value>> {
    let system = uname().map_err(|error| Error::internal(format!("uname: {error}")))?;
    let kernel = system.release().to_string_lossy().into_owned();
    let version = env!("CARGO_PKG_VERSION");
    Ok(Json(json!({
        "Platform": { "Name": "rcompose engine" },
        // Clients show the details of the component with this name.
        "Components": [{ "Name": "Engine", "Version": version, "Details": {
            "ApiVersion": NEWEST, "MinAPIVersion": OLDEST, "Os": "linux", "Arch": architecture(),
            "KernelVersion": kernel, "Experimental": "false",
        }}],
        "Version": version,
        "ApiVersion": NEWEST,
        "MinAPIVersion": OLDEST,
        "GitCommit": "",
        "GoVersion": "",
        "Os": "linux",
        "Arch": architecture(),
        "KernelVersion": kernel,
    })))
}

async fn disk_usage(State(engine): State<Arc<Engine>>) -> Answer<Json<Value>> {
    let images = engine.images.list(&Filters::default())?;
    let layers: u64 = images.iter().map(|image| image.size).sum();
    let images: Vec<Value> = images.iter().map(listed).collect();
    let mut containers = Vec::new();
    let all = list::Query {
        all: true,
        ..list::Query::default()
    };
    for live in list::list(&engine.containers, &all)? {
        let mut summary = list::summary(&live);
        inspect::add_sizes(&engine, &live.record, &mut summary).await?;
        containers.push(summary);
    }
    let mut volumes = Vec::new();
    for volume in engine.volumes.all() {
        let mut summary = super::volumes::shown(&engine, &volume);
        let folder = engine.volumes.mountpoint(&volume.name)?;
        let size = blocking(move || Ok(inspect::size(&folder))).await?;
        let users = engine.volumes.users(&volume.name).len();
        summary["UsageData"] = json!({ "Size": size, "RefCount": users });
        volumes.push(summary);
    }
    Ok(Json(json!({
        "LayersSize": layers, "Images": images, "Containers": containers, "Volumes": volumes,
        "BuildCache": [],
    })))
}

/// The machine's architecture as images name it.
pub(crate) fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}
