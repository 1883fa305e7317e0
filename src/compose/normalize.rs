//! What docker compose adds to a merged tree: implied networks, dependencies and names.

use std::collections::BTreeMap;

use super::node::{Entry, Map, Node, Value};
use super::paths;
use super::source::Span;

/// Name spaces that can be shared with another service by `service:NAME`.
const NAMESPACES: [&str; 5] = ["network_mode", "ipc", "pid", "uts", "cgroup"];

/// Adds to a tree in long form what is implied.
pub(crate) fn normalize(tree: &mut Node, project: &str, environment: &BTreeMap<String, String>) {
    let span = tree.span;
    let Some(root) = tree.as_map_mut() else {
        return;
    };
    let uses_default = join_default_network(root);
    if uses_default {
        declare_default_network(root, span);
    }
    if let Some(services) = section_mut(root, "services") {
        for service in services.values_mut() {
            normalize_service(&mut service.node, environment);
        }
    }
    for section in ["networks", "volumes", "configs", "secrets"] {
        name_resources(root, section, project);
    }
}

/// The mapping at a top-level key.
fn section_mut<'a>(root: &'a mut Map, name: &str) -> Option<&'a mut Map> {
    root.get_mut(name)?.node.as_map_mut()
}

fn join_default_network(root: &mut Map) -> bool {
    let mut used = false;
    let Some(services) = section_mut(root, "services") else {
        return false;
    };
    for service in services.values_mut() {
        let span = service.node.span;
        let Some(service) = service.node.as_map_mut() else {
            continue;
        };
        if service.contains_key("provider") || service.contains_key("network_mode") {
            continue;
        }
        let declared = match service.get("networks").map(|entry| &entry.node.value) {
            Some(Value::Map(networks)) if !networks.is_empty() => {
                used |= networks.contains_key("default");
                true
            }
            None | Some(Value::Map(_)) => false,
            Some(_) => true,
        };
        if !declared {
            let mut networks = Map::new();
            networks.insert("default".into(), entry(span, Value::Null));
            service.insert("networks".into(), entry(span, Value::Map(networks)));
            used = true;
        }
    }
    used
}

fn declare_default_network(root: &mut Map, span: Span) {
    let networks = root
        .entry("networks".into())
        .or_insert_with(|| entry(span, Value::Map(Map::new())));
    if let Some(map) = networks.node.as_map_mut() {
        map.entry("default".into())
            .or_insert_with(|| entry(span, Value::Null));
    }
}

fn normalize_service(service: &mut Node, environment: &BTreeMap<String, String>) {
    let span = service.span;
    let Some(map) = service.as_map_mut() else {
        return;
    };
    if let Some(policy) = map.get_mut("pull_policy")
        && policy.node.as_str() == Some("if_not_present")
    {
        policy.node.value = Value::Str("missing".into());
    }
    if let Some(build) = map.get_mut("build") {
        normalize_build(&mut build.node, environment);
    }
    if let Some(variables) = map.get_mut("environment") {
        take_values(&mut variables.node, environment, true);
    }
    clean_targets(map);
    inherit_image(map);
    let implied = implied_dependencies(map);
    add_dependencies(map, implied, span);
}

fn normalize_build(build: &mut Node, environment: &BTreeMap<String, String>) {
    let span = build.span;
    let Some(map) = build.as_map_mut() else {
        return;
    };
    if !map.contains_key("context") {
        map.insert("context".into(), entry(span, Value::Str(".".into())));
    }
    if !map.contains_key("dockerfile") && !map.contains_key("dockerfile_inline") {
        let value = Value::Str("Dockerfile".into());
        map.insert("dockerfile".into(), entry(span, value));
    }
    if let Some(args) = map.get_mut("args") {
        take_values(&mut args.node, environment, false);
    }
}

/// Gives variables without a value that of the environment; others stay only if `keep_unset`.
fn take_values(node: &mut Node, environment: &BTreeMap<String, String>, keep_unset: bool) {
    match &mut node.value {
        Value::Map(map) => map.retain(|key, entry| {
            if !entry.node.is_null() {
                return true;
            }
            let found = environment.get(key);
            if let Some(value) = found {
                entry.node.value = Value::Str(value.clone());
            }
            found.is_some() || keep_unset
        }),
        Value::Seq(items) => items.retain_mut(|item| {
            let Value::Str(text) = &mut item.value else {
                return true;
            };
            if text.contains('=') {
                return true;
            }
            let found = environment.get(text.as_str());
            if let Some(value) = found {
                *text = format!("{text}={value}");
            }
            found.is_some() || keep_unset
        }),
        _ => {}
    }
}

