//! `build`.

use super::Context;
use super::combinators::{list, non_empty, record, text_or_list};
use super::file_reference::file_reference;
use super::mapping::{environment, hosts, mapping};
use super::scalar::{bytes, flag, text};
use super::ulimit::build_ulimits;
use crate::compose::model::{Build, SshKey};
use crate::compose::node::Node;

record! {
    /// `build` of a service.
    pub(super) fn build -> Build = Build::default();
    extensions extensions;
    require [];
    "context" => context: non_empty(text),
    "dockerfile" => dockerfile: non_empty(text),
    "dockerfile_inline" => dockerfile_inline: non_empty(text),
    "entitlements" => entitlements: list(text),
    "args" => args: environment,
    "provenance" => provenance: non_empty(text),
    "sbom" => sbom: non_empty(text),
    "ssh" => ssh: ssh,
    "labels" => labels: mapping,
    "cache_from" => cache_from: list(text),
    "cache_to" => cache_to: list(text),
    "no_cache" => no_cache: flag,
    "no_cache_filter" => no_cache_filter: text_or_list,
    "additional_contexts" => additional_contexts: mapping,
    "pull" => pull: flag,
    "extra_hosts" => extra_hosts: hosts,
    "isolation" => isolation: non_empty(text),
    "network" => network: non_empty(text),
    "target" => target: non_empty(text),
    "secrets" => secrets: list(file_reference),
    "shm_size" => shm_size: non_empty(bytes),
    "tags" => tags: list(text),
    "ulimits" => ulimits: build_ulimits,
    "platforms" => platforms: list(text),
    "privileged" => privileged: flag,
}

/// `ssh`: paths keyed by id, or ids alone.
fn ssh<'a>(node: &'a Node, cx: &mut Context<'a>) -> Option<Vec<SshKey>> {
    let keys = mapping(node, cx)?;
    let key = |(id, path): (String, String)| SshKey {
        id,
        path: Some(path).filter(|path| !path.is_empty()),
    };
    Some(keys.into_iter().map(key).collect())
}
