//! `/containers`, but for attach, exec and logs.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use bollard_stubs::models::ContainerCreateBody;
use bytes::Bytes;
use futures::stream;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, Query, is_true};
use crate::container::remove::How;
use crate::container::stop::Stop;
use crate::container::{
    Handle, Live, changes, create, inspect, list, remove, signal, start, stop, update,
};
use crate::engine::Engine;
use crate::filters::Filters;
use crate::shim::{Link, Request};
use crate::{Error, Result};

/// The routes of this file.
pub(super) fn routes() -> Router<Arc<Engine>> {
    Router::new()
        .route("/containers/json", get(list_all))
        .route("/containers/create", post(create_one))
        .route("/containers/prune", post(prune))
        .route("/containers/{id}", delete(remove_one))
        .route("/containers/{id}/json", get(inspect_one))
        .route("/containers/{id}/start", post(start_one))
        .route("/containers/{id}/stop", post(stop_one))
        .route("/containers/{id}/restart", post(restart_one))
        .route("/containers/{id}/kill", post(kill_one))
        .route("/containers/{id}/pause", post(pause_one))
        .route("/containers/{id}/unpause", post(unpause_one))
        .route("/containers/{id}/rename", post(rename_one))
        .route("/containers/{id}/resize", post(resize_one))
        .route("/containers/{id}/wait", post(wait_one))
        .route("/containers/{id}/update", post(update_one))
        .route("/containers/{id}/changes", get(changes_of_one))
}

type Shared = State<Arc<Engine>>;

#[derive(Deserialize)]
struct ListParameters {
    all: Option<String>,
    limit: Option<i64>,
    size: Option<String>,
    filters: Option<String>,
}

async fn list_all(
    State(engine): Shared,
    Query(parameters): Query<ListParameters>,
) -> Answer<Json<Vec<Value>>> {
    let query = list::Query {
        all: is_true(parameters.all.as_deref()),
        limit: parameters
            .limit
            .and_then(|limit| usize::try_from(limit).ok())
            .filter(|limit| *limit > 0),
        filters: Filters::parse(parameters.filters.as_deref(), list::FILTERS)?,
    };
    let with_size = is_true(parameters.size.as_deref());
    let mut shown = Vec::new();
    for live in list::list(&engine.containers, &query)? {
        let mut summary = list::summary(&live);
        if with_size {
            inspect::add_sizes(&engine, &live.record, &mut summary).await?;
        }
        shown.push(summary);
    }
    Ok(Json(shown))
}

#[derive(Deserialize)]
struct CreateParameters {
    name: Option<String>,
    platform: Option<String>,
}

async fn create_one(
    State(engine): Shared,
    Query(parameters): Query<CreateParameters>,
    body: Bytes,
) -> Answer {
    let own = format!("linux/{}", super::system::architecture());
    if let Some(platform) = parameters.platform.filter(|platform| !platform.is_empty())
        && platform != own
        && platform != "linux"
    {
        let message = format!(
            "image with reference was found but does not match the specified platform: wanted {platform}"
        );
        return Err(Error::not_found(message));
    }
    let invalid = |error| Error::bad_request(format!("invalid container configuration: {error}"));
    let body: ContainerCreateBody = serde_json::from_slice(&body).map_err(invalid)?;
    let handle = create::create(&engine, parameters.name.as_deref(), body).await?;
    let answer = Json(json!({ "Id": handle.id, "Warnings": [] }));
    Ok((StatusCode::CREATED, answer).into_response())
}

#[derive(Deserialize)]
struct InspectParameters {
    size: Option<String>,
}

async fn inspect_one(
    State(engine): Shared,
    Path(id): Path<String>,
    Query(parameters): Query<InspectParameters>,
) -> Answer<Json<Value>> {
    let handle = engine.containers.get(&id)?;
    let mut shown = inspect::inspect(&engine, &handle);
    if is_true(parameters.size.as_deref()) {
        inspect::add_sizes(&engine, &handle.record(), &mut shown).await?;
    }
    Ok(Json(shown))
}

async fn start_one(State(engine): Shared, Path(id): Path<String>) -> Answer<StatusCode> {
    let handle = engine.containers.get(&id)?;
    aside(async move { start::start(&engine, &handle).await }).await
}

/// Goes on when the client goes: what is half done would be worse than what is not wanted.
async fn aside(work: impl Future<Output = Result<()>> + Send + 'static) -> Answer<StatusCode> {
    match tokio::spawn(work).await {
        Ok(done) => done.map(|()| StatusCode::NO_CONTENT),
        Err(error) => Err(Error::internal(format!("interrupted: {error}"))),
    }
}

#[derive(Deserialize)]
struct StopParameters {
    t: Option<i64>,
    signal: Option<String>,
}

impl StopParameters {
    fn stop(&self) -> Result<Stop> {
        let signal = self.signal.as_deref().filter(|signal| !signal.is_empty());
        Ok(Stop {
            signal: signal.map(signal::parse).transpose()?,
            grace: self.t,
        })
    }
}

async fn stop_one(
    State(engine): Shared,
    Path(id): Path<String>,
    Query(parameters): Query<StopParameters>,
) -> Answer<StatusCode> {
    let handle = engine.containers.get(&id)?;
    let how = parameters.stop()?;
    aside(async move { stop::stop(&engine, &handle, how).await }).await
}

