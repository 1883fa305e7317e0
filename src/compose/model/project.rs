//! The whole project.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::{Config, Extensions, Network, Secret, Service, Volume};
use crate::compose::node::Node;
use crate::compose::source::Span;

/// A loaded project: what the compose files, env files and shell together mean.
#[derive(Debug, Clone)]
pub struct Project {
    /// The project's name.
    pub name: String,
    /// Enabled services keyed by name.
    pub services: BTreeMap<String, Service>,
    /// Networks keyed by their key in the file.
    pub networks: BTreeMap<String, Network>,
    /// Volumes keyed by their key in the file.
    pub volumes: BTreeMap<String, Volume>,
    /// Secrets keyed by their key in the file.
    pub secrets: BTreeMap<String, Secret>,
    /// Configs keyed by their key in the file.
    pub configs: BTreeMap<String, Config>,
    /// AI models keyed by their key in the file.
    pub models: BTreeMap<String, AiModel>,
    /// Top-level `x-*` attributes.
    pub extensions: Extensions,
    /// Folder that relative paths start from; absolute.
    pub working_dir: PathBuf,
    /// The compose files given or found, absolute; `-` for standard input.
    pub compose_files: Vec<String>,
    /// `--env-file` files, absolute; empty when only the default `.env` was used.
    pub env_files: Vec<PathBuf>,
    /// Variables used for interpolation: shell over env files.
    pub environment: BTreeMap<String, String>,
    /// Profiles that are enabled.
    pub profiles: Vec<String>,
    /// Services that are not enabled because of their profiles, keyed by name.
    pub disabled_services: BTreeMap<String, Service>,
    /// The merged tree the model was decoded from, for places.
    pub tree: Node,
}

impl Project {
    /// The place of the deepest part of `path` (keys below the root) that was written in a file.
    pub fn span_of(&self, path: &[&str]) -> Span {
        let mut node = &self.tree;
        for key in path {
            match node.get(key) {
                Some(next) => node = next,
                None => break,
            }
        }
        node.span
    }

    /// Those of its dependencies whose images `service` may be built from without saying so: they are built as well,
    /// and have an `image` that a Dockerfile can name.
    pub fn named_bases<'a>(&'a self, service: &'a Service) -> impl Iterator<Item = &'a str> {
        let named = service.depends_on.keys().filter(|name| {
            let other = self.services.get(*name);
            other.is_some_and(|other| other.build.is_some() && other.image.is_some())
        });
        named.map(String::as_str)
    }
}

/// One entry of the top-level `models`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AiModel {
    /// Name of the model.
    pub name: Option<String>,
    /// Reference of the model's artifact.
    pub model: Option<String>,
    /// Size of the context in tokens.
    pub context_size: Option<i64>,
    /// Flags for the runtime.
    pub runtime_flags: Vec<String>,
    /// `x-*` attributes.
    pub extensions: Extensions,
}
