//! Devices of the host in a container, and the rules of their use.

use std::fs;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use bollard_stubs::models::{DeviceMapping, HostConfig};
use nix::sys::stat::{major, minor};
use serde_json::{Value, json};

use crate::{Error, Result};

/// Folders and devices under `/dev` that every container has of its own.
const OWN: &[&str] = &[
    "/dev/pts",
    "/dev/shm",
    "/dev/fd",
    "/dev/mqueue",
    "/dev/console",
];

/// Parts of the OCI runtime specification's `linux`.
#[derive(Debug, Default)]
pub(crate) struct Devices {
    /// `devices`: the nodes to make, besides those that every container has.
    pub(crate) nodes: Vec<Value>,
    /// `resources.devices`: the rules, applied in this order.
    pub(crate) rules: Vec<Value>,
}

/// What the configuration gives the container. Nodes may be made with `mknod` but not opened
/// unless a rule allows it; a privileged container gets all.
///
/// # Errors
/// 400 for devices that do not exist and rules that make no sense.
pub(crate) fn devices(host: &HostConfig) -> Result<Devices> {
    if host.privileged == Some(true) {
        return Ok(Devices {
            nodes: all(Path::new("/dev")),
            rules: vec![json!({"allow": true, "access": "rwm"})],
        });
    }
    let mut devices = Devices {
        nodes: Vec::new(),
        rules: vec![json!({"allow": false, "access": "rwm"})],
    };
    for mapping in host.devices.iter().flatten() {
        devices.add(mapping)?;
    }
    for rule in host.device_cgroup_rules.iter().flatten() {
        devices.rules.push(parse(rule)?);
    }
    Ok(devices)
}

impl Devices {
    fn add(&mut self, mapping: &DeviceMapping) -> Result<()> {
        let source = mapping.path_on_host.as_deref().unwrap_or_default();
        let target = mapping.path_in_container.as_deref();
        let target = target.filter(|target| !target.is_empty()).unwrap_or(source);
        let access = mapping.cgroup_permissions.as_deref();
        let access = access.filter(|access| !access.is_empty()).unwrap_or("rwm");
        if !access.chars().all(|letter| "rwm".contains(letter)) {
            return Err(Error::bad_request(format!("invalid device mode: {access}")));
        }
        let failed = |reason: &dyn std::fmt::Display| {
            Error::bad_request(format!(
                "error gathering device information while adding custom device {source:?}: {reason}"
            ))
        };
        let path = fs::canonicalize(source).map_err(|error| failed(&error))?;
        if path.is_dir() {
            for found in walk(&path, &[]) {
                let within = found.strip_prefix(&path).unwrap_or(&found);
                self.push(&found, &Path::new(target).join(within), access);
            }
            return Ok(());
        }
        if self.push(&path, Path::new(target), access) {
            return Ok(());
        }
        Err(failed(&"not a device node"))
    }

    fn push(&mut self, source: &Path, target: &Path, access: &str) -> bool {
        let Some(node) = node(source, target) else {
            return false;
        };
        self.rules.push(json!({
            "allow": true, "type": node["type"], "major": node["major"], "minor": node["minor"],
            "access": access,
        }));
        self.nodes.push(node);
        true
    }
}

/// Every device under a folder.
fn all(folder: &Path) -> Vec<Value> {
    let found = walk(folder, OWN).into_iter();
    found.filter_map(|path| node(&path, &path)).collect()
}

fn walk(folder: &Path, without: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for path in entries.map(|entry| entry.path()) {
        if without.iter().any(|own| path == Path::new(own)) {
            continue;
        }
        match fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_dir() => found.extend(walk(&path, without)),
            Ok(_) => found.push(path),
            Err(_) => {}
        }
    }
    found.sort();
    found
}

