//! The manifest of an artifact, in the words of docker compose, so that each reads what the other wrote.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sha2::Digest as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::OciVersion;
use crate::compose::artifact::{Kind, Part};
use crate::plan::labels::CONTRACT_VERSION;
use crate::run::reference::Reference;
use crate::run::registry_auth::RegistryAuth;
use crate::run::{Error, hex};

/// What the artifact is.
pub(super) const ARTIFACT: &str = "application/vnd.docker.compose.project";
/// A compose file.
pub(super) const COMPOSE_FILE: &str = "application/vnd.docker.compose.file+yaml";
/// An env file.
pub(super) const ENV_FILE: &str = "application/vnd.docker.compose.envfile";
/// An empty configuration that says what the artifact is, where nothing else can.
pub(super) const EMPTY_CONFIG: &str = "application/vnd.docker.compose.config.empty.v1+json";
/// An empty configuration.
const EMPTY: &str = "application/vnd.oci.empty.v1+json";
/// A manifest.
pub(super) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// A list of manifests.
pub(super) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// The configuration of either kind.
pub(super) const CONFIG: &[u8] = b"{}";

/// Annotation: the version of docker compose whose behaviour the file counts on.
pub(super) const VERSION: &str = "com.docker.compose.version";
/// Annotation: the name of a compose file.
pub(super) const FILE: &str = "com.docker.compose.file";
/// Annotation: the name of an env file.
pub(super) const ENV: &str = "com.docker.compose.envfile";
/// Annotation: services of other files extend those of this one.
pub(super) const EXTENDS: &str = "com.docker.compose.extends";

/// The digest of bytes, `sha256:…`.
pub(super) fn digest(content: &[u8]) -> String {
    format!("sha256:{}", hex(&sha2::Sha256::digest(content)))
}

/// The manifest of an artifact of these parts.
pub(super) fn manifest(parts: &[Part], version: OciVersion, created: &str) -> Value {
    let layers: Vec<Value> = parts.iter().map(layer).collect();
    let config = |kind: &str| {
        json!({
            "mediaType": kind, "digest": digest(CONFIG), "size": CONFIG.len(), "data": BASE64_STANDARD.encode(CONFIG),
        })
    };
    let annotations = json!({ "org.opencontainers.image.created": created });
    match version {
        OciVersion::V1_1 => json!({
            "schemaVersion": 2, "mediaType": MANIFEST, "artifactType": ARTIFACT,
            "config": config(EMPTY), "layers": layers, "annotations": annotations,
        }),
        OciVersion::V1_0 => json!({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": config(EMPTY_CONFIG), "layers": layers, "annotations": annotations,
        }),
    }
}

fn layer(part: &Part) -> Value {
    let (kind, name) = match part.kind {
        Kind::Compose | Kind::Base => (COMPOSE_FILE, FILE),
        Kind::EnvFile => (ENV_FILE, ENV),
    };
    // Keys of annotations are sorted, as docker compose has them.
    let annotations = match part.kind {
        Kind::Base => json!({ EXTENDS: "true", name: part.name, VERSION: CONTRACT_VERSION }),
        Kind::EnvFile => json!({ name: part.name, VERSION: CONTRACT_VERSION }),
        Kind::Compose => json!({ name: part.name, VERSION: CONTRACT_VERSION }),
    };
    let mut layer = json!({
        "mediaType": kind, "digest": digest(&part.content), "size": part.content.len(), "annotations": annotations,
    });
    if !part.content.is_empty() {
        layer["data"] = Value::String(BASE64_STANDARD.encode(&part.content));
    }
    layer
}

/// The repository of a name, asked with the credentials of the person.
pub(super) async fn open(
    name: &str,
    insecure: &BTreeSet<String>,
) -> Result<rcompose_engine::Repository, Error> {
    let credentials = RegistryAuth::load()?.for_image(name).await?;
    let credentials = serde_json::to_string(&credentials.unwrap_or_default())
        .map_err(|error| Error::new(format!("the credentials for {name}: {error}")))?;
    let tls = !insecure.contains(Reference::parse(name).domain());
    rcompose_engine::Repository::open(name, &credentials, tls).map_err(|error| failed(name, &error))
}

/// What a registry says, with what may help.
pub(super) fn failed(name: &str, error: &rcompose_engine::Error) -> Error {
    let domain = Reference::parse(name).domain();
    let failure = Error::new(format!("{name}: {error}"));
    match error.status {
        403 => failure.remedy(format!("log in first: docker login {domain}")),
        404 => failure.remedy("check the name and the tag"),
        _ => failure,
    }
}
