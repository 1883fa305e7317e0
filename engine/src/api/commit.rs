//! `POST /commit`: an image of a container.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use axum::routing::post;
use axum::{Json, Router};
use bollard_stubs::models::ContainerConfig;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;

use super::images::{named, tell, values};
use super::{Answer, Query, is_true};
use crate::build::{Commit, commit};
use crate::engine::Engine;
use crate::{Error, container};

/// The routes of this file.
pub(super) fn routes() -> Router<Arc<Engine>> {
    Router::new().route("/commit", post(run))
}

#[derive(Debug, Deserialize)]
struct Parameters {
    container: Option<String>,
    repo: Option<String>,
    tag: Option<String>,
    comment: Option<String>,
    author: Option<String>,
    pause: Option<String>,
}

async fn run(
    State(engine): State<Arc<Engine>>,
    Query(parameters): Query<Parameters>,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Answer {
    let handle = engine
        .containers
        .get(parameters.container.as_deref().unwrap_or_default())?;
    if !body.is_empty() {
        let invalid = |error| Error::bad_request(format!("invalid configuration: {error}"));
        let config: Option<ContainerConfig> = serde_json::from_slice(&body).map_err(invalid)?;
        if config.is_some_and(|config| config != ContainerConfig::default()) {
            return Err(Error::not_supported(
                "a configuration in the body of a commit",
            ));
        }
    }
    let name = parameters.repo.filter(|name| !name.is_empty());
    let name = name.map(|name| named(&name, parameters.tag.as_deref()));
    let request = Commit {
        name: name.transpose()?,
        author: parameters.author,
        comment: parameters.comment,
        changes: values(query.as_deref(), "changes"),
        pause: parameters.pause.is_none_or(|pause| is_true(Some(&pause))),
    };
    let id = commit(&engine, &handle, request).await?;
    container::tell(
        &engine,
        &handle.record(),
        "commit",
        &[("imageID", id.clone())],
    );
    tell(&engine, "create", &id, &id);
    Ok((StatusCode::CREATED, Json(json!({ "Id": id }))).into_response())
}
