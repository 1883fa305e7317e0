//! Where an attribute belongs that stands at a wrong level, and what others call differently.

use crate::compose::node::Node;

/// What to write instead of an attribute of a service that does not exist.
const SERVICE: &[(&str, &str)] = &[
    ("replicas", "deploy.replicas"),
    ("update_config", "deploy.update_config"),
    ("rollback_config", "deploy.rollback_config"),
    ("restart_policy", "deploy.restart_policy"),
    ("placement", "deploy.placement"),
    ("endpoint_mode", "deploy.endpoint_mode"),
    ("resources", "deploy.resources"),
    ("limits", "deploy.resources.limits"),
    ("reservations", "deploy.resources.reservations"),
    ("context", "build.context"),
    ("dockerfile", "build.dockerfile"),
    ("dockerfile_inline", "build.dockerfile_inline"),
    ("args", "build.args"),
    ("target", "build.target"),
    ("cache_from", "build.cache_from"),
    ("no_cache", "build.no_cache"),
    ("additional_contexts", "build.additional_contexts"),
    ("test", "healthcheck.test"),
    ("interval", "healthcheck.interval"),
    ("timeout", "healthcheck.timeout"),
    ("retries", "healthcheck.retries"),
    ("start_period", "healthcheck.start_period"),
    ("watch", "develop.watch"),
    ("driver", "logging.driver"),
    ("log_driver", "logging.driver"),
    ("log_opt", "logging.options"),
    ("options", "logging.options"),
    ("ipv4_address", "networks.NAME.ipv4_address"),
    ("aliases", "networks.NAME.aliases"),
    ("memory", "mem_limit"),
    ("cpu", "cpus"),
    ("cpu_limit", "cpus"),
    ("env", "environment"),
    ("cmd", "command"),
    ("net", "network_mode"),
    ("name", "container_name"),
    ("depends", "depends_on"),
];

/// The same for the limits of `deploy.resources`.
const LIMITS: &[(&str, &str)] = &[
    ("mem_limit", "memory"),
    ("mem_reservation", "memory"),
    ("mem", "memory"),
    ("cpu", "cpus"),
    ("pids_limit", "pids"),
];

/// Attributes that only a service has.
const OF_SERVICES: &[&str] = &[
    "build",
    "cap_add",
    "command",
    "container_name",
    "depends_on",
    "deploy",
    "entrypoint",
    "env_file",
    "environment",
    "expose",
    "extends",
    "healthcheck",
    "hostname",
    "image",
    "logging",
    "network_mode",
    "ports",
    "privileged",
    "restart",
    "stop_grace_period",
    "tty",
    "user",
    "working_dir",
];

/// What to do about an attribute that does not exist at a path, `services.web.build`, if its place
/// is elsewhere.
pub(super) fn advice(path: &str, key: &str) -> Option<String> {
    let parts: Vec<&str> = path.split('.').filter(|part| !part.is_empty()).collect();
    match parts[..] {
        [] if OF_SERVICES.contains(&key) => Some(format!(
            "`{key}` is an attribute of a service: put it below `services:` and the service's name"
        )),
        ["services", _] => instead(SERVICE, key),
        [
            "services",
            _,
            "deploy",
            "resources",
            "limits" | "reservations",
        ] => instead(LIMITS, key),
        ["services", _, "deploy"] if ["limits", "reservations"].contains(&key) => {
            Some(format!("write it as `resources.{key}`"))
        }
        ["services", service, ..] if OF_SERVICES.contains(&key) => Some(format!(
            "`{key}` is an attribute of the service: indent it as the others of \"{service}\""
        )),
        ["networks", _] if ["subnet", "gateway", "ip_range"].contains(&key) => {
            Some(format!("write it as `ipam: {{config: [{{{key}: …}}]}}`"))
        }
        _ => None,
    }
}

/// What to do about an attribute at the top level that looks like a service.
pub(super) fn service_at_top(path: &str, key: &str, node: &Node) -> Option<String> {
    let is_service = path.is_empty() && ["image", "build"].iter().any(|it| node.get(it).is_some());
    is_service.then(|| format!("indent it below `services:` if \"{key}\" is a service"))
}

/// Whether the value at a path is an element of a list that takes texts as well as mappings.
pub(super) fn may_be_short(path: &str) -> bool {
    const LISTS: [&str; 6] = [
        "ports", "volumes", "secrets", "configs", "devices", "env_file",
    ];
    let last = path.rsplit('.').next().unwrap_or_default();
    last.split_once('[')
        .is_some_and(|(list, _)| LISTS.contains(&list))
}

fn instead(table: &[(&str, &str)], key: &str) -> Option<String> {
    let (_, place) = table.iter().find(|(name, _)| *name == key)?;
    Some(format!("write it as `{place}`"))
}
