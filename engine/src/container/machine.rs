//! What this machine and this process can do.

use std::collections::HashSet;
use std::path::Path;

use caps::{CapSet, Capability};
use nix::sys::statfs::{CGROUP2_SUPER_MAGIC, statfs};

/// Facts that a container's specification depends on.
#[derive(Debug, Clone)]
pub(crate) struct Machine {
    /// Whether control groups are of version 2 alone; otherwise version 1 or both.
    pub(crate) unified: bool,
    /// Whether swap can be limited.
    pub(crate) limits_swap: bool,
    /// Whether hard limits can be raised.
    pub(crate) raises_limits: bool,
    /// Names of the capabilities that can be given.
    pub(crate) capabilities: Vec<String>,
}

impl Machine {
    /// Asks the kernel.
    pub(crate) fn detect() -> Self {
        let root = Path::new("/sys/fs/cgroup");
        let unified =
            statfs(root).is_ok_and(|found| found.filesystem_type() == CGROUP2_SUPER_MAGIC);
        let held: HashSet<Capability> = caps::read(None, CapSet::Permitted).unwrap_or_default();
        Self {
            unified,
            limits_swap: unified || root.join("memory/memory.memsw.limit_in_bytes").exists(),
            raises_limits: held.contains(&Capability::CAP_SYS_RESOURCE),
            capabilities: held.iter().map(ToString::to_string).collect(),
        }
    }
}

#[cfg(test)]
impl Machine {
    /// One that can do everything.
    pub(crate) fn able(unified: bool) -> Self {
        Self {
            unified,
            limits_swap: true,
            raises_limits: true,
            capabilities: caps::all().iter().map(ToString::to_string).collect(),
        }
    }
}
