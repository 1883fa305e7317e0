//! Contexts of the docker command: named engines under its configuration folder.

use std::fmt::Write;
use std::path::Path;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::endpoint::Tls;

/// A context's engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Context {
    /// Address as in `DOCKER_HOST`.
    pub(super) host: String,
    /// Certificates kept with the context.
    pub(super) tls: Option<Tls>,
}

/// Name of the context that `config.json` makes the current one.
pub(super) fn current(config_folder: &Path) -> Option<String> {
    let config = json(&config_folder.join("config.json"))?;
    let name = config.get("currentContext")?.as_str()?;
    (!name.is_empty()).then(|| name.to_owned())
}

/// Reads a context by name; nothing where it does not exist or names no engine.
pub(super) fn read(config_folder: &Path, name: &str) -> Option<Context> {
    let id = folder_name(name)?;
    let contexts = config_folder.join("contexts");
    let meta = json(&contexts.join("meta").join(&id).join("meta.json"))?;
    let host = meta
        .get("Endpoints")?
        .get("docker")?
        .get("Host")?
        .as_str()?
        .to_owned();
    let certificates = contexts.join("tls").join(&id).join("docker");
    let tls = certificates.join("ca.pem").exists();
    Some(Context {
        host,
        tls: tls.then(|| Tls::in_folder(&certificates)),
    })
}

/// Folder of a context: the SHA-256 of its name.
pub(super) fn folder_name(name: &str) -> Option<String> {
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(name.as_bytes()) {
        write!(text, "{byte:02x}").ok()?;
    }
    Some(text)
}

fn json(path: &Path) -> Option<Value> {
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}
