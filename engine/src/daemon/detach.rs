//! Leaving the terminal and the process that started the daemon.

use std::fs;

use nix::sys::prctl;
use nix::sys::stat::{Mode, umask};

use crate::{Error, Result};

/// Closes what a careless parent has left open beyond the standard streams, such as a lock of a
/// script that would be held as long as the daemon lives. Only for a process that has opened
/// nothing itself: call it first.
///
/// # Errors
/// 500 when `/proc` cannot be read.
pub fn close_inherited() -> Result<()> {
    let entries = fs::read_dir("/proc/self/fd").map_err(Error::internal)?;
    let names = entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok());
    let open: Vec<i32> = names.filter_map(|name| name.parse().ok()).collect();
    for descriptor in open.into_iter().filter(|descriptor| *descriptor > 2) {
        // The one that the list was read with is closed already.
        let _ = nix::unistd::close(descriptor);
    }
    Ok(())
}

/// Becomes a daemon: a session of its own, no folder held, files readable as they say.
///
/// # Errors
/// 500 when the system refuses.
pub fn detach() -> Result<()> {
    // Fails only for a process that leads a group, and then has a terminal of its own to lose.
    if nix::unistd::setsid().is_err() {
        tracing::debug!("leads a process group already");
    }
    // Executed by way of /proc, it would be called "exe".
    prctl::set_name(c"rcompose-engine").map_err(Error::internal)?;
    umask(Mode::from_bits_truncate(0o022));
    rustix::process::chdir("/").map_err(Error::internal)
}
