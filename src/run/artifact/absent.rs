//! Where there is no client for registries.

use std::collections::BTreeSet;

use super::Options;
use crate::compose::artifact::Part;
use crate::run::Error;

/// Refuses.
///
/// # Errors
/// Always.
#[expect(clippy::unused_async, reason = "the signature is that of Linux")]
pub async fn push(_target: &str, _parts: &[Part], _options: &Options) -> Result<(), Error> {
    Err(refusal("publish"))
}

/// Refuses.
///
/// # Errors
/// Always.
#[expect(clippy::unused_async, reason = "the signature is that of Linux")]
pub async fn pull(
    _name: &str,
    _insecure: &BTreeSet<String>,
    _folder: &std::path::Path,
) -> Result<std::path::PathBuf, Error> {
    Err(refusal("reading compose files from registries"))
}

fn refusal(what: &str) -> Error {
    Error::new(format!("{what} is only supported on Linux"))
        .remedy("keep the compose files in a repository that this machine can read")
}
