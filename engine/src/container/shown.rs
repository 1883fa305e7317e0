//! How the API writes parts of a container: every field that clients expect, and always in the
//! same order.

use bollard_stubs::models::{ContainerConfig, EndpointSettings, HostConfig};
use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use super::filesystems;
use super::security;

/// Fields whose values are maps that people name the keys of: in the order of their keys.
const NAMED: &[&str] = &[
    "Annotations",
    "Config",
    "DriverOpts",
    "ExposedPorts",
    "Labels",
    "Options",
    "PortBindings",
    "Ports",
    "StorageOpt",
    "Sysctls",
    "Tmpfs",
    "Volumes",
];

/// `Config`.
pub(super) fn config(config: &ContainerConfig) -> Value {
    let mut shown = json!({ "User": "", "WorkingDir": "" });
    put(
        &mut shown,
        &serde_json::to_value(config).unwrap_or_default(),
    );
    let nothing = ["Entrypoint", "OnBuild"];
    fill(&mut shown, nothing.map(|name| (name, Value::Null)));
    // Clients of all languages go through these without asking whether they are there.
    for name in ["Env", "Cmd"] {
        if shown[name].is_null() {
            shown[name] = json!([]);
        }
    }
    if shown["Labels"].is_null() {
        shown["Labels"] = json!({});
    }
    if shown["Volumes"].as_object().is_none_or(Map::is_empty) {
        shown["Volumes"] = Value::Null;
    }
    in_order(&mut shown);
    shown
}

/// `HostConfig`.
pub(super) fn host(host: &HostConfig) -> Value {
    let mut shown = serde_json::to_value(host).unwrap_or_default();
    let unset = [
        "Binds",
        "VolumesFrom",
        "CapAdd",
        "CapDrop",
        "Dns",
        "DnsOptions",
        "DnsSearch",
        "ExtraHosts",
        "GroupAdd",
        "Links",
        "SecurityOpt",
        "Devices",
        "DeviceCgroupRules",
        "DeviceRequests",
        "MemorySwappiness",
        "OomKillDisable",
        "PidsLimit",
        "Ulimits",
    ];
    fill(&mut shown, unset.map(|name| (name, Value::Null)));
    fill(&mut shown, [("Runtime", json!("rcompose"))]);
    // As asked for they mean the same as nothing.
    if shown["MemorySwappiness"] == -1 {
        shown["MemorySwappiness"] = Value::Null;
    }
    if shown["PidsLimit"] == 0 {
        shown["PidsLimit"] = Value::Null;
    }
    let options = security::parse(host.security_opt.as_deref().unwrap_or_default());
    let open = host.privileged == Some(true)
        || options.is_ok_and(|options| options.system_paths_unconfined);
    let (masked, read_only) = filesystems::hidden(host, open);
    fill(
        &mut shown,
        [
            ("MaskedPaths", json!(masked)),
            ("ReadonlyPaths", json!(read_only)),
        ],
    );
    in_order(&mut shown);
    shown
}

/// `NetworkSettings.Networks`.
pub(super) fn networks(endpoints: &IndexMap<String, EndpointSettings>) -> Value {
    let mut shown = Map::new();
    for (name, settings) in endpoints {
        let mut one = json!({
            "IPAMConfig": null, "Links": null, "Aliases": null, "DriverOpts": null, "GwPriority": 0,
            "NetworkID": "", "EndpointID": "", "Gateway": "", "IPAddress": "", "MacAddress": "",
            "IPPrefixLen": 0, "IPv6Gateway": "", "GlobalIPv6Address": "", "GlobalIPv6PrefixLen": 0,
            "DNSNames": null,
        });
        put(
            &mut one,
            &serde_json::to_value(settings).unwrap_or_default(),
        );
        in_order(&mut one);
        shown.insert(name.clone(), one);
    }
    shown.sort_keys();
    Value::Object(shown)
}

/// Takes over what is there.
fn put(shown: &mut Value, values: &Value) {
    for (name, value) in values.as_object().into_iter().flatten() {
        shown[name] = value.clone();
    }
}

/// Adds what is not there.
fn fill<'a>(shown: &mut Value, values: impl IntoIterator<Item = (&'a str, Value)>) {
    let Some(fields) = shown.as_object_mut() else {
        return;
    };
    for (name, value) in values {
        fields.entry(name).or_insert(value);
    }
}

/// Sorts what has no order of its own.
fn in_order(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if NAMED.contains(&name.as_str())
                    && let Value::Object(named) = value
                {
                    named.sort_keys();
                }
                in_order(value);
            }
        }
        Value::Array(values) => values.iter_mut().for_each(in_order),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_name_is_in_order() {
        let labels = ["b", "a", "d", "c", "f", "e"].map(|key| (key.to_owned(), String::new()));
        let shown = config(&ContainerConfig {
            labels: Some(labels.into()),
            exposed_ports: Some(vec!["9/tcp".to_owned(), "10/tcp".to_owned()]),
            ..ContainerConfig::default()
        });
        let keys = |value: &Value| -> Vec<String> {
            let fields = value.as_object().into_iter().flatten();
            fields.map(|(key, _)| key.clone()).collect()
        };
        assert_eq!(keys(&shown["Labels"]), ["a", "b", "c", "d", "e", "f"]);
        assert_eq!(keys(&shown["ExposedPorts"]), ["10/tcp", "9/tcp"]);
        assert_eq!(shown["Volumes"], Value::Null);
        assert_eq!(shown["User"], "");
        let endpoint = EndpointSettings {
            aliases: Some(vec!["x".to_owned()]),
            ..EndpointSettings::default()
        };
        let endpoints = ["z", "y"].map(|name| (name.to_owned(), endpoint.clone()));
        let shown = networks(&endpoints.into());
        assert_eq!(keys(&shown), ["y", "z"]);
        assert_eq!(shown["y"]["Aliases"], json!(["x"]));
        assert_eq!(shown["y"]["GlobalIPv6PrefixLen"], 0);
    }

    #[test]
    fn what_is_not_set_is_there_all_the_same() {
        let shown = host(&HostConfig {
            memory_swappiness: Some(-1),
            memory: Some(5),
            ..HostConfig::default()
        });
        assert_eq!(shown["CapAdd"], Value::Null);
        assert_eq!(shown["MemorySwappiness"], Value::Null);
        assert_eq!(shown["Memory"], 5);
        assert!(
            shown["MaskedPaths"]
                .as_array()
                .is_some_and(|paths| !paths.is_empty())
        );
        let open = host(&HostConfig {
            security_opt: Some(vec!["systempaths=unconfined".to_owned()]),
            ..HostConfig::default()
        });
        assert_eq!(open["MaskedPaths"], json!([]));
    }
}
