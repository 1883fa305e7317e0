//! `/exec` and `POST /containers/{id}/exec`.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bollard_stubs::models::{ExecConfig, ExecStartConfig};
use bytes::Bytes;
use futures::{StreamExt as _, stream};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Answer;
use super::Query;
use super::attach::{Coming, hijack, message};
use crate::Error;
use crate::container::exec::{self, Exec};
use crate::engine::Engine;
use crate::shim::Session;

/// Longest body of a start request.
const LONGEST: usize = 1 << 16;

/// The routes of this file.
pub(super) fn routes() -> Router<Arc<Engine>> {
    Router::new()
        .route("/containers/{id}/exec", post(create))
        .route("/exec/{id}/start", post(start))
        .route("/exec/{id}/json", get(inspect))
        .route("/exec/{id}/resize", post(resize))
}

async fn create(
    State(engine): State<Arc<Engine>>,
    Path(id): Path<String>,
    body: Bytes,
) -> Answer<Response> {
    let handle = engine.containers.get(&id)?;
    let config: ExecConfig = serde_json::from_slice(&body)
        .map_err(|error| Error::bad_request(format!("invalid exec configuration: {error}")))?;
    let exec = exec::create(&engine, &handle, config)?;
    Ok((StatusCode::CREATED, Json(json!({ "Id": exec.id }))).into_response())
}

async fn start(
    State(engine): State<Arc<Engine>>,
    Path(id): Path<String>,
    request: Request,
) -> Answer<Response> {
    let exec = engine.containers.exec(&id)?;
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, LONGEST)
        .await
        .map_err(Error::bad_request)?;
    let config: ExecStartConfig = if body.is_empty() {
        ExecStartConfig::default()
    } else {
        serde_json::from_slice(&body)
            .map_err(|error| Error::bad_request(format!("invalid exec start: {error}")))?
    };
    let size = match config.console_size.as_deref() {
        Some([height, width]) => u16::try_from(*width).ok().zip(u16::try_from(*height).ok()),
        _ => None,
    };
    let detached = config.detach == Some(true);
    let was_over = exec.is_over();
    let started = exec::start(&engine, &exec, detached, size).await;
    let multiplexed = !exec.has_terminal();
    let request = Request::from_parts(parts, axum::body::Body::empty());
    let session = match started {
        Ok(session) => session,
        // As Docker does: told as if the process had said it, and its exit code is 126 or 127.
        Err(error) if exec.is_over() && !was_over && !detached => {
            let told = message(&format!("{error}\r\n"), multiplexed);
            let past = stream::once(async move { Ok(told) }).boxed();
            return Ok(hijack(request, multiplexed, past, None, |_| ()));
        }
        Err(error) => return Err(error),
    };
    if detached {
        tokio::spawn(watch(engine, exec, session));
        return Ok(StatusCode::OK.into_response());
    }
    let ended = move |code| exec::ended(&engine, &exec, code);
    let past = stream::empty().boxed();
    Ok(hijack(
        request,
        multiplexed,
        past,
        Some(Coming::Here(session)),
        ended,
    ))
}

/// Waits for the end of a process that nobody is connected to.
async fn watch(engine: Arc<Engine>, exec: Arc<Exec>, mut session: Session) {
    while let Ok(Some(frame)) = session.output.next().await {
        if let Some(code) = frame.exit_code() {
            exec::ended(&engine, &exec, code);
            return;
        }
    }
    exec::ended(&engine, &exec, 137);
}

async fn inspect(State(engine): State<Arc<Engine>>, Path(id): Path<String>) -> Answer<Json<Value>> {
    Ok(Json(exec::inspect(&*engine.containers.exec(&id)?)))
}

#[derive(Deserialize)]
struct Size {
    h: u16,
    w: u16,
}

async fn resize(
    State(engine): State<Arc<Engine>>,
    Path(id): Path<String>,
    Query(Size { h, w }): Query<Size>,
) -> Answer<StatusCode> {
    let exec = engine.containers.exec(&id)?;
    exec::resize(&engine, &exec, w, h).await?;
    Ok(StatusCode::OK)
}
