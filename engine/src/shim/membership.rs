//! The control groups of a new container: made, limited, and joined.
//!
//! With version 1, the container library would read the table of mounts a dozen times for each process that it puts into
//! groups: with many containers, more than all else that starting one costs. The daemon knows the hierarchies. Limits are
//! left to the library: few containers have any.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use libcgroups::common::{CgroupConfig, CgroupManager as _, ControllerOpt, create_cgroup_manager};
use libcontainer::oci_spec::runtime::{LinuxDeviceCgroup, LinuxResources, Spec};
use nix::unistd::Pid;

use super::control_groups::{Own, ROOT};
use super::create::Failure;
use super::device_filter;
use crate::container::Machine;

/// What a process of version 1's `cpuset` needs to have, which a new group has not.
const SETS: [&str; 2] = ["cpuset.cpus", "cpuset.mems"];

/// The groups that a container's first process is put into.
#[derive(Debug)]
pub(super) struct Membership<'a> {
    spec: &'a Spec,
    is_unified: bool,
    /// Of version 1, one in each hierarchy that controls something; of version 2, one.
    groups: Vec<PathBuf>,
    is_first: bool,
}

impl<'a> Membership<'a> {
    /// Makes the groups. `is_first`: see [`Self::is_first`].
    ///
    /// # Errors
    /// What keeps a group from being made.
    pub(super) fn new(spec: &'a Spec, groups: &[PathBuf], is_first: bool) -> io::Result<Self> {
        let is_unified = Machine::is_unified();
        let groups = if is_unified {
            groups.to_vec()
        } else {
            Own::controlled(groups)
        };
        for group in &groups {
            if is_unified {
                delegate(group)?;
            }
            fs::create_dir_all(group).map_err(|error| located(group, &error))?;
        }
        Ok(Self {
            spec,
            is_unified,
            groups,
            is_first: is_first || is_unified,
        })
    }

    /// Whether the process has to be in its groups before anything else: its namespace or its mounts would show others.
    pub(super) fn is_first(&self) -> bool {
        self.is_first
    }

    /// Puts a process into the groups, which have their limits when this returns.
    ///
    /// # Errors
    /// What the kernel refuses.
    pub(super) fn enter(&self, pid: Pid) -> Result<(), Failure> {
        let linux = self.spec.linux().as_ref();
        if let Some(resources) = linux.and_then(|linux| linux.resources().as_ref()) {
            self.limit(resources)?;
        }
        let pid = pid.to_string();
        let join = |group: &PathBuf| write(&group.join("cgroup.procs"), pid.as_bytes());
        self.groups.iter().try_for_each(join).map_err(Failure::new)
    }

    fn limit(&self, resources: &LinuxResources) -> Result<(), Failure> {
        if is_limited(resources) {
            let linux = self.spec.linux().as_ref();
            let path = linux.and_then(|linux| linux.cgroups_path().clone());
            apply(path.unwrap_or_default(), resources)?;
        }
        let rules = resources.devices().as_deref().unwrap_or_default();
        for group in &self.groups {
            if self.is_unified {
                device_filter::install(rules, group).map_err(Failure::new)?;
                continue;
            }
            if group.join(SETS[0]).exists() {
                inherit(group).map_err(Failure::new)?;
            }
            if group.join("devices.deny").exists() {
                restrict(group, rules).map_err(Failure::new)?;
            }
        }
        Ok(())
    }
}

/// Has the groups around one of version 2 hand their controllers down to it.
fn delegate(group: &Path) -> io::Result<()> {
    let root = Path::new(ROOT);
    let controllers = read(&root.join("cgroup.controllers"))?;
    let mut around: Vec<&Path> = group.ancestors().skip(1).collect();
    around.retain(|folder| folder.starts_with(root));
    for folder in around.into_iter().rev() {
        fs::create_dir_all(folder).map_err(|error| located(folder, &error))?;
        for controller in controllers.split_whitespace() {
            // Not all can be handed down everywhere; a limit that needs one fails then, and says so.
            let path = folder.join("cgroup.subtree_control");
            let _ = write(&path, format!("+{controller}").as_bytes());
        }
    }
    Ok(())
}

/// Whether anything but devices is restricted.
fn is_limited(resources: &LinuxResources) -> bool {
    let mut others = resources.clone();
    others.set_devices(None);
    others != LinuxResources::default()
}

/// Limits the groups at a path below the root of each hierarchy.
fn apply(path: PathBuf, resources: &LinuxResources) -> Result<(), Failure> {
    let config = CgroupConfig {
        cgroup_path: path,
        systemd_cgroup: false,
        container_name: String::new(),
    };
    let manager = create_cgroup_manager(config).map_err(Failure::new)?;
    let options = ControllerOpt {
        resources,
        disable_oom_killer: false,
        oom_score_adj: None,
        freezer_state: None,
    };
    manager.apply(&options).map_err(Failure::new)
}

/// Gives a group, and those that it is in, the processors and memory nodes of those around them: nothing can join one
/// that has none.
fn inherit(group: &Path) -> io::Result<()> {
    for file in SETS {
        let path = group.join(file);
        if !read(&path)?.trim().is_empty() {
            continue;
        }
        let around = group.parent().filter(|around| around.starts_with(ROOT));
        let around =
            around.ok_or_else(|| located(&path, &io::Error::other("nothing to inherit")))?;
        inherit(around)?;
        write(&path, read(&around.join(file))?.as_bytes())?;
    }
    Ok(())
}

/// Restricts the use of devices to what every container may do and `rules`; where the first of them allows all, nothing
/// is restricted.
fn restrict(group: &Path, rules: &[LinuxDeviceCgroup]) -> io::Result<()> {
    if rules.first().is_none_or(LinuxDeviceCgroup::allow) {
        return Ok(());
    }
    write(&group.join("devices.deny"), b"a")?;
    let path = group.join("devices.allow");
    let mut file = open(&path)?;
    let allowed = rules.iter().filter(|rule| rule.allow());
    let allowed = device_filter::always().chain(allowed.map(ToString::to_string));
    for rule in allowed {
        // The kernel takes one with each call.
        file.write_all(rule.as_bytes())
            .map_err(|error| located(&path, &error))?;
    }
    Ok(())
}

fn open(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().write(true).open(path);
    file.map_err(|error| located(path, &error))
}

fn write(path: &Path, text: &[u8]) -> io::Result<()> {
    open(path)?
        .write_all(text)
        .map_err(|error| located(path, &error))
}

fn read(path: &Path) -> io::Result<String> {
    fs::read_to_string(path).map_err(|error| located(path, &error))
}

fn located(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
