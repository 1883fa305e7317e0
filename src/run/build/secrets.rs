//! Secrets for the builder of the bundled engine, which speaks no BuildKit, and what else the request of a build has no place for:
//! they are handed over before the build, under the name of a session that the build then gives.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE};
use bollard::auth::DockerCredentials;
use bollard::models::{HostConfig, ResourcesUlimits};

use super::recipe::{Recipe, SecretSource, problem};
use crate::connect::Engine;
use crate::run::Error;
use crate::run::hijack::{self, Post};

/// The status of an answer of an engine that has the context; otherwise it is 202.
const HAS_CONTEXT: u16 = 200;

/// No builder takes larger ones, in bytes.
pub(super) const LARGEST: usize = 500 * 1024;

/// What is handed over beside the secrets.
#[derive(Debug, Clone, Copy)]
pub(super) struct Beside<'a> {
    /// Credentials of registries.
    pub(super) credentials: &'a HashMap<String, DockerCredentials>,
    /// Sockets of ssh agents, by id.
    pub(super) agents: &'a BTreeMap<String, PathBuf>,
    /// The fingerprint of the context.
    pub(super) context: Option<&'a str>,
}

/// Hands the secrets of a build over, and what else it needs; the session to name, and whether the engine has the context
/// already.
///
/// # Errors
/// When a file cannot be read, or the engine does not take them.
pub(super) async fn offer(
    engine: &Engine,
    recipe: &Recipe,
    beside: Beside<'_>,
) -> Result<(String, bool), Error> {
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
    let config = serde_json::to_vec(beside.credentials).map_err(failed)?;
    let config = BASE64_URL_SAFE.encode(config);
    let agents = serde_json::to_vec(beside.agents).map_err(failed)?;
    let agents = encoded_query(&agents);
    let host = encoded_query(&serde_json::to_vec(&host(recipe)).map_err(failed)?);
    let uncached = serde_json::to_vec(&recipe.no_cache_filter).map_err(failed)?;
    let uncached = encoded_query(&uncached);
    let context = beside.context.unwrap_or_default();
    let post = Post {
        path: &format!(
            "/build/secrets?session={session}&agents={agents}&host={host}&uncached={uncached}&context={context}"
        ),
        protocol: "tcp",
        headers: &[("X-Registry-Config", config.as_str())],
        body: &body,
    };
    let answer = hijack::upgrade(&engine.address, post).await?;
    Ok((session, answer.status == HAS_CONTEXT && !context.is_empty()))
}

/// What commands may take and do.
fn host(recipe: &Recipe) -> HostConfig {
    let limit = |(name, soft, hard): &(String, i64, i64)| ResourcesUlimits {
        name: Some(name.clone()),
        soft: Some(*soft),
        hard: Some(*hard),
    };
    HostConfig {
        ulimits: Some(recipe.ulimits.iter().map(limit).collect()),
        shm_size: recipe.shm_size.filter(|size| *size > 0),
        memory: recipe.memory.filter(|memory| *memory > 0),
        privileged: Some(recipe.may_be_privileged()),
        ..HostConfig::default()
    }
}

/// Bytes as the value of a query's parameter.
fn encoded_query(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    for byte in bytes {
        if byte.is_ascii_alphanumeric() {
            text.push(char::from(*byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
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
