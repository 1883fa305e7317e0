//! Network namespaces: files that a namespace is mounted on.
//!
//! A thread that has changed its namespace is thrown away: it never goes back to a pool.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::thread;

use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, setns, unshare};
use nix::unistd::gettid;
use tokio::sync::oneshot;

use crate::{Error, Result};

/// Makes a new network namespace and mounts it on `path`, which is made.
///
/// # Errors
/// 500 when the kernel refuses, or the file is there already.
pub(crate) fn create(path: &Path) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|error| Error::io("create", folder, error))?;
    }
    let target = path.to_owned();
    let made = thread::spawn(move || unshared(&target)).join();
    made.unwrap_or_else(|_| {
        Err(Error::internal(
            "the thread of a new network namespace failed",
        ))
    })
}

fn unshared(path: &Path) -> Result<()> {
    let failed = |error: Errno| Error::io("make a network namespace at", path, error);
    unshare(CloneFlags::CLONE_NEWNET).map_err(failed)?;
    // As everywhere containers run: a server without privileges may have port 80, and anybody may ping.
    let _ = fs::write("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0");
    let _ = fs::write("/proc/sys/net/ipv4/ping_group_range", "0 2147483647");
    File::create(path).map_err(|error| Error::io("create", path, error))?;
    let own = PathBuf::from(format!("/proc/self/task/{}/ns/net", gettid()));
    let mounted = mount(
        Some(&own),
        path,
        None::<&str>,
        MsFlags::MS_BIND,
        None::<&str>,
    );
    mounted
        .inspect_err(|_| drop(fs::remove_file(path)))
        .map_err(failed)
}

/// Takes away the file of a namespace; nothing when there is none. The namespace itself ends
/// with the last process and socket in it.
///
/// # Errors
/// 500 when it cannot be unmounted or removed.
pub(crate) fn remove(path: &Path) -> Result<()> {
    match umount2(path, MntFlags::MNT_DETACH) {
        Ok(()) | Err(Errno::EINVAL | Errno::ENOENT) => {}
        Err(error) => return Err(Error::io("unmount", path, error)),
    }
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::io("remove", path, error)),
        _ => Ok(()),
    }
}

/// Runs `work` on a thread of its own inside the namespace at `path`, with the runtime's reactor
/// at hand: sockets it makes stay in that namespace wherever they are used.
///
/// # Errors
/// 500 when the namespace cannot be entered; the error of `work`.
pub(crate) async fn inside<T: Send + 'static>(
    path: &Path,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let runtime = tokio::runtime::Handle::current();
    let path = path.to_owned();
    let (sender, receiver) = oneshot::channel();
    thread::spawn(move || {
        let _context = runtime.enter();
        // Nobody waits any more: the request was given up.
        let _ = sender.send(enter(&path).and_then(|()| work()));
    });
    let failed = |_| Error::internal("the thread inside a network namespace failed");
    receiver.await.map_err(failed)?
}

fn enter(path: &Path) -> Result<()> {
    let file = File::open(path).map_err(|error| Error::io("open", path, error))?;
    let failed = |error| Error::io("enter the network namespace", path, error);
    setns(file, CloneFlags::CLONE_NEWNET).map_err(failed)
}
