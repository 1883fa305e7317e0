//! What running containers have is kept in memory.
//!
//! A file in memory costs a fraction of one on a disk, and a reboot takes it away, as it takes the
//! containers. The run folder is in memory already on most machines; where it is not, as in a
//! container or a machine without systemd, a tmpfs of the engine's own is mounted for them.

use std::fs;
use std::path::Path;

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sys::statfs::{TMPFS_MAGIC, statfs};

use super::start::make_folder;
use crate::image::is_mounted;
use crate::{Error, Layout, Result};

/// Tells one boot of the machine from another.
const BOOT: &str = "/proc/sys/kernel/random/boot_id";
/// Mode of the folder of containers.
const MODE: u32 = 0o755;

/// Makes the folder of what running containers have, and removes what is left from before a
/// reboot. Tells whether the machine has booted since an engine was here.
///
/// # Errors
/// 500 when a folder cannot be made or cleared.
pub(super) fn prepare(layout: &Layout) -> Result<bool> {
    let (folder, mark) = (layout.containers_run(), layout.run().join("boot"));
    let boot = fs::read_to_string(BOOT).unwrap_or_default();
    let booted = match fs::read_to_string(&mark) {
        Ok(former) => former != boot,
        Err(_) => !folder.exists(),
    };
    if booted && folder.exists() {
        fs::remove_dir_all(&folder).map_err(|error| Error::io("clear", &folder, error))?;
    }
    make_folder(&folder, MODE)?;
    if !is_in_memory(&folder) && is_empty(&folder) {
        // Without it everything is as well, only slower.
        if let Err(error) = mount_memory(&folder) {
            tracing::warn!("mount a tmpfs at {}: {error}", folder.display());
        }
    }
    fs::write(&mark, boot).map_err(|error| Error::io("write", &mark, error))?;
    Ok(booted)
}

/// Takes the tmpfs away, should there be one. Only for when no container runs.
pub(super) fn release(layout: &Layout) {
    let folder = layout.containers_run();
    if is_mounted(&folder)
        && let Err(error) = umount2(&folder, MntFlags::MNT_DETACH | MntFlags::UMOUNT_NOFOLLOW)
    {
        tracing::warn!("unmount {}: {error}", folder.display());
    }
}

fn is_in_memory(folder: &Path) -> bool {
    statfs(folder).is_ok_and(|found| found.filesystem_type() == TMPFS_MAGIC)
}

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none())
}

fn mount_memory(folder: &Path) -> nix::Result<()> {
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    let options = format!("mode={MODE:o}");
    mount(
        Some("rcompose"),
        folder,
        Some("tmpfs"),
        flags,
        Some(options.as_str()),
    )?;
    // What is mounted in it is nobody else's business.
    mount(
        None::<&str>,
        folder,
        None::<&str>,
        MsFlags::MS_PRIVATE,
        None::<&str>,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_from_before_a_reboot_goes() {
        if !nix::unistd::geteuid().is_root() {
            eprintln!("skipped: needs root");
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path().join("root"), folder.path().join("run"));
        let old = layout.container_run("old").join("shim.sock");
        fs::create_dir_all(old.parent().unwrap()).unwrap();
        fs::write(&old, "").unwrap();
        assert!(!prepare(&layout).unwrap(), "containers may run");
        assert!(old.exists());
        fs::write(layout.run().join("boot"), "another").unwrap();
        assert!(prepare(&layout).unwrap());
        assert!(!old.exists());
        assert!(is_in_memory(&layout.containers_run()));
        assert!(!prepare(&layout).unwrap(), "the same boot");
        release(&layout);
        assert!(!is_mounted(&layout.containers_run()));
    }
}
