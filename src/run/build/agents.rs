//! The ssh agents that a build may use.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::key_agent::KeyAgent;
use super::recipe::{Recipe, problem};
use crate::run::Error;

/// Sockets of the agents that a recipe names, by id, and the agents that were started for its keys, which end when they are
/// dropped.
///
/// # Errors
/// When there is no agent, or a key cannot be used.
pub(super) async fn agents(
    recipe: &Recipe,
) -> Result<(BTreeMap<String, PathBuf>, Vec<KeyAgent>), Error> {
    let mut sockets = BTreeMap::new();
    let mut started = Vec::new();
    for key in &recipe.ssh {
        let wrong = |text: &str| {
            problem(
                &recipe.service,
                "ssh",
                format!(
                    "ssh key {:?} of service {:?} {text}",
                    key.id, recipe.service
                ),
            )
        };
        let mut path = match &key.path {
            Some(path) if !path.is_empty() => PathBuf::from(path),
            _ => std::env::var_os("SSH_AUTH_SOCK")
                .map(PathBuf::from)
                .ok_or_else(|| {
                    wrong("needs an ssh agent, but SSH_AUTH_SOCK is not set")
                        .remedy("start one: eval $(ssh-agent); ssh-add")
                })?,
        };
        if path.is_file() {
            let agent = KeyAgent::start(&path).await.map_err(|error| {
                wrong(&format!("is the file {}, which {error}", path.display()))
                    .remedy("add the key to an ssh agent (ssh-add) and name the agent's socket")
            })?;
            path = agent.socket();
            started.push(agent);
        }
        sockets.insert(key.id.clone(), path);
    }
    Ok((sockets, started))
}
