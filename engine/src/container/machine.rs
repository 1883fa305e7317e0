//! What this machine and this process can do.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use caps::{CapSet, Capability};
use nix::sys::statfs::{CGROUP2_SUPER_MAGIC, statfs};

/// Where control groups are mounted.
const GROUPS: &str = "/sys/fs/cgroup";

/// Facts that a container's specification depends on.
#[derive(Debug, Clone)]
pub(crate) struct Machine {
    /// Whether control groups are of version 2 alone; otherwise version 1 or both.
    pub(crate) unified: bool,
    /// Whether swap can be limited.
    pub(crate) limits_swap: bool,
    /// Whether hard limits can be raised.
    pub(crate) raises_limits: bool,
    /// Where the hierarchies of control groups are mounted.
    pub(crate) hierarchies: Vec<PathBuf>,
    /// Names of the capabilities that can be given.
    pub(crate) capabilities: Vec<String>,
}

impl Machine {
    /// Asks the kernel.
    pub(crate) fn detect() -> Self {
        let root = Path::new(GROUPS);
        let unified = Self::is_unified();
        let held: HashSet<Capability> = caps::read(None, CapSet::Permitted).unwrap_or_default();
        Self {
            unified,
            limits_swap: unified || root.join("memory/memory.memsw.limit_in_bytes").exists(),
            hierarchies: hierarchies(),
            raises_limits: held.contains(&Capability::CAP_SYS_RESOURCE),
            capabilities: held.iter().map(ToString::to_string).collect(),
        }
    }
}

impl Machine {
    /// Whether control groups are of version 2 alone.
    pub(crate) fn is_unified() -> bool {
        statfs(GROUPS).is_ok_and(|found| found.filesystem_type() == CGROUP2_SUPER_MAGIC)
    }

    /// The control group at this path below the root of each hierarchy.
    pub(crate) fn groups(&self, path: &str) -> Vec<PathBuf> {
        let path = path.trim_start_matches('/');
        let hierarchies = self.hierarchies.iter();
        hierarchies.map(|folder| folder.join(path)).collect()
    }
}

/// The mount points of file systems of control groups.
fn hierarchies() -> Vec<PathBuf> {
    let table = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    mounted_hierarchies(&table)
}

fn mounted_hierarchies(table: &str) -> Vec<PathBuf> {
    let of_groups = table.lines().filter(|line| {
        let kind = line
            .split_once(" - ")
            .and_then(|(_, rest)| rest.split(' ').next());
        matches!(kind, Some("cgroup" | "cgroup2"))
    });
    let points = of_groups.filter_map(|line| line.split(' ').nth(4));
    let mut points: Vec<PathBuf> = points.map(PathBuf::from).collect();
    points.sort();
    points.dedup();
    points
}

#[cfg(test)]
impl Machine {
    /// One that can do everything.
    pub(crate) fn able(unified: bool) -> Self {
        Self {
            unified,
            limits_swap: true,
            hierarchies: Vec::new(),
            raises_limits: true,
            capabilities: caps::all().iter().map(ToString::to_string).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hierarchies_of_both_versions_are_found() {
        let table = "30 29 0:26 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n\
                     31 30 0:27 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n\
                     32 30 0:28 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu\n";
        let found = mounted_hierarchies(table);
        let expected = ["/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup/unified"];
        assert_eq!(found, expected.map(PathBuf::from));
    }
}
