//! Files of a container, read and written from outside: `docker cp`.
//!
//! They are reached through a mount namespace of the working thread's own, in which the
//! container's root file system has its volumes and bind mounts, but neither `/proc` nor `/dev`:
//! whatever links a container makes lead to its own files.

use std::ffi::OsStr;
use std::io::{self, PipeWriter, Read, Write};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::path::{Path, PathBuf};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use rustix::fs::{Mode, OFlags};
use serde_json::Value;
use tokio::sync::oneshot;

use super::path_stat::{Found, stat, within_root};
use super::{Handle, Mount, Record, SpecMount, parts, user};
use crate::archive::{Pack, Root, Unpack, pack, unpack};
use crate::engine::Engine;
use crate::{Error, Result};

/// The files of a container with everything that is mounted there.
#[derive(Debug)]
pub(crate) struct View {
    rootfs: PathBuf,
    mounts: Vec<Mount>,
    binds: Vec<SpecMount>,
    read_only: bool,
    user: String,
}

/// What to write where.
#[derive(Debug)]
pub(crate) struct Writing {
    /// The container as the client names it.
    pub(crate) container: String,
    /// A folder in it.
    pub(crate) path: String,
    /// Whether to refuse to put a file in a folder's place and the other way round.
    pub(crate) keep_kinds: bool,
    /// Whether everything belongs to the container's user, whatever the archive says.
    pub(crate) as_user: bool,
}

impl View {
    /// Looks at a container whose turn the caller has. Its root file system is mounted until
    /// [`View::close`].
    ///
    /// # Errors
    /// 500 when something cannot be mounted.
    pub(crate) async fn open(engine: &Engine, record: &Record) -> Result<Self> {
        Ok(Self {
            rootfs: engine.images.mount(&record.id).await?,
            mounts: record.mounts.clone(),
            binds: parts::bind_mounts(engine, record).await?,
            read_only: record.host_config.readonly_rootfs == Some(true),
            user: record.config.user.clone().unwrap_or_default(),
        })
    }

    /// Takes away what was mounted for the view alone.
    pub(crate) async fn close(engine: &Engine, handle: &Handle) {
        let record = handle.record();
        if record.state.is_up() {
            return;
        }
        let mut results = vec![engine.images.unmount(&handle.id).await];
        for volume in record.mounts.iter().filter_map(Mount::volume) {
            results.push(engine.volumes.unmount(volume, &handle.id).await);
        }
        for error in results.into_iter().filter_map(Result::err) {
            tracing::error!("files of {}: {error}", handle.id);
        }
        let _ = std::fs::remove_dir(engine.layout.container_run(&handle.id));
    }

