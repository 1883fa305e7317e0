//! `/containers/{id}/archive`, `/containers/{id}/export`: files of a container.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::oneshot;

use super::images::archive;
use super::{Answer, Query, is_true};
use crate::archive::{body_reader, decompress, stream};
use crate::container::archive::{View, Writing};
use crate::container::{Handle, blocking, tell};
use crate::engine::Engine;
use crate::{Error, Result};

/// What the API tells of a path, in Base64.
const STAT: &str = "x-docker-container-path-stat";

/// The routes of this file.
pub(super) fn routes() -> Router<Arc<Engine>> {
    Router::new()
        .route("/containers/{id}/archive", get(read).head(stat).put(write))
        .route("/containers/{id}/export", get(export))
}

#[derive(Debug, Deserialize)]
struct Parameters {
    path: Option<String>,
    #[serde(rename = "noOverwriteDirNonDir")]
    keep_kinds: Option<String>,
    #[serde(rename = "copyUIDGID")]
    as_user: Option<String>,
}

impl Parameters {
    fn path(&self) -> Result<String> {
        let path = self.path.clone().filter(|path| !path.is_empty());
        path.ok_or_else(|| Error::bad_request("bad parameter: 'path' cannot be empty"))
    }
}

fn with_stat(mut response: Response, stat: &Value) -> Answer {
    let value = BASE64_STANDARD.encode(stat.to_string());
    let value = HeaderValue::from_str(&value).map_err(Error::internal)?;
    response.headers_mut().insert(STAT, value);
    Ok(response)
}

async fn stat(
    State(engine): State<Arc<Engine>>,
    Path(id): Path<String>,
    Query(parameters): Query<Parameters>,
) -> Answer {
    let path = parameters.path()?;
    let handle = engine.containers.get(&id)?;
    let _turn = handle.turn().await;
    let view = View::open(&engine, &handle.record()).await?;
    let stat = blocking(move || view.stat(&id, &path)).await;
    View::close(&engine, &handle).await;
    with_stat(StatusCode::OK.into_response(), &stat?)
}

async fn read(
    State(engine): State<Arc<Engine>>,
    Path(id): Path<String>,
    Query(parameters): Query<Parameters>,
) -> Answer {
    let path = parameters.path()?;
    let handle = engine.containers.get(&id)?;
    let _turn = handle.turn().await;
    let view = View::open(&engine, &handle.record()).await?;
    let (found, waiting) = oneshot::channel();
    let body = stream(move |writer| view.read(&id, &path, writer, found));
    let stat = waiting.await;
    // From here on the reader has the files in a mount namespace of its own.
    View::close(&engine, &handle).await;
    let stat = stat.map_err(|_| Error::internal("reading ended early"))?;
    with_stat(archive(body), &stat?)
}

async fn export(State(engine): State<Arc<Engine>>, Path(id): Path<String>) -> Answer {
    let handle = engine.containers.get(&id)?;
    let _turn = handle.turn().await;
    let view = View::open(&engine, &handle.record()).await?;
    let (entered, waiting) = oneshot::channel();
    let body = stream(move |writer| view.export(writer, entered));
    let began = waiting.await;
    View::close(&engine, &handle).await;
    began.map_err(|_| Error::internal("reading ended early"))?;
    tell(&engine, &handle.record(), "export", &[]);
    let kind = [(CONTENT_TYPE, "application/octet-stream")];
    Ok((kind, body).into_response())
}

async fn write(
    State(engine): State<Arc<Engine>>,
    Path(id): Path<String>,
    Query(parameters): Query<Parameters>,
    body: Body,
) -> Answer<StatusCode> {
    let handle = engine.containers.get(&id)?;
    let path = parameters.path()?;
    let writing = Writing {
        container: id,
        path,
        keep_kinds: is_true(parameters.keep_kinds.as_deref()),
        as_user: is_true(parameters.as_user.as_deref()),
    };
    // Goes on when the client goes: what is mounted must be taken away again.
    let task = tokio::spawn(async move { write_in(&engine, &handle, writing, body).await });
    match task.await {
        Ok(written) => written.map(|()| StatusCode::OK),
        Err(error) => Err(Error::internal(format!("interrupted: {error}"))),
    }
}

async fn write_in(
    engine: &Arc<Engine>,
    handle: &Arc<Handle>,
    writing: Writing,
    body: Body,
) -> Result<()> {
    let _turn = handle.turn().await;
    let view = View::open(engine, &handle.record()).await?;
    let reader = body_reader(body);
    let written = blocking(move || {
        let reader = decompress(reader).map_err(Error::bad_request)?;
        view.write(&writing, reader)
    })
    .await;
    View::close(engine, handle).await;
    written
}
