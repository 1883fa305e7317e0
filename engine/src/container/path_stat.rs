//! What a path in a container is.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, OFlags, Stat, statat};
use serde_json::{Value, json};

use crate::archive::Root;

/// Something in a container's files. Its last name is not followed, unless a slash comes after.
#[derive(Debug)]
pub(super) struct Found {
    /// As asked for.
    path: PathBuf,
    /// The folder that has it.
    pub(super) folder: OwnedFd,
    /// Its name there; `.` for the folder itself.
    pub(super) name: OsString,
    /// Its name in an archive: `.` where only the content of a folder is asked for.
    pub(super) shown: PathBuf,
}

impl Found {
    /// Looks a path up.
    pub(super) fn new(root: &Root, path: &str) -> io::Result<Self> {
        let shown = base(path);
        let asserts_folder = path.ends_with('/') || path.ends_with("/.") || path == ".";
        let path = PathBuf::from(path);
        let (folder, name) = if asserts_folder {
            (root.folder(&path)?, ".".into())
        } else {
            match root.entry(&path)? {
                Some(entry) => entry,
                None => (root.folder(Path::new(""))?, ".".into()),
            }
        };
        Ok(Self {
            path,
            folder,
            name,
            shown,
        })
    }
}

/// The last name as Go's `filepath.Base` has it, which clients compare with.
fn base(path: &str) -> PathBuf {
    let trimmed = path.trim_end_matches('/');
    match trimmed.rsplit('/').next() {
        Some("") | None => PathBuf::from("/"),
        Some(name) => PathBuf::from(name),
    }
}

/// What `X-Docker-Container-Path-Stat` tells.
pub(super) fn stat(root: &Root, rootfs: &Path, found: &Found) -> io::Result<Value> {
    let stat = statat(&found.folder, &found.name, AtFlags::SYMLINK_NOFOLLOW)?;
    let target = match FileType::from_raw_mode(stat.st_mode) {
        FileType::Symlink => link_target(root, rootfs, found)?,
        _ => PathBuf::new(),
    };
    let nanoseconds = i32::try_from(stat.st_mtime_nsec).unwrap_or(0);
    let time = jiff::Timestamp::new(stat.st_mtime, nanoseconds).unwrap_or_default();
    Ok(json!({
        "name": found.shown,
        "size": stat.st_size,
        "mode": go_mode(&stat),
        "mtime": time.to_string(),
        "linkTarget": target,
    }))
}

/// Where a link leads in the end; as it is written where that is nowhere.
fn link_target(root: &Root, rootfs: &Path, found: &Found) -> io::Result<PathBuf> {
    if let Ok(file) = root.open_at(&found.path, OFlags::PATH) {
        return within_root(rootfs, &file);
    }
    let written = rustix::fs::readlinkat(&found.folder, &found.name, Vec::new())?;
    Ok(PathBuf::from(written.to_string_lossy().into_owned()))
}

/// The path in the container of something open there.
pub(super) fn within_root(rootfs: &Path, file: &OwnedFd) -> io::Result<PathBuf> {
    let path = std::fs::read_link(format!("/proc/thread-self/fd/{}", file.as_raw_fd()))?;
    let rootfs = rootfs.canonicalize()?;
    let inner = path.strip_prefix(&rootfs).map_err(io::Error::other)?;
    Ok(Path::new("/").join(inner))
}

/// The mode as Go's `os.FileMode` has it: that is what the API speaks.
fn go_mode(stat: &Stat) -> u32 {
    let kind = match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory => 1 << 31,
        FileType::Symlink => 1 << 27,
        FileType::BlockDevice => 1 << 26,
        FileType::CharacterDevice => 1 << 26 | 1 << 21,
        FileType::Fifo => 1 << 25,
        FileType::Socket => 1 << 24,
        _ => 0,
    };
    let bit = |mode: u32, bit: u32| if stat.st_mode & mode != 0 { bit } else { 0 };
    kind | (stat.st_mode & 0o777)
        | bit(0o4000, 1 << 23)
        | bit(0o2000, 1 << 22)
        | bit(0o1000, 1 << 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_name_is_that_of_go() {
        let cases = [
            ("/", "/"),
            ("/etc", "etc"),
            ("/etc/", "etc"),
            ("/etc/.", "."),
            ("etc", "etc"),
            (".", "."),
        ];
        for (path, name) in cases {
            assert_eq!(base(path), Path::new(name), "{path}");
        }
    }
}
