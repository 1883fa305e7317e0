//! Secrets for the builder of the bundled engine, which speaks no BuildKit: they are handed over
//! before the build, under the name of a session that the build then gives.

use std::collections::{BTreeMap, HashMap};

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE};
use bollard::auth::DockerCredentials;

use super::recipe::{Recipe, SecretSource, problem};
use crate::connect::Engine;
use crate::run::Error;
use crate::run::hijack::{self, Post};

/// No builder takes larger ones, in bytes.
pub(super) const LARGEST: usize = 500 * 1024;

/// Hands the secrets of a build over, and the credentials of registries; the session to name.
///
/// # Errors
/// When a file cannot be read, or the engine does not take them.
pub(super) async fn offer(
    engine: &Engine,
    recipe: &Recipe,
    credentials: &HashMap<String, DockerCredentials>,
) -> Result<String, Error> {
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
    let failed = |error: serde_json::Error| Error::new(error.to_string());
    let body = serde_json::to_vec(&encoded).map_err(failed)?;
    let config = serde_json::to_vec(credentials).map_err(failed)?;
    let config = BASE64_URL_SAFE.encode(config);
    let post = Post {
        path: &format!("/build/secrets?session={session}"),
        protocol: "tcp",
        headers: &[("X-Registry-Config", config.as_str())],
        body: &body,
    };
    hijack::upgrade(&engine.address, post).await?;
    Ok(session)
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