async fn restart_one(
    State(engine): Shared,
    Path(id): Path<String>,
    Query(parameters): Query<StopParameters>,
) -> Answer<StatusCode> {
    let handle = engine.containers.get(&id)?;
    let how = parameters.stop()?;
    aside(async move { stop::restart(&engine, &handle, how).await }).await
}

async fn kill_one(
    State(engine): Shared,
    Path(id): Path<String>,
    Query(parameters): Query<StopParameters>,
) -> Answer<StatusCode> {
    let handle = engine.containers.get(&id)?;
    let signal = parameters.stop()?.signal.unwrap_or(9);
    aside(async move { stop::kill(&engine, &handle, signal).await }).await
}

async fn pause_one(State(engine): Shared, Path(id): Path<String>) -> Answer<StatusCode> {
    let handle = engine.containers.get(&id)?;
    aside(async move { stop::pause(&engine, &handle).await }).await
}

async fn unpause_one(State(engine): Shared, Path(id): Path<String>) -> Answer<StatusCode> {
    let handle = engine.containers.get(&id)?;
    aside(async move { stop::unpause(&engine, &handle).await }).await
}

#[derive(Deserialize)]
struct RenameParameters {
    name: Option<String>,
}

async fn rename_one(
    State(engine): Shared,
    Path(id): Path<String>,
    Query(parameters): Query<RenameParameters>,
) -> Answer<StatusCode> {
    let handle = engine.containers.get(&id)?;
    let name = parameters.name.unwrap_or_default();
    remove::rename(&engine, &handle, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
struct RemoveParameters {
    v: Option<String>,
    force: Option<String>,
    link: Option<String>,
}

async fn remove_one(
    State(engine): Shared,
    Path(id): Path<String>,
    Query(parameters): Query<RemoveParameters>,
) -> Answer<StatusCode> {
    if is_true(parameters.link.as_deref()) {
        return Err(Error::not_supported("link=true"));
    }
    let handle = engine.containers.get(&id)?;
    let how = How {
        force: is_true(parameters.force.as_deref()),
        volumes: is_true(parameters.v.as_deref()),
    };
    aside(async move { remove::remove(&engine, &handle, how).await }).await
}

#[derive(Deserialize)]
struct SizeParameters {
    h: u16,
    w: u16,
}

async fn resize_one(
    State(engine): Shared,
    Path(id): Path<String>,
    Query(SizeParameters { h, w }): Query<SizeParameters>,
) -> Answer<StatusCode> {
    let handle = engine.containers.get(&id)?;
    if !handle.record().state.is_up() {
        return Err(Error::conflict(format!(
            "container {} is not running",
            handle.id
        )));
    }
    let request = Request::Resize {
        exec: None,
        width: w,
        height: h,
    };
    Link::ask(&engine.layout.container_run(&handle.id), &request).await?;
    Ok(StatusCode::OK)
}

#[derive(Deserialize)]
struct WaitParameters {
    condition: Option<String>,
}

/// The headers go out at once, so that a client knows that it waits before it starts the
/// container.
async fn wait_one(
    State(engine): Shared,
    Path(id): Path<String>,
    Query(parameters): Query<WaitParameters>,
) -> Answer {
    let handle = engine.containers.get(&id)?;
    let exits = handle.live().exits;
    let done: fn(&Live, u64) -> bool = match parameters.condition.as_deref() {
        None | Some("" | "not-running") => |live, _| live.removed || !live.is_busy(),
        Some("next-exit") => |live, exits| live.removed || live.exits > exits,
        Some("removed") => |live, _| live.removed,
        Some(other) => {
            return Err(Error::bad_request(format!(
                "invalid condition: \"{other}\""
            )));
        }
    };
    let body = stream::once(wait_for(handle, exits, done));
    let mut response = Response::new(Body::from_stream(body));
    let json = axum::http::HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    Ok(response)
}

async fn wait_for(handle: Arc<Handle>, exits: u64, done: fn(&Live, u64) -> bool) -> Result<Bytes> {
    let live = handle.until(|live| done(live, exits)).await;
    let answer = json!({ "StatusCode": live.record.state.exit_code });
    Ok(format!("{answer}\n").into())
}

async fn update_one(
    State(engine): Shared,
    Path(id): Path<String>,
    body: Bytes,
) -> Answer<Json<Value>> {
    let handle = engine.containers.get(&id)?;
    let body = serde_json::from_slice(&body)
        .map_err(|error| Error::bad_request(format!("invalid update: {error}")))?;
    update::update(&engine, &handle, &body).await?;
    Ok(Json(json!({ "Warnings": [] })))
}

async fn changes_of_one(
    State(engine): Shared,
    Path(id): Path<String>,
) -> Answer<Json<Option<Vec<Value>>>> {
    let handle = engine.containers.get(&id)?;
    let changes = changes::changes(&engine, &handle).await?;
    Ok(Json(Some(changes).filter(|changes| !changes.is_empty())))
}

#[derive(Deserialize)]
struct PruneParameters {
    filters: Option<String>,
}

async fn prune(
    State(engine): Shared,
    Query(parameters): Query<PruneParameters>,
) -> Answer<Json<Value>> {
    let filters = Filters::parse(parameters.filters.as_deref(), &["label", "label!", "until"])?;
    let removed = remove::prune(&engine, &filters).await?;
    Ok(Json(
        json!({ "ContainersDeleted": removed, "SpaceReclaimed": 0 }),
    ))
}
