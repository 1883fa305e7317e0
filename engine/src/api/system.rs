//! `/_ping`, `/version`.

use std::sync::Arc;

use axum::http::header::{CACHE_CONTROL, HeaderName};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use nix::sys::utsname::uname;
use serde_json::{Value, json};

use super::{Answer, NEWEST, OLDEST};
use crate::Error;
use crate::engine::Engine;

/// The routes of this file.
pub(super) fn routes() -> Router<Arc<Engine>> {
    Router::new()
        .route("/_ping", get(ping).head(ping))
        .route("/version", get(version))
}

async fn ping() -> impl IntoResponse {
    let header = HeaderName::from_static;
    let headers = [
        (header("api-version"), NEWEST),
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
    let version = env!("CARGO_PKG_VERSION");
    Ok(Json(json!({
        "Platform": { "Name": "rcompose engine" },
        "Components": [{ "Name": "Engine", "Version": version, "Details": {} }],
        "Version": version,
        "ApiVersion": NEWEST,
        "MinAPIVersion": OLDEST,
        "Os": "linux",
        "Arch": architecture(),
        "KernelVersion": system.release().to_string_lossy(),
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
