//! `/networks`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use bollard_stubs::models::{
    NetworkConnectRequest, NetworkCreateRequest, NetworkDisconnectRequest,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, Query, nanoseconds};
use crate::container::Record;
use crate::engine::Engine;
use crate::filters::Filters;
use crate::network::{LIST_FILTERS, read_request};
use crate::{Error, Result};

/// The routes of this file.
pub(super) fn routes() -> Router<Arc<Engine>> {
    Router::new()
        .route("/networks", get(list))
        .route("/networks/create", post(create))
        .route("/networks/prune", post(prune))
        .route("/networks/{id}", get(inspect).delete(remove))
        .route("/networks/{id}/connect", post(connect))
        .route("/networks/{id}/disconnect", post(disconnect))
}

#[derive(Deserialize)]
struct Filtered {
    filters: Option<String>,
}

async fn list(
    State(engine): State<Arc<Engine>>,
    Query(query): Query<Filtered>,
) -> Answer<Json<Vec<Value>>> {
    let filters = Filters::parse(query.filters.as_deref(), LIST_FILTERS)?;
    Ok(Json(engine.networks.list(&filters)))
}

async fn inspect(State(engine): State<Arc<Engine>>, Path(id): Path<String>) -> Answer<Json<Value>> {
    engine.networks.inspect(&id).map(Json)
}

/// The body, whatever its content type says.
fn body<T: for<'de> Deserialize<'de>>(bytes: &[u8]) -> Result<T> {
    serde_json::from_slice(bytes)
        .map_err(|error| Error::bad_request(format!("invalid JSON: {error}")))
}

async fn create(
    State(engine): State<Arc<Engine>>,
    bytes: bytes::Bytes,
) -> Answer<(StatusCode, Json<Value>)> {
    let network = read_request(body::<NetworkCreateRequest>(&bytes)?)?;
    let network = engine.networks.create(network).await?;
    Ok((
        StatusCode::CREATED,
        Json(json!({ "Id": network.id, "Warning": "" })),
    ))
}

async fn remove(State(engine): State<Arc<Engine>>, Path(id): Path<String>) -> Answer<StatusCode> {
    engine.networks.remove(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn prune(
    State(engine): State<Arc<Engine>>,
    Query(query): Query<Filtered>,
) -> Answer<Json<Value>> {
    let filters = Filters::parse(query.filters.as_deref(), &["label", "label!", "until"])?;
    let until = filters
        .values("until")
        .first()
        .map(|time| nanoseconds(time))
        .transpose()?;
    let passes = |network: &crate::network::Network| {
        let created = nanoseconds(&network.created).unwrap_or(i64::MAX);
        filters.labels(&network.labels) && until.is_none_or(|until| created < until)
    };
    Ok(Json(
        json!({ "NetworksDeleted": engine.networks.prune(passes).await }),
    ))
}

async fn connect(
    State(engine): State<Arc<Engine>>,
    Path(id): Path<String>,
    bytes: bytes::Bytes,
) -> Answer<StatusCode> {
    let request: NetworkConnectRequest = body(&bytes)?;
    let asked = request.endpoint_config.unwrap_or_default();
    let handle = engine.containers.get(&request.container)?;
    let _turn = handle.turn().await;
    let network = engine.networks.check(&id, &asked)?;
    let record = handle.record();
    if key_of(&engine, &record, &network.id).is_some() {
        let (name, network) = (&record.name, &network.name);
        let message = format!("endpoint with name {name} already exists in network {network}");
        return Err(Error::forbidden(message));
    }
    let settings = if record.state.is_up() {
        engine
            .networks
            .join(&record.id, &network.id, &asked)
            .await?
    } else {
        asked
    };
    handle.change(|record| {
        record.endpoints.insert(network.name, settings);
    });
    engine.containers.save(&handle).await?;
    Ok(StatusCode::OK)
}

/// The key of a network among a container's: its name, or the id it was asked for by.
fn key_of(engine: &Engine, record: &Record, network: &str) -> Option<String> {
    let mut keys = record.endpoints.keys();
    let is_it = |key: &&String| {
        engine
            .networks
            .find(key)
            .is_ok_and(|found| found.id == network)
    };
    keys.find(is_it).cloned()
}

async fn disconnect(
    State(engine): State<Arc<Engine>>,
    Path(id): Path<String>,
    bytes: bytes::Bytes,
) -> Answer<StatusCode> {
    let request: NetworkDisconnectRequest = body(&bytes)?;
    let network = engine.networks.find(&id)?;
    let handle = engine.containers.get(&request.container)?;
    let _turn = handle.turn().await;
    let record = handle.record();
    let key = key_of(&engine, &record, &network.id).ok_or_else(|| {
        let (id, network) = (&record.id, &network.name);
        Error::forbidden(format!(
            "container {id} is not connected to network {network}"
        ))
    })?;
    if record.state.is_up() {
        engine.networks.leave(&record.id, &network.id).await?;
    }
    handle.change(|record| {
        record.endpoints.shift_remove(&key);
    });
    engine.containers.save(&handle).await?;
    Ok(StatusCode::OK)
}
