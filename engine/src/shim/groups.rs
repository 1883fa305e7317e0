//! The control groups of a container that has ended, or could not be made, taken away.
//!
//! The container library would read the table of mounts anew for each controller, twice; with many
//! containers that is most of what ending one costs. The daemon knows the hierarchies.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// How long processes that were killed may take to go.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long to wait before it is looked again whether they have gone.
const RETRY: Duration = Duration::from_millis(1);

/// Kills what is left in control groups, and removes them with those below; nothing for those that
/// are not there. The groups have the same processes, each in a hierarchy of its own.
///
/// # Errors
/// What keeps a group from being removed.
pub(super) fn remove(groups: &[PathBuf]) -> std::io::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    let mut result = Ok(());
    for group in groups {
        let removed = loop {
            match remove_one(group) {
                Err(error) if error.kind() == ErrorKind::ResourceBusy => {
                    if Instant::now() > deadline {
                        break Err(error);
                    }
                    kill_all(group);
                    thread::sleep(RETRY);
                }
                removed => break removed,
            }
        };
        result = result.and(removed);
    }
    result
}

fn remove_one(group: &Path) -> std::io::Result<()> {
    match fs::remove_dir(group) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() == ErrorKind::ResourceBusy => {
            for below in below(group) {
                remove_one(&below)?;
            }
            fs::remove_dir(group)
        }
        removed => removed,
    }
}

fn kill_all(group: &Path) {
    let text = fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
    for pid in text.lines().filter_map(|line| line.parse().ok()) {
        // Zero stands for a process of another namespace; to signal it would reach this one's group.
        if pid > 0 {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
    }
    for below in below(group) {
        kill_all(&below);
    }
}

fn below(group: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(group).into_iter().flatten().flatten();
    let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    folders.map(|entry| entry.path()).collect()
}
