//! A folder that nothing leads out of.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, ResolveFlags, openat, openat2, unlinkat};
use rustix::io::Errno;

/// A folder taken as `/`: symbolic links and `..` are followed inside of it, never out of it,
/// even when somebody changes it meanwhile.
#[derive(Debug)]
pub(crate) struct Root(OwnedFd);

impl Root {
    /// Takes a folder of the host; its own path is followed as usual.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self(rustix::fs::open(path, flags, Mode::empty())?))
    }

    /// The folder itself.
    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    /// Opens what `path` leads to, following links inside of the root.
    pub(crate) fn open_at(&self, path: &Path, flags: OFlags) -> io::Result<OwnedFd> {
        let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        let path = if path.as_os_str().is_empty() {
            Path::new(".")
        } else {
            path
        };
        let flags = flags | OFlags::CLOEXEC;
        // The kernel asks to try again when the tree was being changed.
        for _ in 0..64 {
            match openat2(&self.0, path, flags, Mode::empty(), resolve) {
                Err(Errno::AGAIN) => {}
                opened => return Ok(opened?),
            }
        }
        Err(Errno::AGAIN.into())
    }

    /// Opens a folder in it.
    pub(crate) fn folder(&self, path: &Path) -> io::Result<OwnedFd> {
        self.open_at(path, OFlags::RDONLY | OFlags::DIRECTORY)
    }

    /// Opens a folder in it, on the way to which there is no link.
    pub(crate) fn folder_without_links(&self, path: &Path) -> io::Result<OwnedFd> {
        let path = Path::new(".").join(path);
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_SYMLINKS;
        Ok(openat2(&self.0, path, flags, Mode::empty(), resolve)?)
    }

    /// The folder that has the last name of `path`, and that name; the name itself is not
    /// followed. `None` for the root.
    pub(crate) fn entry(&self, path: &Path) -> io::Result<Option<(OwnedFd, OsString)>> {
        let path = normal(path)?;
        let Some(name) = path.file_name() else {
            return Ok(None);
        };
        let parent = path.parent().unwrap_or(Path::new(""));
        Ok(Some((self.folder(parent)?, name.to_owned())))
    }

    /// Opens a folder, making it and those above it where they are missing (mode 755).
    pub(crate) fn make_folders(&self, path: &Path, owner: (u32, u32)) -> io::Result<OwnedFd> {
        self.make_folders_as(path, owner, 0o755)
    }

    /// The same with another mode of what is missing.
    pub(crate) fn make_folders_as(
        &self,
        path: &Path,
        owner: (u32, u32),
        mode: u32,
    ) -> io::Result<OwnedFd> {
        match self.folder(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            opened => return opened,
        }
        let path = normal(path)?;
        let mut walked = PathBuf::new();
        let mut folder = self.folder(Path::new(""))?;
        for name in &path {
            walked.push(name);
            folder = match self.folder(&walked) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    rustix::fs::mkdirat(&folder, name, Mode::from_raw_mode(0o755))?;
                    let made = openat(&folder, name, NO_FOLLOW_FOLDER, Mode::empty())?;
                    set_owner(&made, owner)?;
                    rustix::fs::fchmod(&made, Mode::from_raw_mode(mode))?;
                    made
                }
                opened => opened?,
            };
        }
        Ok(folder)
    }

    /// A path with the first link in it that leads to nothing replaced by where it leads, inside of
    /// the root; `None` where there is no such link.
    pub(crate) fn through_link(&self, path: &Path) -> io::Result<Option<PathBuf>> {
        let path = normal(path)?;
        let mut names = path.iter();
        let mut walked = PathBuf::new();
        while let Some(name) = names.next() {
            let folder = self.folder(&walked)?;
            let missing = self.open_at(&walked.join(name), OFlags::PATH).is_err();
            if missing && let Ok(link) = rustix::fs::readlinkat(&folder, name, Vec::new()) {
                let link = Path::new(OsStr::from_bytes(link.as_bytes()));
                let place = inside(&Path::new("/").join(&walked).join(link));
                return Ok(Some(place.join(names.as_path())));
            }
            if missing {
                return Ok(None);
            }
            walked.push(name);
        }
        Ok(None)
    }
}

