//! Secrets for the builder of the bundled engine, which speaks no BuildKit: they are handed over
//! before the build, under the name of a session that the build then gives.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::recipe::{Recipe, SecretSource, problem};
use crate::connect::Engine;
use crate::run::Error;
use crate::run::hijack::{self, Post};

/// No builder takes larger ones, in bytes.
pub(super) const LARGEST: usize = 500 * 1024;

/// Hands the secrets of a build over; the session to name. None where it has no secrets.
///
/// # Errors
/// When a file cannot be read, or the engine does not take them.
pub(super) async fn offer(engine: &Engine, recipe: &Recipe) -> Result<Option<String>, Error> {
    if recipe.secrets.is_empty() {
        return Ok(None);
    }
    let mut encoded = BTreeMap::new();
    for (id, source) in &recipe.secrets {
        let value = read(source).await.map_err(|what| {
            let service = &recipe.service;
            problem(
                service,
                "secrets",
                format!("secret {id:?} of the build of service {service:?} {what}"),
            )
        })?;
        encoded.insert(id, BASE64_STANDARD.encode(value));
    }
    let session = crate::run::hex(&rand::random::<[u8; 16]>());
    let body = serde_json::to_vec(&encoded).map_err(|error| Error::new(error.to_string()))?;
    let post = Post {
        path: &format!("/build/secrets?session={session}"),
        protocol: "tcp",
        headers: &[],
        body: &body,
    };
    hijack::upgrade(&engine.address, post).await?;
    Ok(Some(session))
}

async fn read(source: &SecretSource) -> Result<Vec<u8>, String> {
    let value = match source {
        SecretSource::Value(value) => value.clone(),
        SecretSource::File(path) => tokio::fs::read(path)
            .await
            .map_err(|error| format!("cannot be read: {}: {error}", path.display()))?,
    };
    if value.len() > LARGEST {
        return Err(format!("is larger than {LARGEST} bytes"));
    }
    Ok(value)
}