fn clean_targets(service: &mut Map) {
    let Some(Value::Seq(mounts)) = service
        .get_mut("volumes")
        .map(|entry| &mut entry.node.value)
    else {
        return;
    };
    for mount in mounts {
        let target = mount.as_map_mut().and_then(|map| map.get_mut("target"));
        if let Some(Value::Str(target)) = target.map(|entry| &mut entry.node.value) {
            *target = paths::clean(target);
        }
    }
}

/// A `pre_start` container without an image of its own runs the service's.
fn inherit_image(service: &mut Map) {
    let Some(image) = service.get("image").map(|entry| entry.node.clone()) else {
        return;
    };
    if image.as_str().is_none_or(str::is_empty) {
        return;
    }
    let Some(Value::Seq(hooks)) = service
        .get_mut("pre_start")
        .map(|entry| &mut entry.node.value)
    else {
        return;
    };
    for hook in hooks {
        if let Some(hook) = hook.as_map_mut() {
            hook.entry("image".into()).or_insert_with(|| Entry {
                key: image.span,
                node: image.clone(),
            });
        }
    }
}

/// A dependency that another attribute implies.
struct Implied {
    service: String,
    restart: bool,
    span: Span,
}

fn implied_dependencies(service: &Map) -> Vec<Implied> {
    let mut implied = Vec::new();
    for link in texts(service, "links") {
        let text = link.as_str().unwrap_or_default();
        let name = match text.split(':').collect::<Vec<_>>()[..] {
            [name, _alias] => name,
            _ => text,
        };
        implied.push(Implied {
            service: name.to_owned(),
            restart: true,
            span: link.span,
        });
    }
    for namespace in NAMESPACES {
        let Some(entry) = service.get(namespace) else {
            continue;
        };
        let shared = entry
            .node
            .as_str()
            .and_then(|text| text.strip_prefix("service:"));
        if let Some(name) = shared {
            implied.push(Implied {
                service: name.to_owned(),
                restart: true,
                span: entry.node.span,
            });
        }
    }
    for source in texts(service, "volumes_from") {
        let text = source.as_str().unwrap_or_default();
        if !text.starts_with("container:") {
            implied.push(Implied {
                service: text.split(':').next().unwrap_or_default().to_owned(),
                restart: false,
                span: source.span,
            });
        }
    }
    implied
}

fn texts<'a>(service: &'a Map, key: &str) -> impl Iterator<Item = &'a Node> {
    service
        .get(key)
        .and_then(|entry| entry.node.as_seq())
        .unwrap_or_default()
        .iter()
        .filter(|node| node.as_str().is_some())
}

fn add_dependencies(service: &mut Map, implied: Vec<Implied>, span: Span) {
    if implied.is_empty() {
        return;
    }
    let depends_on = service
        .entry("depends_on".into())
        .or_insert_with(|| entry(span, Value::Map(Map::new())));
    let Some(map) = depends_on.node.as_map_mut() else {
        return;
    };
    for dependency in implied {
        let span = dependency.span;
        map.entry(dependency.service).or_insert_with(|| {
            let mut long = Map::new();
            let condition = Value::Str("service_started".into());
            long.insert("condition".into(), entry(span, condition));
            long.insert(
                "restart".into(),
                entry(span, Value::Bool(dependency.restart)),
            );
            long.insert("required".into(), entry(span, Value::Bool(true)));
            entry(span, Value::Map(long))
        });
    }
}

fn name_resources(root: &mut Map, section: &str, project: &str) {
    let Some(resources) = section_mut(root, section) else {
        return;
    };
    for (key, resource) in resources {
        let span = resource.node.span;
        if resource.node.is_null() {
            resource.node.value = Value::Map(Map::new());
        }
        let Some(map) = resource.node.as_map_mut() else {
            continue;
        };
        if map.contains_key("name") {
            continue;
        }
        let external = map.get("external").map(|entry| &entry.node.value);
        let name = match external {
            Some(Value::Bool(true)) => key.clone(),
            Some(Value::Str(text)) if is_true(text) => key.clone(),
            _ => format!("{project}_{key}"),
        };
        map.insert("name".into(), entry(span, Value::Str(name)));
    }
}

fn is_true(text: &str) -> bool {
    matches!(text, "1" | "t" | "T" | "true" | "True" | "TRUE")
}

fn entry(span: Span, value: Value) -> Entry {
    Entry {
        key: span,
        node: Node::new(value, span),
    }
}
