//! The merged tree in long form → the typed model.
//!
//! One file per noun; each struct lists its attributes once, with the decoder of each. Every
//! problem is recorded with its place and decoding goes on, so that all are found at once.

mod build;
mod combinators;
mod command;
mod context;
mod dependency;
mod deploy;
mod develop;
mod device;
mod file_reference;
mod healthcheck;
mod home;
mod hook;
mod mapping;
mod network;
#[cfg(test)]
pub(super) mod records;
mod resource;
mod scalar;
mod service;
mod ulimit;
mod volume;

use std::collections::BTreeMap;

use combinators::{keyed, named, or_default, record};
pub use context::Context;

use super::model::{AiModel, Config, Extensions, Network, Secret, Service, Volume};
use super::node::Node;

/// What a compose file declares, typed.
#[derive(Debug, Clone, Default)]
pub struct Declared {
    /// Services keyed by name.
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
}

record! {
    fn root -> Root = Root::default();
    extensions extensions;
    require [];
    "version" => ignored: handled_before,
    "name" => ignored: handled_before,
    "include" => ignored: handled_before,
    "services" => services: named(service::service),
    "networks" => networks: keyed(or_default(resource::network)),
    "volumes" => volumes: named(|_, node, cx: &mut Context<'a>| or_default(resource::volume)(node, cx)),
    "secrets" => secrets: named(|_, node, cx: &mut Context<'a>| file_reference::secret(node, cx)),
    "configs" => configs: named(|_, node, cx: &mut Context<'a>| file_reference::config(node, cx)),
    "models" => models: keyed(resource::model),
}

/// An attribute that earlier stages have dealt with.
#[expect(clippy::unnecessary_wraps, reason = "a decoder may fail")]
fn handled_before(_: &Node, _: &mut Context<'_>) -> Option<()> {
    Some(())
}

/// [`Declared`] with the attributes that earlier stages have dealt with.
#[derive(Default)]
struct Root {
    ignored: (),
    services: BTreeMap<String, Service>,
    networks: BTreeMap<String, Network>,
    volumes: BTreeMap<String, Volume>,
    secrets: BTreeMap<String, Secret>,
    configs: BTreeMap<String, Config>,
    models: BTreeMap<String, AiModel>,
    extensions: Extensions,
}

/// Decodes the root of a merged tree in long form. Problems are left in `cx`; what could not be
/// decoded is missing from the result.
pub fn project<'a>(tree: &'a Node, cx: &mut Context<'a>) -> Declared {
    let root = root(tree, cx).unwrap_or_default();
    let () = root.ignored;
    Declared {
        services: root.services,
        networks: root.networks,
        volumes: root.volumes,
        secrets: root.secrets,
        configs: root.configs,
        models: root.models,
        extensions: root.extensions,
    }
}

#[cfg(test)]
mod tests;
