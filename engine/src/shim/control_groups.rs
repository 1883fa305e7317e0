//! The control groups of version 1 as a container sees them.
//!
//! There are a dozen hierarchies, and the container library mounts each with some eighty system
//! calls, since it does not trust the paths of the image: a third of what starting a container
//! costs. Here the groups are opened outside of the container, and mounted by their descriptors
//! when the process is inside already, where no path leads out.

use std::collections::HashMap;
use std::fs;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use libcontainer::oci_spec::runtime::{LinuxNamespaceType, Mount, Spec};
use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use rustix::fs::CWD;
use rustix::mount::{MoveMountFlags, OpenTreeFlags, move_mount, open_tree};
use serde::{Deserialize, Serialize};

/// Where they are, on the host and in the container.
pub(super) const ROOT: &str = "/sys/fs/cgroup";

/// How a container sees its control groups.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct View {
    /// Whether it may change them.
    writable: bool,
}

impl View {
    /// Takes the mount from a specification where it is one of version 1, as the host has it, and
    /// nothing else is mounted around it.
    pub(super) fn take(spec: &mut Spec) -> Option<Self> {
        let mounts = spec.mounts().as_ref()?;
        let is_below_sys = |mount: &&Mount| mount.destination().starts_with("/sys");
        let mut below_sys = mounts.iter().filter(is_below_sys);
        let (sys, groups) = (below_sys.next()?, below_sys.next()?);
        let is = |mount: &Mount, kind: &str, path: &str| {
            mount.typ().as_deref() == Some(kind) && mount.destination() == Path::new(path)
        };
        let alone = below_sys.next().is_none();
        if !alone || !is(sys, "sysfs", "/sys") || !is(groups, "cgroup", ROOT) || has_own(spec) {
            return None;
        }
        let writable = groups
            .options()
            .iter()
            .flatten()
            .any(|option| option == "rw");
        let others = mounts.iter().filter(|mount| !is(mount, "cgroup", ROOT));
        let others = others.cloned().collect();
        spec.set_mounts(Some(others));
        Some(Self { writable })
    }
}

/// Whether the container has a namespace of control groups.
fn has_own(spec: &Spec) -> bool {
    let linux = spec.linux().as_ref();
    let namespaces = linux.and_then(|linux| linux.namespaces().as_ref());
    let mut kinds = namespaces.into_iter().flatten();
    kinds.any(|namespace| namespace.typ() == LinuxNamespaceType::Cgroup)
}

/// Control groups that can be mounted wherever the process is by then.
#[derive(Debug)]
pub(super) struct ControlGroups {
    view: View,
    /// By the hierarchy's name: `memory`, `cpu,cpuacct`.
    groups: Vec<(String, OwnedFd)>,
}

impl ControlGroups {
    /// Opens the container's groups; of hierarchies that control nothing, and which the container shares with its shim,
    /// the shim's.
    ///
    /// # Errors
    /// What keeps a group from being opened.
    pub(super) fn open(groups: &[PathBuf], view: View) -> std::io::Result<Self> {
        let own = own_groups();
        let mut opened = Vec::new();
        for group in groups {
            let Some(name) = hierarchy(group) else {
                continue;
            };
            let group = match own.get(&name) {
                Some(Own::Controlled) => group.clone(),
                Some(Own::Named(path)) => path.clone(),
                // Version 2 beside version 1: nobody is to see it.
                None => continue,
            };
            let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
            opened.push((name, open_tree(CWD, &group, flags)?));
        }
        Ok(Self {
            view,
            groups: opened,
        })
    }