    /// Does something with the files. Blocks.
    fn with<T: Send>(&self, work: impl FnOnce(&Root) -> Result<T> + Send) -> Result<T> {
        let done = std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                unshare(CloneFlags::CLONE_NEWNS).map_err(Error::internal)?;
                let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
                mount(None::<&str>, "/", None::<&str>, private, None::<&str>)
                    .map_err(Error::internal)?;
                let failed = |error: io::Error| Error::io("open", &self.rootfs, error);
                let root = Root::open(&self.rootfs).map_err(failed)?;
                for bind in &self.binds {
                    place(&root, bind)
                        .map_err(|error| Error::io("mount in a view", &bind.target, error))?;
                }
                work(&root)
            });
            thread.join()
        });
        done.unwrap_or_else(|_| Err(Error::internal("the thread with the mounts ended early")))
    }

    /// What the API tells of a path; the last name is not followed.
    ///
    /// # Errors
    /// 404 when there is nothing.
    pub(crate) fn stat(&self, container: &str, path: &str) -> Result<Value> {
        self.with(|root| {
            let found = Found::new(root, path).and_then(|found| stat(root, &self.rootfs, &found));
            found.map_err(|error| missing(container, path, &error))
        })
    }

    /// Tells what a path is, then writes a tar stream of it with everything in it, beneath its
    /// last name.
    ///
    /// # Errors
    /// When something cannot be read or written; one about the path is told alone.
    pub(crate) fn read(
        &self,
        container: &str,
        path: &str,
        writer: &mut dyn Write,
        tell: oneshot::Sender<Result<Value>>,
    ) -> io::Result<()> {
        self.send(writer, move |root, pipe| {
            let found = Found::new(root, path);
            let found = found.and_then(|found| Ok((stat(root, &self.rootfs, &found)?, found)));
            let (told, found) = match found {
                Ok((stat, found)) => (Ok(stat), Some(found)),
                Err(error) => (Err(missing(container, path, &error)), None),
            };
            let _ = tell.send(told);
            let Some(found) = found else { return Ok(()) };
            packed(pipe, &found.folder, &found.name, &found.shown)
        })
    }

    /// Writes a tar stream of all files of the container, without what is mounted in it. `entered` is
    /// told when what is mounted for the view may be taken away.
    ///
    /// # Errors
    /// When something cannot be read or written.
    pub(crate) fn export(
        mut self,
        writer: &mut dyn Write,
        entered: oneshot::Sender<()>,
    ) -> io::Result<()> {
        self.binds.clear();
        self.send(writer, move |root, pipe| {
            let _ = entered.send(());
            let all = root.folder(Path::new("/"))?;
            packed(pipe, &all, OsStr::new("."), Path::new(""))
        })
    }

    /// Has a stream made where the files are, and writes it.
    fn send(
        &self,
        writer: &mut dyn Write,
        work: impl FnOnce(&Root, PipeWriter) -> io::Result<()> + Send,
    ) -> io::Result<()> {
        // The writer stays on its thread; the pipe brings the bytes from the one with the mounts.
        let (mut reader, pipe) = io::pipe()?;
        std::thread::scope(|scope| {
            let working = scope.spawn(move || {
                let worked = self.with(|root| work(root, pipe).map_err(Error::internal));
                worked.map_err(|error| io::Error::other(error.message))
            });
            let copied = io::copy(&mut reader, writer);
            // Nobody reads on: the working thread ends instead of waiting.
            drop(reader);
            let worked = working
                .join()
                .unwrap_or_else(|_| Err(io::Error::other("packing ended early")));
            copied.and(worked)
        })
    }

    /// Unpacks a tar stream into a folder of the container.
    ///
    /// # Errors
    /// 404 when there is no such folder, 400 when it is none, may not be written, or the archive
    /// is broken.
    pub(crate) fn write(&self, writing: &Writing, reader: impl Read + Send) -> Result<()> {
        let path = writing.path.as_str();
        self.with(|root| {
            let folder = root.folder(Path::new(path)).map_err(|error| {
                if error.kind() == io::ErrorKind::NotADirectory {
                    return Error::bad_request("extraction point is not a directory");
                }
                missing(&writing.container, path, &error)
            })?;
            self.check_writable(&folder)?;
            let owner = if writing.as_user && !self.user.is_empty() {
                let user = user::resolve(&self.rootfs, &self.user, &[])?;
                Some((user.uid, user.gid))
            } else {
                None
            };
            let options = Unpack {
                keep_kinds: writing.keep_kinds,
                owner,
                ..Unpack::default()
            };
            let unpacked = unpack(&Root::from(folder), reader, options);
            unpacked.map(|_| ()).map_err(|error| match error.kind() {
                io::ErrorKind::ReadOnlyFilesystem => {
                    Error::bad_request("mounted volume is marked read-only")
                }
                io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported => {
                    Error::bad_request(error)
                }
                _ => Error::internal(error),
            })
        })
    }

    /// Refuses a folder of a read-only mount, or of a read-only root file system.
    fn check_writable(&self, folder: &OwnedFd) -> Result<()> {
        let path = within_root(&self.rootfs, folder).map_err(Error::internal)?;
        let inner = |mount: &&Mount| path.starts_with(&mount.target);
        match self.mounts.iter().rfind(inner) {
            Some(mount) if !mount.writable => {
                Err(Error::bad_request("mounted volume is marked read-only"))
            }
            None if self.read_only => {
                Err(Error::bad_request("container rootfs is marked read-only"))
            }
            _ => Ok(()),
        }
    }
}

fn packed(pipe: PipeWriter, folder: &OwnedFd, name: &OsStr, path: &Path) -> io::Result<()> {
    let mut builder = tar::Builder::new(io::BufWriter::with_capacity(1 << 16, pipe));
    pack(&mut builder, folder, name, path, Pack::default())?;
    builder.into_inner()?.flush()
}

/// Mounts a source at its target in the root; the target is made where it is missing, as a start
/// would.
fn place(root: &Root, bind: &SpecMount) -> io::Result<()> {
    let Some(source) = &bind.source else {
        return Ok(());
    };
    let is_folder = std::fs::metadata(source)?.is_dir();
    let through = |file: &OwnedFd| format!("/proc/thread-self/fd/{}", file.as_raw_fd());
    let target = root
        .open_at(&bind.target, OFlags::PATH)
        .or_else(|_| make(root, &bind.target, is_folder))?;
    let bound = MsFlags::MS_BIND | MsFlags::MS_REC;
    mount(
        Some(source),
        through(&target).as_str(),
        None::<&str>,
        bound,
        None::<&str>,
    )?;
    if !bind.writable {
        // The name now leads to what was mounted upon it.
        let target = root.open_at(&bind.target, OFlags::PATH)?;
        let flags = MsFlags::MS_BIND | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
        mount(
            None::<&str>,
            through(&target).as_str(),
            None::<&str>,
            flags,
            None::<&str>,
        )?;
    }
    Ok(())
}

fn make(root: &Root, target: &Path, is_folder: bool) -> io::Result<OwnedFd> {
    if is_folder {
        return root.make_folders(target, (0, 0));
    }
    root.make_folders(target.parent().unwrap_or(Path::new("/")), (0, 0))?;
    let Some((folder, name)) = root.entry(target)? else {
        return Err(io::Error::other("a file in place of the root"));
    };
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
    let mode = Mode::from_raw_mode(0o644);
    Ok(rustix::fs::openat(&folder, &name, flags, mode)?)
}

fn missing(container: &str, path: &str, error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Error::not_found(format!(
            "Could not find the file {path} in container {container}"
        )),
        _ => Error::internal(format!("{path}: {error}")),
    }
}

#[cfg(test)]
#[path = "archive_tests.rs"]
mod tests;
