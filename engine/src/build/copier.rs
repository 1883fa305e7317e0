//! Files copied from one root into another, with everything that they are.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{
    AtFlags, FileType, Gid, Mode as Bits, OFlags, Stat, Timespec, Timestamps, Uid, XattrFlags,
    chownat, fchmod, fsetxattr, futimens, linkat, mkdirat, mknodat, openat, readlinkat, statat,
    symlinkat, unlinkat, utimensat,
};

use super::exclusion::Exclusion;
use super::mode::Mode;
use crate::archive::{
    HardLinks, NO_FOLLOW_FILE, NO_FOLLOW_FOLDER, OVERLAY_ATTRIBUTES, Root, attribute, attributes,
    names, set_owner, set_owner_and_mode,
};

/// More links that lead to nothing are not followed.
const LINKS: usize = 40;

/// Copies into a root.
pub(super) struct Copier<'a> {
    to: &'a Root,
    /// User and group of everything; those of the source where there are none.
    owner: Option<(u32, u32)>,
    mode: Option<&'a Mode>,
    exclusion: &'a Exclusion,
    /// Copied until now, by where they are in the target.
    links: HardLinks,
    /// For what a file has.
    buffer: Vec<u8>,
}

/// Files of so many bytes are copied as one piece.
const SMALL: i64 = 1 << 20;

/// Something to copy: a name in an open folder.
pub(super) struct From<'a> {
    pub(super) folder: &'a OwnedFd,
    pub(super) name: &'a OsStr,
    /// What exclusions call it.
    pub(super) path: &'a str,
}

impl<'a> Copier<'a> {
    pub(super) fn new(
        to: &'a Root,
        owner: Option<(u32, u32)>,
        mode: Option<&'a Mode>,
        exclusion: &'a Exclusion,
    ) -> Self {
        Self {
            to,
            owner,
            mode,
            exclusion,
            links: HardLinks::default(),
            buffer: Vec::new(),
        }
    }