    /// Mounts them. Inside the container.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn mount(&self) -> std::io::Result<()> {
        let closed = MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC | MsFlags::MS_NODEV;
        let access = if self.view.writable {
            MsFlags::empty()
        } else {
            MsFlags::MS_RDONLY
        };
        let root = Path::new(ROOT);
        let options = "mode=755,uid=0,gid=0";
        mount(Some("tmpfs"), root, Some("tmpfs"), closed, Some(options))?;
        for (name, group) in &self.groups {
            let point = root.join(name);
            fs::create_dir(&point)?;
            let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH;
            move_mount(group.as_fd(), "", CWD, &point, flags)?;
            change(&point, closed | access)?;
            for part in name.split(',').filter(|part| part != name) {
                symlink(name, root.join(part))?;
            }
        }
        change(root, closed | access)?;
        Ok(())
    }
}

/// Changes the options of a mount.
fn change(point: &Path, options: MsFlags) -> Result<(), Errno> {
    let flags = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | options;
    mount(None::<&str>, point, None::<&str>, flags, None::<&str>)
}

/// The name of the hierarchy that a group is in.
fn hierarchy(group: &Path) -> Option<String> {
    let below = group.strip_prefix(ROOT).ok()?;
    let name = below.components().next()?;
    Some(name.as_os_str().to_str()?.to_owned())
}

/// What this process has in a hierarchy.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Own {
    /// A hierarchy that controls something: a container has a group of its own.
    Controlled,
    /// One that has only a name, such as systemd's, and the group there.
    Named(PathBuf),
}

impl Own {
    /// Those of a container's groups that are in hierarchies that control something.
    pub(super) fn controlled(groups: &[PathBuf]) -> Vec<PathBuf> {
        let own = own_groups();
        let is_controlled = |group: &&PathBuf| {
            hierarchy(group).is_some_and(|name| own.get(&name) == Some(&Self::Controlled))
        };
        groups.iter().filter(is_controlled).cloned().collect()
    }
}

/// This process's control groups of version 1 by hierarchy.
fn own_groups() -> HashMap<String, Own> {
    let table = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    parse(&table)
}

fn parse(table: &str) -> HashMap<String, Own> {
    let lines = table.lines().filter_map(|line| {
        let (_, rest) = line.split_once(':')?;
        let (controllers, path) = rest.split_once(':')?;
        match controllers.strip_prefix("name=") {
            Some(name) => {
                let path = Path::new(ROOT)
                    .join(name)
                    .join(path.trim_start_matches('/'));
                Some((name.to_owned(), Own::Named(path)))
            }
            None if controllers.is_empty() => None,
            None => Some((controllers.to_owned(), Own::Controlled)),
        }
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hierarchies_are_told_apart() {
        let own = parse("9:name=systemd:/user.slice\n4:memory:/a\n2:cpu,cpuacct:/\n0::/b\n");
        assert_eq!(own.len(), 3);
        assert_eq!(own["memory"], Own::Controlled);
        assert_eq!(own["cpu,cpuacct"], Own::Controlled);
        let systemd = PathBuf::from("/sys/fs/cgroup/systemd/user.slice");
        assert_eq!(own["systemd"], Own::Named(systemd));
        let group = Path::new("/sys/fs/cgroup/cpu,cpuacct/rcompose/1");
        assert_eq!(hierarchy(group).unwrap(), "cpu,cpuacct");
    }

    #[test]
    fn what_is_mounted_around_them_is_left_to_the_library() {
        let mount = |kind: &str, path: &str| serde_json::json!({"destination": path, "type": kind, "options": ["ro"]});
        let spec = |mounts: &[serde_json::Value]| -> Spec {
            let text = serde_json::json!({"ociVersion": "1.0.0", "mounts": mounts, "linux": {}});
            serde_json::from_value(text).unwrap()
        };
        let (sys, groups) = (mount("sysfs", "/sys"), mount("cgroup", ROOT));
        let mut usual = spec(&[mount("proc", "/proc"), sys.clone(), groups.clone()]);
        assert!(!View::take(&mut usual).unwrap().writable);
        assert_eq!(usual.mounts().as_ref().unwrap().len(), 2);
        assert!(View::take(&mut usual).is_none());
        let mut around = spec(&[sys, groups, mount("bind", "/sys/fs/cgroup/extra")]);
        assert!(View::take(&mut around).is_none());
    }
}