/// The node at `target` for the device at `source`; `None` for what is no device.
fn node(source: &Path, target: &Path) -> Option<Value> {
    let metadata = fs::symlink_metadata(source).ok()?;
    let kind = metadata.file_type();
    let letter = match (kind.is_char_device(), kind.is_block_device()) {
        (true, _) => "c",
        (_, true) => "b",
        _ => return None,
    };
    Some(json!({
        "path": target,
        "type": letter,
        "major": major(metadata.rdev()),
        "minor": minor(metadata.rdev()),
        "fileMode": metadata.mode() & 0o777,
        "uid": metadata.uid(),
        "gid": metadata.gid(),
    }))
}

/// A rule as `DeviceCgroupRules` has it: `c 13:* rwm`.
fn parse(rule: &str) -> Result<Value> {
    let invalid = || Error::bad_request(format!("invalid device cgroup rule format: '{rule}'"));
    let mut words = rule.split_whitespace();
    let (Some(kind), Some(numbers), Some(access), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(invalid());
    };
    let (major, minor) = numbers.split_once(':').ok_or_else(invalid)?;
    let known = matches!(kind, "a" | "b" | "c");
    if !known || access.is_empty() || !access.chars().all(|letter| "rwm".contains(letter)) {
        return Err(invalid());
    }
    let mut value = json!({"allow": true, "type": kind, "access": access});
    for (name, number) in [("major", major), ("minor", minor)] {
        // A number that is not told stands for all.
        if number != "*" {
            let number: u32 = number.parse().map_err(|_| invalid())?;
            value[name] = json!(number);
        }
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapped(path: &str, target: &str, access: &str) -> HostConfig {
        HostConfig {
            devices: Some(vec![DeviceMapping {
                path_on_host: Some(path.to_owned()),
                path_in_container: Some(target.to_owned()),
                cgroup_permissions: Some(access.to_owned()),
            }]),
            ..HostConfig::default()
        }
    }

    #[test]
    fn everything_is_denied_first() {
        let devices = devices(&HostConfig::default()).unwrap();
        assert_eq!(devices.rules, [json!({"allow": false, "access": "rwm"})]);
        assert!(devices.nodes.is_empty());
    }

    #[test]
    fn a_device_comes_with_its_rule() {
        let devices = devices(&mapped("/dev/null", "/dev/nothing", "r")).unwrap();
        assert_eq!(devices.nodes[0]["path"], json!("/dev/nothing"));
        let rule = json!({"allow": true, "type": "c", "major": 1, "minor": 3, "access": "r"});
        assert_eq!(devices.rules[1], rule);
    }

    #[test]
    fn rules_are_read() {
        let host = HostConfig {
            device_cgroup_rules: Some(vec!["c 13:* rw".to_owned()]),
            ..HostConfig::default()
        };
        let rule = json!({"allow": true, "type": "c", "major": 13, "access": "rw"});
        assert_eq!(devices(&host).unwrap().rules[1], rule);
        for wrong in ["c 13 rw", "x 1:1 r", "c 1:1 q", "c 1:1 r w", "c a:1 r"] {
            assert_eq!(parse(wrong).unwrap_err().status, 400, "{wrong}");
        }
    }

    #[test]
    fn what_is_no_device_is_refused() {
        assert_eq!(
            devices(&mapped("/etc/passwd", "", "")).unwrap_err().status,
            400
        );
        assert_eq!(
            devices(&mapped("/dev/no-such", "", "")).unwrap_err().status,
            400
        );
        assert_eq!(
            devices(&mapped("/dev/null", "", "x")).unwrap_err().status,
            400
        );
    }

    #[test]
    fn privileged_containers_have_all_but_their_own() {
        let host = HostConfig {
            privileged: Some(true),
            ..HostConfig::default()
        };
        let devices = devices(&host).unwrap();
        assert_eq!(devices.rules, [json!({"allow": true, "access": "rwm"})]);
        assert!(
            devices
                .nodes
                .iter()
                .any(|node| node["path"] == json!("/dev/null"))
        );
        let own = |node: &Value| {
            node["path"]
                .as_str()
                .is_some_and(|path| path.starts_with("/dev/pts"))
        };
        assert!(!devices.nodes.iter().any(own));
    }
}
