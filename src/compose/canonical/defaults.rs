//! Attributes that have a value where none was written.

use crate::compose::node::{Entry, Node};
use crate::compose::path::{self, Path, Pattern};
use crate::compose::scalar;

#[derive(Clone, Copy)]
enum Default {
    BuildContext,
    SecretTarget,
    Port,
    DeviceCount,
}

const DEFAULTS: &[(Pattern, Default)] = &[
    (&["services", "*", "build"], Default::BuildContext),
    (&["services", "*", "secrets", "*"], Default::SecretTarget),
    (&["services", "*", "ports", "*"], Default::Port),
    (
        &[
            "services",
            "*",
            "deploy",
            "resources",
            "reservations",
            "devices",
            "*",
        ],
        Default::DeviceCount,
    ),
    (&["services", "*", "gpus", "*"], Default::DeviceCount),
];

/// Sets the defaults everywhere in a tree in long form.
pub(crate) fn set(tree: &mut Node) {
    path::for_each(tree, Path::ROOT, DEFAULTS, set_default);
}

fn set_default(node: &mut Node, default: Default) {
    let source = node
        .get("source")
        .and_then(|node| scalar::text(&node.value));
    let has_devices = node.get("device_ids").is_some();
    let mut set = |key: &str, text: String| insert_missing(node, key, text);
    match default {
        Default::BuildContext => set("context", ".".to_owned()),
        Default::SecretTarget => {
            set(
                "target",
                format!("/run/secrets/{}", source.unwrap_or_default()),
            );
        }
        Default::Port => {
            set("protocol", "tcp".to_owned());
            set("mode", "ingress".to_owned());
        }
        Default::DeviceCount if has_devices => {}
        Default::DeviceCount => set("count", "all".to_owned()),
    }
}

fn insert_missing(node: &mut Node, key: &str, text: String) {
    let span = node.span;
    if let Some(map) = node.as_map_mut() {
        map.entry(key.to_owned()).or_insert_with(|| Entry {
            key: span,
            node: Node::str(text, span),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::testing::{node, show};

    #[test]
    fn fills_what_is_missing() {
        let mut tree = node(
            "services: {a: {build: {target: x}, secrets: [{source: s}], ports: [{target: 80}], \
             gpus: [{driver: d}, {device_ids: ['1']}]}}",
        );
        set(&mut tree);
        assert_eq!(
            show(tree.at(&["services", "a"]).unwrap()),
            r#"{"build":{"target":"x","context":"."},"secrets":[{"source":"s","target":"/run/secrets/s"}],"ports":[{"target":80,"protocol":"tcp","mode":"ingress"}],"gpus":[{"driver":"d","count":"all"},{"device_ids":["1"]}]}"#
        );
    }
}
