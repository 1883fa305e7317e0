//! `/volumes`.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bollard_stubs::models::VolumeCreateRequest;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Answer;
use super::Query;
use crate::engine::Engine;
use crate::events::Kind;
use crate::filters::Filters;
use crate::volume::{ANONYMOUS, Volume};
use crate::{Error, identifier};

/// The routes of this file.
pub(super) fn routes() -> Router<Arc<Engine>> {
    Router::new()
        .route("/volumes", get(list))
        .route("/volumes/create", post(create))
        .route("/volumes/prune", post(prune))
        .route("/volumes/{name}", get(inspect).delete(remove))
}

#[derive(Deserialize)]
struct Parameters {
    filters: Option<String>,
    force: Option<String>,
}

async fn list(
    State(engine): State<Arc<Engine>>,
    Query(parameters): Query<Parameters>,
) -> Answer<Json<Value>> {
    let known = ["dangling", "driver", "label", "label!", "name"];
    let filters = Filters::parse(parameters.filters.as_deref(), &known)?;
    let mut volumes = engine.volumes.all();
    volumes.retain(|volume| passes(&filters, volume));
    if !filters.values("dangling").is_empty() {
        let dangling = filters.any("dangling", |value| matches!(value, "true" | "1"));
        volumes.retain(|volume| engine.volumes.users(&volume.name).is_empty() == dangling);
    }
    let volumes = volumes.iter().map(|volume| shown(&engine, volume));
    Ok(Json(
        json!({ "Volumes": volumes.collect::<Vec<_>>(), "Warnings": null }),
    ))
}

async fn create(State(engine): State<Arc<Engine>>, body: Bytes) -> Answer {
    let body: &[u8] = if body.is_empty() { b"{}" } else { &body };
    let request: VolumeCreateRequest = serde_json::from_slice(body)
        .map_err(|error| Error::bad_request(format!("invalid JSON: {error}")))?;
    if request.cluster_volume_spec.is_some() {
        return Err(Error::not_supported("ClusterVolumeSpec"));
    }
    let mut labels = request.labels.unwrap_or_default();
    let name = request
        .name
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| {
            labels.insert(ANONYMOUS.to_owned(), String::new());
            identifier::new()
        });
    let options = request.driver_opts.unwrap_or_default();
    let driver = request.driver.unwrap_or_default();
    let (volume, is_new) = engine.volumes.ensure(&name, &driver, &options, &labels)?;
    if is_new {
        tell(&engine, "create", &name);
    }
    Ok((StatusCode::CREATED, Json(shown(&engine, &volume))).into_response())
}

async fn inspect(
    State(engine): State<Arc<Engine>>,
    Path(name): Path<String>,
) -> Answer<Json<Value>> {
    Ok(Json(shown(&engine, &engine.volumes.get(&name)?)))
}

async fn remove(
    State(engine): State<Arc<Engine>>,
    Path(name): Path<String>,
    Query(parameters): Query<Parameters>,
) -> Answer {
    let force = parameters
        .force
        .is_some_and(|force| matches!(force.as_str(), "1" | "true" | "True"));
    match engine.volumes.remove(&name).await {
        Ok(()) => tell(&engine, "destroy", &name),
        Err(error) if error.status == 404 && force => {}
        Err(error) => return Err(error),
    }
    Ok(Response::builder()
        .status(StatusCode::NO_CONTENT)
        .body(axum::body::Body::empty())
        .unwrap_or_default())
}

async fn prune(
    State(engine): State<Arc<Engine>>,
    Query(parameters): Query<Parameters>,
) -> Answer<Json<Value>> {
    let filters = Filters::parse(parameters.filters.as_deref(), &["all", "label", "label!"])?;
    let all = filters
        .values("all")
        .iter()
        .any(|value| matches!(value.as_str(), "true" | "1"));
    let mut removed = Vec::new();
    let mut bytes = 0;
    for volume in engine.volumes.all() {
        if !passes(&filters, &volume) || !(all || volume.labels.contains_key(ANONYMOUS)) {
            continue;
        }
        let size = engine.volumes.size(&volume.name).await;
        if engine.volumes.remove(&volume.name).await.is_ok() {
            tell(&engine, "destroy", &volume.name);
            removed.push(volume.name);
            bytes += size;
        }
    }
    let attributes = HashMap::from([("reclaimed".to_owned(), bytes.to_string())]);
    engine.events.publish(Kind::VOLUME, "prune", "", attributes);
    Ok(Json(
        json!({ "VolumesDeleted": removed, "SpaceReclaimed": bytes }),
    ))
}

fn passes(filters: &Filters, volume: &Volume) -> bool {
    let labels = volume.labels.clone().into_iter().collect();
    filters.labels(&labels)
        && filters.any("name", |name| volume.name.contains(name))
        && filters.any("driver", |driver| driver == volume.driver)
}

/// A volume as clients see it.
pub(super) fn shown(engine: &Engine, volume: &Volume) -> Value {
    let mountpoint = engine.volumes.mountpoint(&volume.name).unwrap_or_default();
    let options = Some(&volume.options).filter(|options| !options.is_empty());
    json!({
        "CreatedAt": volume.created,
        "Driver": volume.driver,
        "Labels": Some(&volume.labels).filter(|labels| !labels.is_empty()),
        "Mountpoint": mountpoint,
        "Name": volume.name,
        "Options": options,
        "Scope": "local",
    })
}

fn tell(engine: &Engine, action: &str, name: &str) {
    let attributes = HashMap::from([("driver".to_owned(), "local".to_owned())]);
    engine
        .events
        .publish(Kind::VOLUME, action, name, attributes);
}
