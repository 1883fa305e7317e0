//! Why a value is there that no file sets.

use super::steps::{Step, keys};
use crate::compose::path::ITEM;

/// Patterns of paths, `*` matching any key or element, and the reason. The first that matches counts;
/// a pattern also matches what is below.
const REASONS: &[(&[&str], &str)] = &[
    (
        &["services", "*", "networks"],
        "a service that names no network joins \"default\"",
    ),
    (
        &["networks", "default", "name"],
        "the project's name and \"_default\"",
    ),
    (
        &["networks", "default", "ipam"],
        "empty where nothing is written",
    ),
    (
        &["networks", "default"],
        "declared because a service uses it",
    ),
    (
        &["networks", "*", "name"],
        "the project's name and the network's key",
    ),
    (
        &["volumes", "*", "name"],
        "the project's name and the volume's key",
    ),
    (
        &["configs", "*", "name"],
        "the project's name and the config's key",
    ),
    (
        &["secrets", "*", "name"],
        "the project's name and the secret's key",
    ),
    (
        &["services", "*", "build", "context"],
        "the folder of the compose file",
    ),
    (
        &["services", "*", "build", "dockerfile"],
        "the name that engines look for",
    ),
    (
        &["services", "*", "ports", ITEM, "mode"],
        "ports are published on every node",
    ),
    (
        &["services", "*", "ports", ITEM, "protocol"],
        "ports are TCP unless told otherwise",
    ),
    (
        &["services", "*", "secrets", ITEM, "target"],
        "secrets are mounted below /run/secrets",
    ),
    (
        &["services", "*", "depends_on", "*", "required"],
        "dependencies are required unless told otherwise",
    ),
    (
        &["services", "*", "depends_on"],
        "implied by `links`, `volumes_from` or a namespace shared with a service",
    ),
    (
        &["services", "*", "volumes", ITEM, "bind"],
        "short binds create the folder they name",
    ),
    (
        &[
            "services",
            "*",
            "deploy",
            "resources",
            "reservations",
            "devices",
            ITEM,
            "count",
        ],
        "all devices unless told otherwise",
    ),
    (
        &["services", "*", "gpus", ITEM, "count"],
        "all devices unless told otherwise",
    ),
    (
        &["services", "*", "pre_start", ITEM, "image"],
        "the image of the service",
    ),
    (&["services", "*", "command"], "the image decides"),
    (&["services", "*", "entrypoint"], "the image decides"),
    (&["secrets", "*"], "taken from the environment or a file"),
    (&["configs", "*", "content"], "taken from the environment"),
];

/// Why the value at the path is there.
pub(super) fn reason(steps: &[Step]) -> &'static str {
    let keys = keys(steps);
    let matches = |pattern: &[&str]| {
        keys.len() >= pattern.len()
            && pattern
                .iter()
                .zip(&keys)
                .all(|(part, key)| *part == "*" || part == key)
    };
    REASONS
        .iter()
        .find(|(pattern, _)| matches(pattern))
        .map_or("the default", |(_, reason)| reason)
}
