//! Removing all that an engine has kept.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::mount::{MntFlags, umount2};

use super::place::{OTHER_ROOT, RUN};
use super::{Place, lock, stop};
use crate::container::cgroup;
use crate::container::remove::{How, remove};
use crate::engine::Engine;
use crate::{Error, Layout, Result};

/// What an engine makes in its root; nothing else is removed.
const ENTRIES: [&str; 12] = [
    "containers",
    "images",
    "snapshots",
    "build-cache",
    "build-caches",
    "networks",
    "volumes",
    "engine.json",
    "engine.log",
    "engine.log.1",
    "engine.lock",
    "start.lock",
];

/// Makes the daemon leave, and removes containers, images, volumes and networks, with the folders
/// that only they were in.
///
/// # Errors
/// 409 while a container runs, 403 without root, 500 when something cannot be removed.
pub async fn prune(place: &Place) -> Result<()> {
    if !nix::unistd::geteuid().is_root() {
        return Err(Error::forbidden(
            "removing all of the bundled engine needs root",
        ));
    }
    let layout = &place.layout;
    if !layout.root().exists() {
        return Ok(());
    }
    // Nobody starts a daemon meanwhile.
    let path = layout.root().join("start.lock");
    let turn = tokio::task::spawn_blocking(move || lock::take(&path));
    let _turn = turn.await.map_err(Error::internal)??;
    refuse_running(place)?;
    stop(place)?;
    let _lock = lock::try_take(&layout.lock())?
        .ok_or_else(|| Error::conflict("an engine runs with this root"))?;
    refuse_running(place)?;
    let (orderly, mounts) = (take_down(layout).await, unmount(layout));
    if let Err(error) = orderly {
        tracing::warn!("{error}");
    }
    mounts?;
    for entry in ENTRIES {
        remove_all(&layout.root().join(entry))?;
    }
    clear_run(layout.run())?;
    for folder in [layout.root(), layout.run(), Path::new(RUN)] {
        // With something else in it, or when it is mounted, the folder stays.
        let _ = fs::remove_dir(folder);
    }
    Ok(())
}

fn refuse_running(place: &Place) -> Result<()> {
    match place.running_containers() {
        0 => Ok(()),
        1 => Err(Error::conflict("a container runs")),
        count => Err(Error::conflict(format!("{count} containers run"))),
    }
}

/// What containers and networks have on the host, should a daemon have ended without a farewell.
async fn take_down(layout: &Layout) -> Result<()> {
    let engine = Engine::open(layout.clone())?;
    engine.networks.adopt(&HashSet::new()).await?;
    let how = How {
        force: true,
        volumes: true,
    };
    for handle in engine.containers.all() {
        if let Err(error) = remove(&engine, &handle, how).await {
            tracing::warn!("remove {}: {error}", handle.id);
        }
    }
    engine.networks.rest().await;
    cgroup::remove_parents();
    Ok(())
}

/// Unmounts what is still mounted below the engine's folders: removing through a mount would
/// reach files that are not the engine's.
fn unmount(layout: &Layout) -> Result<()> {
    let table = Path::new("/proc/self/mountinfo");
    let text = fs::read_to_string(table).map_err(|error| Error::io("read", table, error))?;
    for mount in mounts(&text, &[layout.root(), layout.run()]) {
        match umount2(&mount, MntFlags::UMOUNT_NOFOLLOW) {
            // What is mounted over it hides it, or somebody was faster.
            Ok(()) | Err(Errno::ENOENT | Errno::EINVAL) => {}
            Err(error) => return Err(Error::io("unmount", &mount, error)),
        }
    }
    Ok(())
}

/// Mount points below these folders, the last mounted first.
fn mounts(table: &str, folders: &[&Path]) -> Vec<PathBuf> {
    let points = table.lines().filter_map(|line| line.split(' ').nth(4));
    let mut found: Vec<PathBuf> = points
        .map(unescape)
        .filter(|point| {
            let is_below = |folder: &&Path| {
                let below = point.strip_prefix(folder).ok();
                let first = below.and_then(|below| below.iter().next());
                first.is_some_and(|first| !is_of_other(first))
            };
            folders.iter().any(is_below)
        })
        .collect();
    found.reverse();
    found
}

/// Undoes the kernel's `\\040` for a space, and the like.
fn unescape(text: &str) -> PathBuf {
    let pairs = [
        ("\\040", " "),
        ("\\011", "\t"),
        ("\\012", "\n"),
        ("\\134", "\\"),
    ];
    let text = pairs
        .iter()
        .fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
    PathBuf::from(text)
}

/// Removes what is in the run folder, apart from the folders of engines with other roots.
fn clear_run(run: &Path) -> Result<()> {
    for entry in fs::read_dir(run).into_iter().flatten().flatten() {
        if !is_of_other(&entry.file_name()) {
            remove_all(&entry.path())?;
        }
    }
    Ok(())
}

/// Whether a name in the run folder is the folder of an engine with another root.
fn is_of_other(name: &OsStr) -> bool {
    name.to_string_lossy().starts_with(OTHER_ROOT)
}

fn remove_all(path: &Path) -> Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::io("remove", path, error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_mounts_below_are_found_and_the_last_comes_first() {
        let table = "1 0 0:1 / /r rw - x x x\n2 1 0:1 / /r/a\\040b rw - x x x\n\
                     3 1 0:1 / /r/a\\040b/c rw - x x x\n4 1 0:1 / /rest rw - x x x\n\
                     5 1 0:1 / /r/root-0a/containers/c/rootfs rw - x x x\n";
        assert_eq!(
            mounts(table, &[Path::new("/r")]),
            [PathBuf::from("/r/a b/c"), PathBuf::from("/r/a b")]
        );
    }

    #[tokio::test]
    async fn what_is_not_the_engines_stays() {
        if !nix::unistd::geteuid().is_root() {
            eprintln!("skipped: needs root");
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let place = Place::new(None, Some(folder.path().join("root")));
        let place = place.with_run(folder.path().join("run"));
        fs::create_dir_all(place.layout.root()).unwrap();
        fs::write(place.layout.root().join("mine"), "").unwrap();
        fs::create_dir_all(place.layout.volumes().join("v")).unwrap();
        prune(&place).await.unwrap();
        let left: Vec<_> = fs::read_dir(place.layout.root())
            .unwrap()
            .flatten()
            .map(|entry| entry.file_name())
            .collect();
        assert_eq!(left, ["mine"]);
    }
}
