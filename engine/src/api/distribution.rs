//! `/distribution`: what registries have.

use std::sync::Arc;

use axum::extract::Path;
use axum::http::HeaderMap;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::Answer;
use crate::Error;
use crate::engine::Engine;
use crate::image::{Credentials, Found, Reference, Repository};

/// The routes of this file.
pub(super) fn routes() -> Router<Arc<Engine>> {
    Router::new().route("/distribution/{*rest}", get(inspect))
}

/// The digest and the platforms of an image: its name may have slashes, so the path is taken apart here.
async fn inspect(Path(rest): Path<String>, headers: HeaderMap) -> Answer<Json<Value>> {
    let name = rest
        .strip_suffix("/json")
        .ok_or_else(|| Error::not_found(format!("page not found: GET /distribution/{rest}")))?;
    let auth = headers.get("x-registry-auth");
    let credentials = Credentials::parse(auth.map(|value| value.as_bytes()).unwrap_or_default())?;
    let reference = Reference::parse(name)?.tagged();
    let Found {
        media_type,
        digest,
        size,
        platforms,
    } = Repository::of(reference, credentials)?.find().await?;
    Ok(Json(json!({
        "Descriptor": { "mediaType": media_type, "digest": digest, "size": size },
        "Platforms": platforms,
    })))
}
