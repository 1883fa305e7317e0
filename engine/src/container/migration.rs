//! Making the kernel ready to move processes between control groups.
//!
//! The first move in a while waits until every processor has taken note (a grace period of the
//! kernel's, 5 to 20 ms); those that follow at once do not. A container's first process is moved a
//! few milliseconds after its start was asked for. So the kernel is made ready when a container is
//! created, when one is started, and before its health is checked for the first times, while
//! everything else is being prepared.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::parts::machine;

/// How long before a move [`prepare`] is called best.
pub(super) const LEAD: Duration = Duration::from_millis(20);

/// A control group that this process is in.
#[derive(Debug)]
struct Own {
    /// Its list of processes.
    file: PathBuf,
    /// All groups of this process, as the kernel told them when the file was found.
    groups: String,
}

/// Makes the kernel ready, beside what the caller does. What fails only takes longer.
pub(super) fn prepare() {
    static OWN: OnceLock<Option<Own>> = OnceLock::new();
    static IS_WAITING: AtomicBool = AtomicBool::new(false);
    // One makes it ready for all.
    if IS_WAITING.swap(true, Ordering::Relaxed) {
        return;
    }
    tokio::task::spawn_blocking(|| {
        if let Some(own) = OWN.get_or_init(|| Own::find(&machine().hierarchies)) {
            own.stay();
        }
        IS_WAITING.store(false, Ordering::Relaxed);
    });
}

impl Own {
    /// Looks for this process in the groups that it should be in. Where control groups have
    /// namespaces, paths may be others than they seem.
    fn find(hierarchies: &[PathBuf]) -> Option<Self> {
        let groups = own_groups()?;
        let own = std::process::id().to_string();
        let has_own = |file: &PathBuf| {
            let text = fs::read_to_string(file).unwrap_or_default();
            text.lines().any(|line| line == own)
        };
        let paths = groups.lines().filter_map(|line| line.splitn(3, ':').nth(2));
        let mut files = paths.flat_map(|path| {
            let path = path.trim_start_matches('/');
            hierarchies
                .iter()
                .map(move |folder| folder.join(path).join("cgroup.procs"))
        });
        let file = files.find(has_own)?;
        Some(Self { file, groups })
    }

    /// Moves this process to where it is.
    fn stay(&self) {
        // Somebody may have moved it meanwhile.
        if own_groups().as_ref() == Some(&self.groups) {
            let _ = fs::write(&self.file, std::process::id().to_string());
        }
    }
}

fn own_groups() -> Option<String> {
    fs::read_to_string(Path::new("/proc/self/cgroup")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_stays_where_it_is() {
        let before = own_groups();
        let Some(own) = Own::find(&machine().hierarchies) else {
            eprintln!("skipped: no control groups here");
            return;
        };
        own.stay();
        assert_eq!(own_groups(), before);
    }

    #[test]
    fn a_group_without_this_process_is_not_its_own() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Own::find(&[folder.path().to_owned()]).is_none());
    }
}