/// A path relative to the root, above which `..` does not lead.
fn inside(path: &Path) -> PathBuf {
    let mut place = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => place.push(name),
            Component::ParentDir => drop(place.pop()),
            _ => {}
        }
    }
    place
}

impl From<OwnedFd> for Root {
    /// Takes a folder that is open for reading.
    fn from(folder: OwnedFd) -> Self {
        Self(folder)
    }
}

/// A folder that is not a link to one.
pub(crate) const NO_FOLLOW_FOLDER: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// A file that is not a link to one. Not blocked by a pipe that took the file's place meanwhile.
pub(crate) const NO_FOLLOW_FILE: OFlags = OFlags::RDONLY
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// Sets user and group, where this process may.
pub(crate) fn set_owner(file: impl AsFd, (user, group): (u32, u32)) -> io::Result<()> {
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let user = rustix::fs::Uid::from_raw(user);
    let group = rustix::fs::Gid::from_raw(group);
    Ok(rustix::fs::fchown(file, Some(user), Some(group))?)
}

/// Sets user and group, where this process may, and the mode: as far as they are others, as the file system takes its time.
pub(crate) fn set_owner_and_mode(file: impl AsFd, owner: (u32, u32), mode: u32) -> io::Result<()> {
    let stat = rustix::fs::fstat(&file)?;
    let is_other = owner != (stat.st_uid, stat.st_gid);
    if is_other {
        set_owner(&file, owner)?;
    }
    // Another owner may take bits away.
    if is_other || stat.st_mode & 0o7777 != mode & 0o7777 {
        rustix::fs::fchmod(&file, Mode::from_raw_mode(mode & 0o7777))?;
    }
    Ok(())
}

/// The path relative to the root, without `.`, `..` and `/`.
///
/// # Errors
/// When `..` leads above the root.
pub(super) fn normal(path: &Path) -> io::Result<PathBuf> {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => normal.push(name),
            Component::ParentDir if !normal.pop() => {
                let message = format!("{} leads out of its root", path.display());
                return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
            }
            _ => {}
        }
    }
    Ok(normal)
}

/// Has the file system put the folders that are made in this one apart from each other, each where there is much room, if it
/// knows how: ext4 passes over every file that was removed in the last minutes before it has room for a new one.
pub(crate) fn spread(folder: &Path) {
    let Ok(folder) = std::fs::File::open(folder) else {
        return;
    };
    if let Ok(flags) = rustix::fs::ioctl_getflags(&folder) {
        // Others have no such flag.
        let _ = rustix::fs::ioctl_setflags(&folder, flags | rustix::fs::IFlags::TOPDIR);
    }
}

/// Removes what has this name in a folder, with everything in it; links are not followed.
pub(crate) fn remove_all(folder: impl AsFd, name: &OsStr) -> io::Result<()> {
    match unlinkat(&folder, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => return Ok(()),
        Err(Errno::ISDIR | Errno::PERM) => {}
        Err(error) => return Err(error.into()),
    }
    let inner = openat(&folder, name, NO_FOLLOW_FOLDER, Mode::empty())?;
    for name in names(&inner)? {
        remove_all(&inner, &name)?;
    }
    Ok(unlinkat(&folder, name, AtFlags::REMOVEDIR)?)
}

/// What a folder has, in the order of the names' bytes.
pub(crate) fn names(folder: impl AsFd) -> io::Result<Vec<OsString>> {
    let mut names = Vec::new();
    for entry in Dir::read_from(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            names.push(OsStr::from_bytes(name).to_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// The kind of what has this name; `None` when there is nothing. Links are not followed.
pub(super) fn kind(folder: impl AsFd, name: &OsStr) -> io::Result<Option<FileType>> {
    match rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(FileType::from_raw_mode(stat.st_mode))),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
