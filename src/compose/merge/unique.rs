//! Sequences whose elements have an identity: the last element with an identity wins, in the
//! place of the first.

use std::collections::HashMap;

use crate::compose::canonical::volume_target;
use crate::compose::node::{Node, Value};
use crate::compose::path::{self, Path, Pattern};
use crate::compose::scalar;

/// What identifies an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Identity {
    /// The part before `=`.
    Key,
    /// The text or number.
    Text,
    /// The container path of a mount.
    VolumeTarget,
    /// The container path of a device.
    DeviceTarget,
    /// The path of an env file.
    EnvFile,
    /// The path of a secret in the container.
    SecretTarget,
    /// The path of a config in the container.
    ConfigTarget,
    /// Address, published port, container port and protocol.
    Port,
}

const UNIQUE: &[(Pattern, Identity)] = &[
    (&["networks", "*", "labels"], Identity::Key),
    (&["networks", "*", "ipam", "options"], Identity::Key),
    (&["services", "*", "annotations"], Identity::Key),
    (&["services", "*", "build", "args"], Identity::Key),
    (
        &["services", "*", "build", "additional_contexts"],
        Identity::Key,
    ),
    (&["services", "*", "build", "platform"], Identity::Key),
    (&["services", "*", "build", "tags"], Identity::Key),
    (&["services", "*", "build", "labels"], Identity::Key),
    (&["services", "*", "cap_add"], Identity::Key),
    (&["services", "*", "cap_drop"], Identity::Key),
    (&["services", "*", "devices"], Identity::DeviceTarget),
    (&["services", "*", "configs"], Identity::ConfigTarget),
    (&["services", "*", "deploy", "labels"], Identity::Key),
    (&["services", "*", "dns"], Identity::Key),
    (&["services", "*", "dns_opt"], Identity::Key),
    (&["services", "*", "dns_search"], Identity::Key),
    (&["services", "*", "environment"], Identity::Key),
    (&["services", "*", "env_file"], Identity::EnvFile),
    (&["services", "*", "expose"], Identity::Text),
    (&["services", "*", "labels"], Identity::Key),
    (&["services", "*", "links"], Identity::Key),
    (
        &["services", "*", "networks", "*", "aliases"],
        Identity::Key,
    ),
    (
        &["services", "*", "networks", "*", "link_local_ips"],
        Identity::Key,
    ),
    (&["services", "*", "ports"], Identity::Port),
    (&["services", "*", "profiles"], Identity::Key),
    (&["services", "*", "secrets"], Identity::SecretTarget),
    (&["services", "*", "sysctls"], Identity::Key),
    (&["services", "*", "tmpfs"], Identity::Key),
    (&["services", "*", "volumes"], Identity::VolumeTarget),
];

/// Removes redefined elements everywhere in the tree.
pub(crate) fn enforce(tree: &mut Node) {
    walk(tree, Path::ROOT);
}

/// What identifies an element of the sequence with these keys, if its elements have an identity.
pub(crate) fn identity(keys: &[&str], item: &Node) -> Option<String> {
    let identity = path::with(Path::ROOT, keys, |path| path.find(UNIQUE))?;
    identify(item, identity)
}

fn walk(node: &mut Node, path: Path<'_>) {
    match &mut node.value {
        Value::Map(map) => {
            for (key, entry) in map {
                walk(&mut entry.node, path.key(key));
            }
        }
        Value::Seq(items) if items.len() > 1 => {
            if let Some(identity) = path.find(UNIQUE) {
                deduplicate(items, identity);
            }
        }
        _ => {}
    }
}

fn deduplicate(items: &mut Vec<Node>, identity: Identity) {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut kept: Vec<Node> = Vec::with_capacity(items.len());
    for item in items.drain(..) {
        // An element of a wrong type has no identity; decoding reports it.
        let Some(name) = identify(&item, identity) else {
            kept.push(item);
            continue;
        };
        if let Some(place) = seen.get(&name) {
            kept[*place] = item;
        } else {
            seen.insert(name, kept.len());
            kept.push(item);
        }
    }
    *items = kept;
}

fn identify(item: &Node, identity: Identity) -> Option<String> {
    let text = |key: &str| item.get(key).and_then(|node| scalar::text(&node.value));
    match identity {
        Identity::Key => {
            let text = item.as_str()?;
            Some(text.split_once('=').map_or(text, |(key, _)| key).to_owned())
        }
        Identity::Text => scalar::text(&item.value),
        Identity::VolumeTarget => match item.as_str() {
            Some(spec) => volume_target(spec),
            None => text("target"),
        },
        Identity::DeviceTarget => match item.as_str() {
            Some(spec) => spec.split(':').take(2).last().map(str::to_owned),
            None => text("target"),
        },
        Identity::EnvFile => item.as_str().map(str::to_owned).or_else(|| text("path")),
        Identity::SecretTarget => mounted(item, "/run/secrets"),
        Identity::ConfigTarget => mounted(item, ""),
        Identity::Port => port(item),
    }
}

fn mounted(item: &Node, folder: &str) -> Option<String> {
    if let Some(source) = item.as_str() {
        return Some(format!("{folder}/{source}"));
    }
    let text = |key: &str| item.get(key).and_then(|node| scalar::text(&node.value));
    text("target").or_else(|| text("source").map(|source| format!("{folder}/{source}")))
}

fn port(item: &Node) -> Option<String> {
    if item.as_map().is_none() {
        return scalar::text(&item.value);
    }
    let text = |key: &str| item.get(key).and_then(|node| scalar::text(&node.value));
    let target = text("target")?;
    let published = text("published").unwrap_or_default();
    let host = text("host_ip").unwrap_or_else(|| "0.0.0.0".to_owned());
    let protocol = text("protocol").unwrap_or_else(|| "tcp".to_owned());
    Some(format!("{host}:{published}:{target}/{protocol}"))
}
