//! `GET /containers/{id}/logs`.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use axum::routing::get;
use serde::Deserialize;

use super::{Answer, Query, is_true, nanoseconds};
use crate::container::logs;
use crate::engine::Engine;
use crate::{Error, Result};

/// The routes of this file.
pub(super) fn routes() -> Router<Arc<Engine>> {
    Router::new().route("/containers/{id}/logs", get(read))
}

#[derive(Deserialize)]
struct Parameters {
    follow: Option<String>,
    stdout: Option<String>,
    stderr: Option<String>,
    since: Option<String>,
    until: Option<String>,
    timestamps: Option<String>,
    tail: Option<String>,
}

async fn read(
    State(engine): State<Arc<Engine>>,
    Path(id): Path<String>,
    Query(parameters): Query<Parameters>,
) -> Answer {
    let handle = engine.containers.get(&id)?;
    let multiplexed = !handle.record().has_terminal();
    let query = logs::Query {
        stdout: is_true(parameters.stdout.as_deref()),
        stderr: is_true(parameters.stderr.as_deref()),
        since: time(parameters.since.as_deref())?,
        until: time(parameters.until.as_deref())?,
        tail: tail(parameters.tail.as_deref())?,
        follow: is_true(parameters.follow.as_deref()),
        timestamps: is_true(parameters.timestamps.as_deref()),
        multiplexed,
    };
    if !query.stdout && !query.stderr {
        return Err(Error::bad_request(
            "Bad parameters: you must choose at least one stream",
        ));
    }
    let stream = logs::read(&engine, &handle, query).await?;
    let mut response = Response::new(Body::from_stream(stream));
    let kind = HeaderValue::from_static(stream_type(multiplexed));
    response.headers_mut().insert(CONTENT_TYPE, kind);
    Ok(response)
}

/// The media type of output.
pub(super) fn stream_type(multiplexed: bool) -> &'static str {
    if multiplexed {
        "application/vnd.docker.multiplexed-stream"
    } else {
        "application/vnd.docker.raw-stream"
    }
}

/// No time where it says nothing or 0.
fn time(text: Option<&str>) -> Result<Option<i64>> {
    let text = text.filter(|text| !text.is_empty() && *text != "0");
    text.map(nanoseconds).transpose()
}

fn tail(text: Option<&str>) -> Result<Option<usize>> {
    match text {
        None | Some("" | "all") => Ok(None),
        // What is no number means everything for Docker as well when it is negative.
        Some(text) if text.starts_with('-') => Ok(None),
        Some(text) => text
            .parse()
            .map(Some)
            .map_err(|_| Error::bad_request(format!("invalid tail: {text}"))),
    }
}
