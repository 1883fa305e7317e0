//! Compose files that are named by a registry, brought here for a load.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use crate::compose::options::{Fetch, FetchError};
use crate::run::Error;

/// What names of artifacts begin with.
const PREFIX: &str = "oci://";
/// Whether artifacts are read, true where it is not set.
const SWITCH: &str = "COMPOSE_EXPERIMENTAL_OCI_REMOTE";

/// Brings artifacts, each once.
#[derive(Debug)]
pub struct RemoteFiles {
    /// Whether they are read at all.
    enabled: bool,
    /// Where they are kept.
    cache: Option<PathBuf>,
    insecure: BTreeSet<String>,
    known: Mutex<HashMap<String, Result<PathBuf, FetchError>>>,
}

impl RemoteFiles {
    /// With the environment of the process, and registries that are asked without TLS, by host and port.
    pub fn new(environment: &BTreeMap<String, String>, insecure: &[String]) -> Self {
        let set = |name: &str| environment.get(name).filter(|value| !value.is_empty());
        let cache = set("XDG_CACHE_HOME").map(PathBuf::from);
        let home = || set("HOME").map(|home| PathBuf::from(home).join(".cache"));
        let off = |value: &String| {
            matches!(
                value.to_ascii_lowercase().as_str(),
                "0" | "f" | "false" | "no"
            )
        };
        Self {
            enabled: !set(SWITCH).is_some_and(off),
            cache: cache
                .or_else(home)
                .map(|cache| cache.join("docker-compose")),
            insecure: insecure.iter().cloned().collect(),
            known: Mutex::default(),
        }
    }

    fn bring(&self, name: &str) -> Result<PathBuf, FetchError> {
        let Some(artifact) = name.strip_prefix(PREFIX) else {
            return Err(FetchError {
                message: format!("compose files are not fetched from elsewhere: {name}"),
                help: "fetch it and name the local file".to_owned(),
            });
        };
        if !self.enabled {
            return Err(FetchError {
                message: format!("{name} is not read: {SWITCH} switches that off"),
                help: format!("unset {SWITCH}, or name a local file"),
            });
        }
        let cache = self.cache.clone().ok_or_else(|| FetchError {
            message: format!("there is no folder to keep {name} in"),
            help: "name one in XDG_CACHE_HOME".to_owned(),
        })?;
        // Loading happens within a runtime, which cannot wait for another one.
        let pulled = std::thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build();
                let runtime = runtime.map_err(|error| Error::new(error.to_string()))?;
                runtime.block_on(super::pull(artifact, &self.insecure, &cache))
            });
            let ended = waiting.join();
            ended.unwrap_or_else(|_| Err(Error::new("reading from the registry ended early")))
        });
        pulled.map_err(|error| FetchError {
            message: format!("cannot read {name}: {}", error.message),
            help: error
                .remedy
                .unwrap_or_else(|| "check that the registry can be reached".to_owned()),
        })
    }
}

impl Fetch for RemoteFiles {
    fn fetch(&self, name: &str) -> Result<PathBuf, FetchError> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.get(name) {
            return known.clone();
        }
        let brought = self.bring(name);
        known.insert(name.to_owned(), brought.clone());
        brought
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_artifacts_are_brought_and_only_where_that_is_not_switched_off() {
        let refused = |environment: &[(&str, &str)], name: &str| {
            let environment = environment
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect();
            let files = RemoteFiles::new(&environment, &[]);
            files.fetch(name).unwrap_err().message
        };
        let git = refused(&[], "https://host/a.git");
        assert!(git.contains("not fetched from elsewhere"), "{git}");
        let off = refused(&[(SWITCH, "false")], "oci://host/a");
        assert!(off.contains(SWITCH), "{off}");
        let nowhere = refused(&[], "oci://host/a");
        assert!(nowhere.contains("no folder"), "{nowhere}");
    }
}