    /// Makes folders in the target where they are missing.
    ///
    /// # Errors
    /// Those of files.
    pub(super) fn make_folders(&self, path: &Path) -> io::Result<OwnedFd> {
        let mode = match self.mode {
            Some(Mode::Bits(bits)) => *bits,
            _ => 0o755,
        };
        let owner = self.owner.unwrap_or((0, 0));
        let mut path = path.to_owned();
        for _ in 0..LINKS {
            match self.to.make_folders_as(&path, owner, mode) {
                // A link to what is not there: that is made.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    path = self.to.through_link(&path)?.ok_or(error)?;
                }
                made => return made,
            }
        }
        Err(io::Error::other("too many links"))
    }

    /// Copies what is in a folder into one of the target, which gets the time of the source but not
    /// its owner and mode.
    ///
    /// # Errors
    /// Those of files, naming the path.
    pub(super) fn contents(
        &mut self,
        source: &OwnedFd,
        path: &str,
        target: &Path,
    ) -> io::Result<()> {
        let folder = self.make_folders(target)?;
        self.inner(source, path, &folder, target)?;
        let stat = rustix::fs::fstat(source)?;
        Ok(futimens(&folder, &times(&stat))?)
    }

    /// Makes a folder like another, without what is in it; one that is there only gets the other's mode.
    ///
    /// # Errors
    /// Those of files.
    pub(super) fn like(&self, source: &OwnedFd, target: &Path) -> io::Result<()> {
        let stat = rustix::fs::fstat(source)?;
        if let Ok(there) = self.to.folder(target) {
            return Ok(fchmod(&there, Bits::from_raw_mode(stat.st_mode & 0o7777))?);
        }
        let made = self.make_folders(target)?;
        self.apply(source, &made, &stat)
    }

    /// Gives a folder of the target the time of another.
    ///
    /// # Errors
    /// Those of files.
    pub(super) fn time_like(&self, source: &OwnedFd, target: &Path) -> io::Result<()> {
        let stat = rustix::fs::fstat(source)?;
        Ok(futimens(self.to.folder(target)?, &times(&stat))?)
    }

    fn inner(
        &mut self,
        source: &OwnedFd,
        path: &str,
        folder: &OwnedFd,
        target: &Path,
    ) -> io::Result<()> {
        for name in names(source)? {
            let inner = join(path, &name);
            let from = From {
                folder: source,
                name: &name,
                path: &inner,
            };
            self.entry(&from, folder, &name, &target.join(&name))?;
        }
        Ok(())
    }

    /// Copies one thing, with everything in it, into an open folder of the target under a name;
    /// `target` is the whole path.
    ///
    /// # Errors
    /// Those of files, naming the path.
    pub(super) fn entry(
        &mut self,
        from: &From<'_>,
        folder: &OwnedFd,
        name: &OsStr,
        target: &Path,
    ) -> io::Result<()> {
        let is_excluded = self.exclusion.excludes(from.path);
        if is_excluded && !self.exclusion.has_exceptions() {
            return Ok(());
        }
        let stat = statat(from.folder, from.name, AtFlags::SYMLINK_NOFOLLOW)?;
        let kind = FileType::from_raw_mode(stat.st_mode);
        if is_excluded && !self.has_kept(from, kind)? {
            return Ok(());
        }
        let copied = if kind == FileType::Directory {
            self.folder(from, &stat, folder, name, target)
        } else {
            clear(folder, name).and_then(|()| self.other(from, &stat, kind, (folder, name, target)))
        };
        // The innermost names the place.
        copied.map_err(|error| match error.get_ref() {
            Some(_) => error,
            None => io::Error::other(format!("/{}: {error}", target.display())),
        })
    }

    /// Whether an excluded folder has something that is kept.
    fn has_kept(&self, from: &From<'_>, kind: FileType) -> io::Result<bool> {
        if kind != FileType::Directory {
            return Ok(false);
        }
        let folder = openat(from.folder, from.name, NO_FOLLOW_FOLDER, Bits::empty())?;
        for name in names(&folder)? {
            let path = join(from.path, &name);
            if !self.exclusion.excludes(&path) {
                return Ok(true);
            }
            let kind =
                FileType::from_raw_mode(statat(&folder, &name, AtFlags::SYMLINK_NOFOLLOW)?.st_mode);
            let inner = From {
                folder: &folder,
                name: &name,
                path: &path,
            };
            if self.has_kept(&inner, kind)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn folder(
        &mut self,
        from: &From<'_>,
        stat: &Stat,
        folder: &OwnedFd,
        name: &OsStr,
        target: &Path,
    ) -> io::Result<()> {
        let source = openat(from.folder, from.name, NO_FOLLOW_FOLDER, Bits::empty())?;
        match mkdirat(folder, name, Bits::from_raw_mode(0o700)) {
            Ok(()) | Err(rustix::io::Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
        let made = match openat(folder, name, NO_FOLLOW_FOLDER, Bits::empty()) {
            Err(rustix::io::Errno::NOTDIR | rustix::io::Errno::LOOP) => {
                return Err(io::Error::other(format!(
                    "cannot copy to non-directory: /{}",
                    target.display()
                )));
            }
            opened => opened?,
        };
        self.inner(&source, from.path, &made, target)?;
        self.apply(&source, &made, stat)?;
        Ok(futimens(&made, &times(stat))?)
    }

    fn other(
        &mut self,
        from: &From<'_>,
        stat: &Stat,
        kind: FileType,
        (folder, name, target): (&OwnedFd, &OsStr, &Path),
    ) -> io::Result<()> {
        match kind {
            FileType::RegularFile => self.file(from, stat, (folder, name, target)),
            FileType::Symlink => {
                let link = readlinkat(from.folder, from.name, Vec::new())?;
                symlinkat(link, folder, name)?;
                self.apply_to_name(stat, folder, name)
            }
            FileType::CharacterDevice | FileType::BlockDevice | FileType::Fifo => {
                let mode = Bits::from_raw_mode(self.mode_of(stat));
                mknodat(folder, name, kind, mode, stat.st_rdev)?;
                self.apply_to_name(stat, folder, name)?;
                // The name was made a moment ago in a folder that is ours: it is no link.
                Ok(rustix::fs::chmodat(folder, name, mode, AtFlags::empty())?)
            }
            // A socket means nothing without its program.
            _ => Ok(()),
        }
    }

    fn file(
        &mut self,
        from: &From<'_>,
        stat: &Stat,
        (folder, name, target): (&OwnedFd, &OsStr, &Path),
    ) -> io::Result<()> {
        if let Some(first) = self.links.first_name(stat, target) {
            let Some((above, first)) = self.to.entry(&first)? else {
                return Err(io::Error::other("a hard link to the root"));
            };
            return Ok(linkat(&above, &first, folder, name, AtFlags::empty())?);
        }
        let source = openat(from.folder, from.name, NO_FOLLOW_FILE, Bits::empty())?;
        let mut source = File::from(source);
        let mut copy = create(folder, name, self.mode_of(stat))?;
        if stat.st_size > SMALL {
            io::copy(&mut source, &mut copy)?;
        } else {
            self.buffer.clear();
            io::Read::read_to_end(&mut source, &mut self.buffer)?;
            io::Write::write_all(&mut copy, &self.buffer)?;
        }
        self.apply(&source, &copy, stat)?;
        Ok(futimens(&copy, &times(stat))?)
    }

    /// Writes a file that is nowhere else.
    ///
    /// # Errors
    /// Those of files.
    pub(super) fn write(&self, target: &Path, content: &[u8], mode: u32) -> io::Result<()> {
        let Some((folder, name)) = self.to.entry(target)? else {
            return Err(io::Error::other("a file cannot take the root's place"));
        };
        clear(&folder, &name)?;
        let mut file = create(&folder, &name, 0o600)?;
        io::Write::write_all(&mut file, content)?;
        set_owner(&file, self.owner.unwrap_or((0, 0)))?;
        let mode = self.mode.map_or(mode, |changes| changes.of(mode, false));
        Ok(fchmod(&file, Bits::from_raw_mode(mode))?)
    }

    fn mode_of(&self, stat: &Stat) -> u32 {
        let is_folder = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
        let mode = stat.st_mode & 0o7777;
        self.mode
            .map_or(mode, |changes| changes.of(mode, is_folder))
    }

    /// Owner, mode and extended attributes, in the order in which none undoes another.
    fn apply(&self, from: impl AsFd, to: impl AsFd, stat: &Stat) -> io::Result<()> {
        let owner = self.owner.unwrap_or((stat.st_uid, stat.st_gid));
        set_owner_and_mode(&to, owner, self.mode_of(stat))?;
        for name in attributes(&from)? {
            let Ok(text) = name.to_str() else { continue };
            // Labels belong to the machine, overlay's marks to the mount.
            if text.starts_with(OVERLAY_ATTRIBUTES) || text == "security.selinux" {
                continue;
            }
            let Some(value) = attribute(&from, text)? else {
                continue;
            };
            match fsetxattr(&to, text, &value, XattrFlags::empty()) {
                Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::PERM) => {}
                set => set?,
            }
        }
        Ok(())
    }

    /// Owner and times of what cannot be opened.
    fn apply_to_name(&self, stat: &Stat, folder: &OwnedFd, name: &OsStr) -> io::Result<()> {
        let (user, group) = self.owner.unwrap_or((stat.st_uid, stat.st_gid));
        let (user, group) = (Uid::from_raw(user), Gid::from_raw(group));
        let flags = AtFlags::SYMLINK_NOFOLLOW;
        chownat(folder, name, Some(user), Some(group), flags)?;
        Ok(utimensat(folder, name, &times(stat), flags)?)
    }
}

fn join(path: &str, name: &OsString) -> String {
    let name = name.to_string_lossy();
    if path.is_empty() {
        name.into_owned()
    } else {
        format!("{path}/{name}")
    }
}

/// Makes room for what is no folder.
fn clear(folder: &OwnedFd, name: &OsStr) -> io::Result<()> {
    match unlinkat(folder, name, AtFlags::empty()) {
        Ok(()) | Err(rustix::io::Errno::NOENT) => Ok(()),
        Err(rustix::io::Errno::ISDIR) => {
            Err(io::Error::other("cannot replace a directory with a file"))
        }
        Err(error) => Err(error.into()),
    }
}

fn create(folder: &OwnedFd, name: &OsStr, mode: u32) -> io::Result<File> {
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mode = Bits::from_raw_mode(mode & 0o777);
    Ok(File::from(openat(folder, name, flags, mode)?))
}

fn times(stat: &Stat) -> Timestamps {
    let time = Timespec {
        tv_sec: stat.st_mtime,
        tv_nsec: i64::try_from(stat.st_mtime_nsec).unwrap_or(0),
    };
    Timestamps {
        last_access: time,
        last_modification: time,
    }
}
