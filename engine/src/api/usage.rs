//! `/containers/{id}/top` and `/containers/{id}/stats`.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, http::HeaderValue};
use futures::{StreamExt as _, stream};
use serde::Deserialize;
use serde_json::Value;

use super::{Answer, Query};
use crate::container::{Handle, blocking, usage};
use crate::engine::Engine;
use crate::{Error, Result};

/// How far apart two measurements are.
const INTERVAL: Duration = Duration::from_secs(1);

/// The routes of this file.
pub(super) fn routes() -> Router<Arc<Engine>> {
    Router::new()
        .route("/containers/{id}/top", get(top))
        .route("/containers/{id}/stats", get(stats))
}

#[derive(Deserialize)]
struct TopParameters {
    ps_args: Option<String>,
}

async fn top(
    State(engine): State<Arc<Engine>>,
    Path(id): Path<String>,
    Query(parameters): Query<TopParameters>,
) -> Answer<Json<Value>> {
    let record = engine.containers.get(&id)?.record();
    if !record.state.is_up() {
        return Err(Error::conflict(format!(
            "container {} is not running",
            record.id
        )));
    }
    let arguments = parameters.ps_args;
    let shown = blocking(move || usage::processes(&record, arguments.as_deref())).await?;
    Ok(Json(shown))
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct StatsParameters {
    stream: Option<String>,
    one_shot: Option<String>,
}

/// One measurement after another, each with the one before in `precpu_stats`; one alone without
/// `stream`, and at once with `one-shot`.
async fn stats(
    State(engine): State<Arc<Engine>>,
    Path(id): Path<String>,
    Query(parameters): Query<StatsParameters>,
) -> Answer {
    let handle = engine.containers.get(&id)?;
    let no = |value: Option<&str>| value.is_some_and(|value| !super::is_true(Some(value)));
    if super::is_true(parameters.one_shot.as_deref()) {
        return Ok(Json(measure(&handle, None).await?).into_response());
    }
    let former = measure(&handle, None).await?;
    if no(parameters.stream.as_deref()) {
        if handle.record().state.is_up() {
            tokio::time::sleep(INTERVAL).await;
        }
        return Ok(Json(measure(&handle, Some(&former)).await?).into_response());
    }
    let measured = stream::unfold((handle, former), |(handle, former)| async move {
        tokio::time::sleep(INTERVAL).await;
        if handle.live().removed {
            return None;
        }
        let next = measure(&handle, Some(&former)).await.ok()?;
        let line = format!("{next}\n");
        Some((line, (handle, next)))
    });
    let mut response = Response::new(Body::from_stream(measured.map(Ok::<_, Error>)));
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

async fn measure(handle: &Arc<Handle>, former: Option<&Value>) -> Result<Value> {
    let record = handle.record();
    if !record.state.is_up() {
        return Ok(usage::nothing(&record));
    }
    let mut shown = blocking(move || usage::usage(&record)).await?;
    shown["preread"] = former.map_or_else(|| crate::time::NEVER.into(), |all| all["read"].clone());
    shown["precpu_stats"] =
        former.map_or_else(usage::nothing_of_processors, |all| all["cpu_stats"].clone());
    Ok(shown)
}
