//! Checks of a merged tree that need no types: attributes that exclude or demand each other.

use std::net::IpAddr;

use super::diagnostic::{Diagnostic, code};
use super::node::{Map, Node, Value};
use super::path::{Path, Pattern};

#[derive(Clone, Copy)]
enum Check {
    Volume,
    Config,
    Secret,
    Port,
    WatchPath,
    DeviceRequest,
}

const CHECKS: &[(Pattern, Check)] = &[
    (&["volumes", "*"], Check::Volume),
    (&["configs", "*"], Check::Config),
    (&["secrets", "*"], Check::Secret),
    (&["services", "*", "ports", "*"], Check::Port),
    (
        &["services", "*", "develop", "watch", "*", "path"],
        Check::WatchPath,
    ),
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
        Check::DeviceRequest,
    ),
    (&["services", "*", "gpus", "*"], Check::DeviceRequest),
];

/// Checks a tree in long form.
pub(crate) fn validate(tree: &Node, problems: &mut Vec<Diagnostic>) {
    walk(tree, Path::ROOT, problems);
}

fn walk(node: &Node, path: Path<'_>, problems: &mut Vec<Diagnostic>) {
    if let Some(check) = path.find(CHECKS) {
        run(check, node, path, problems);
        return;
    }
    match &node.value {
        Value::Map(map) => {
            for (key, entry) in map {
                walk(&entry.node, path.key(key), problems);
            }
        }
        Value::Seq(items) => {
            for (index, item) in items.iter().enumerate() {
                walk(item, path.item_at(index), problems);
            }
        }
        _ => {}
    }
}

fn run(check: Check, node: &Node, path: Path<'_>, problems: &mut Vec<Diagnostic>) {
    match check {
        Check::Volume => external_alone(node, path, problems),
        Check::Config => one_origin(node, &["file", "environment", "content"], path, problems),
        Check::Secret => one_origin(node, &["file", "environment"], path, problems),
        Check::Port => {
            port_target(node, path, problems);
            port_address(node, path, problems);
        }
        Check::WatchPath => {
            if node.as_str() == Some("") {
                problems.push(
                    Diagnostic::error(format!("{path} must not be empty"))
                        .code(code::INVALID_VALUE)
                        .path(path.to_string())
                        .at(node.span)
                        .help("name the file or folder to watch"),
                );
            }
        }
        Check::DeviceRequest => device_request(node, path, problems),
    }
}

fn external_alone(node: &Node, path: Path<'_>, problems: &mut Vec<Diagnostic>) {
    let Some(map) = node.as_map() else {
        return;
    };
    if map.get("external").map(|entry| &entry.node.value) != Some(&Value::Bool(true)) {
        return;
    }
    for (key, entry) in map {
        if key == "name" || key == "external" || key.starts_with("x-") {
            continue;
        }
        problems.push(
            Diagnostic::error(format!(
                "{path} is external, so `{key}` has no effect on it"
            ))
            .code(code::CONFLICTING_ATTRIBUTES)
            .path(path.to_string())
            .at(entry.key)
            .help(format!("remove `{key}` or `external`")),
        );
    }
}

fn one_origin(node: &Node, origins: &[&str], path: Path<'_>, problems: &mut Vec<Diagnostic>) {
    // A bare `name:` has no origin either.
    let empty = Map::new();
    let map = match &node.value {
        Value::Map(map) => map,
        Value::Null => &empty,
        _ => return,
    };
    let given: Vec<&str> = origins
        .iter()
        .copied()
        .filter(|origin| map.contains_key(origin))
        .collect();
    let list = origins.join(", ");
    match given[..] {
        [_] => {}
        [] if map.contains_key("driver") || map.contains_key("external") => {}
        [] => problems.push(
            Diagnostic::error(format!("{path} has no content"))
                .code(code::MISSING_CONTENT)
                .path(path.to_string())
                .at(node.span)
                .help(format!("set one of {list}, or `external: true`")),
        ),
        [first, second, ..] => {
            let mut problem = Diagnostic::error(format!(
                "{path} has both `{first}` and `{second}`, which exclude each other"
            ))
            .code(code::CONFLICTING_ATTRIBUTES)
            .path(path.to_string())
            .help(format!("keep one of {list}"));
            if let (Some(first), Some(second)) = (map.get(first), map.get(second)) {
                problem = problem.at(second.key).related(first.key, "the other one");
            }
            problems.push(problem);
        }
    }
}

/// docker compose takes the port 0 and prints a file that it cannot read again.
fn port_target(node: &Node, path: Path<'_>, problems: &mut Vec<Diagnostic>) {
    let Some(target) = node.get("target") else {
        return;
    };
    if target.value == Value::Int(0) {
        problems.push(
            Diagnostic::error(format!("{path}: the container port cannot be 0"))
                .code(code::INVALID_PORT)
                .at(target.span)
                .help("write a port from 1 to 65535"),
        );
    }
}

fn port_address(node: &Node, path: Path<'_>, problems: &mut Vec<Diagnostic>) {
    let Some(address) = node.get("host_ip") else {
        return;
    };
    let Some(text) = address.as_str() else {
        return;
    };
    if text.parse::<IpAddr>().is_err() {
        problems.push(
            Diagnostic::error(format!("{path}: \"{text}\" is no IP address"))
                .code(code::INVALID_VALUE)
                .path(path.to_string())
                .at(address.span)
                .help("write an address of this host, such as 127.0.0.1"),
        );
    }
}

fn device_request(node: &Node, path: Path<'_>, problems: &mut Vec<Diagnostic>) {
    if let (Some(count), Some(ids)) = (node.get("count"), node.get("device_ids")) {
        problems.push(
            Diagnostic::error(format!(
                "{path} has both `count` and `device_ids`, which exclude each other"
            ))
            .code(code::CONFLICTING_ATTRIBUTES)
            .path(path.to_string())
            .at(count.span)
            .related(ids.span, "the other one")
            .help("keep one of them"),
        );
    }
}
