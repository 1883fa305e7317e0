//! A tar stream unpacked into a folder.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, Timespec, Timestamps, XattrFlags, chownat, fchmod, fsetxattr,
    futimens, linkat, makedev, mkdirat, mknodat, openat, symlinkat, utimensat,
};
use tar::{Archive, Entry, EntryType};

use super::root::{NO_FOLLOW_FOLDER, kind, normal, remove_all, set_owner};
use super::{OPAQUE, OPAQUE_ATTRIBUTE, OVERLAY_ATTRIBUTES, Root, WHITEOUT};

/// How to unpack.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Unpack {
    /// What `.wh.` files mean.
    pub(crate) whiteouts: Whiteouts,
    /// Whether to refuse to put a file in a folder's place and the other way round.
    pub(crate) keep_kinds: bool,
    /// Whether the root's owner, mode and time stay, whatever the archive says of them.
    pub(crate) keeps_root: bool,
    /// User and group of everything, in place of those in the archive.
    pub(crate) owner: Option<(u32, u32)>,
}

/// What `.wh.` files mean.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Whiteouts {
    /// Nothing: they are files as others.
    #[default]
    Files,
    /// The archive is a layer: what they hide is hidden as overlay hides it.
    Overlay,
}

/// Unpacks a stream; answers how many bytes its files have.
///
/// # Errors
/// When the archive is broken or a path leads out of the root, naming the entry.
pub(crate) fn unpack(root: &Root, reader: impl Read, options: Unpack) -> io::Result<u64> {
    let mut archive = Archive::new(reader);
    let mut unpacker = Unpacker {
        root,
        options,
        parent: None,
        folders: Vec::new(),
        size: 0,
    };
    for entry in archive.entries()? {
        let mut entry = match entry {
            Ok(entry) => entry,
            Err(error) if is_short_of_padding(&error) => break,
            Err(error) => return Err(error),
        };
        let path = PathBuf::from(OsString::from_vec(entry.path_bytes().into_owned()));
        let unpacked = unpacker.entry(&mut entry, &path);
        unpacked.map_err(|error| {
            io::Error::new(error.kind(), format!("{}: {error}", path.display()))
        })?;
    }
    unpacker.finish()?;
    // What follows the end of the archive is part of the stream: its digest counts it.
    io::copy(&mut archive.into_inner(), &mut io::sink())?;
    Ok(unpacker.size)
}

/// Whether an archive ends with the data of its last file: the docker command leaves out what
/// fills the last block, and the blocks that mark the end. That the data is whole is looked at
/// where it is read.
fn is_short_of_padding(error: &io::Error) -> bool {
    error.to_string() == "unexpected EOF during skip"
}

struct Unpacker<'a> {
    root: &'a Root,
    options: Unpack,
    /// The folder of the last entry: most have the same as the one before.
    parent: Option<(PathBuf, Rc<OwnedFd>)>,
    /// Times of folders, set last because what is made in them changes them.
    folders: Vec<(PathBuf, Timestamps)>,
    size: u64,
}

/// What an entry says beside its data.
struct Attributes {
    mode: Mode,
    owner: (u32, u32),
    times: Timestamps,
    extended: Vec<(String, Vec<u8>)>,
}

impl Unpacker<'_> {
    fn entry(&mut self, entry: &mut Entry<'_, impl Read>, path: &Path) -> io::Result<()> {
        if entry.header().entry_type() == EntryType::XGlobalHeader {
            return Ok(());
        }
        let attributes = Attributes::read(entry, self.options.owner)?;
        let path = normal(path)?;
        let Some(name) = path.file_name() else {
            if self.options.keeps_root {
                return Ok(());
            }
            let root = self.root.folder(Path::new(""))?;
            attributes.apply(&root)?;
            self.folders.push((PathBuf::new(), attributes.times));
            return Ok(());
        };
        let parent = self.parent(path.parent().unwrap_or(Path::new("")), attributes.owner)?;
        if self.options.whiteouts == Whiteouts::Overlay
            && let Some(hidden) = name.as_bytes().strip_prefix(WHITEOUT.as_bytes())
        {
            return hide(&parent, name, OsStr::from_bytes(hidden));
        }
        let is_opaque = self.make_room(&parent, name, entry.header().entry_type())?;
        self.place(entry, &parent, &path, name, &attributes)?;
        if is_opaque {
            let folder = openat(&*parent, name, NO_FOLLOW_FOLDER, Mode::empty())?;
            set_opaque(&folder)?;
        }
        Ok(())
    }

    /// The folder of an entry. Folders that the archive leaves out are made.
    fn parent(&mut self, path: &Path, owner: (u32, u32)) -> io::Result<Rc<OwnedFd>> {
        if let Some((known, folder)) = &self.parent
            && known == path
        {
            return Ok(Rc::clone(folder));
        }
        let owner = if self.options.owner.is_some() {
            owner
        } else {
            (0, 0)
        };
        let folder = Rc::new(self.root.make_folders(path, owner)?);
        self.parent = Some((path.to_owned(), Rc::clone(&folder)));
        Ok(folder)
    }

    /// Takes away what is in an entry's place; a folder stays where a folder comes. Answers
    /// whether a whiteout was there that a folder comes in place of.
    fn make_room(&mut self, parent: &OwnedFd, name: &OsStr, coming: EntryType) -> io::Result<bool> {
        let Some(present) = kind(parent, name)? else {
            return Ok(false);
        };
        let is_folder = present == FileType::Directory;
        if is_folder && coming.is_dir() {
            return Ok(false);
        }
        if self.options.keep_kinds && is_folder != coming.is_dir() {
            let (old, new) = if is_folder {
                ("directory", "non-directory")
            } else {
                ("non-directory", "directory")
            };
            let message = format!("cannot overwrite {old} with {new}");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        let is_whiteout = self.options.whiteouts == Whiteouts::Overlay
            && present == FileType::CharacterDevice
            && coming.is_dir();
        self.parent = None;
        remove_all(parent, name)?;
        Ok(is_whiteout)
    }

    fn place(
        &mut self,
        entry: &mut Entry<'_, impl Read>,
        parent: &OwnedFd,
        path: &Path,
        name: &OsStr,
        attributes: &Attributes,
    ) -> io::Result<()> {
        let header = entry.header().clone();
        let nobody = Mode::from_raw_mode(0o600);
        match header.entry_type() {
            EntryType::Directory => {
                if kind(parent, name)?.is_none() {
                    mkdirat(parent, name, Mode::from_raw_mode(0o700))?;
                }
                let folder = openat(parent, name, NO_FOLLOW_FOLDER, Mode::empty())?;
                attributes.apply(&folder)?;
                self.folders
                    .push((path.to_owned(), attributes.times.clone()));
            }
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
                let flags = OFlags::CREATE
                    | OFlags::EXCL
                    | OFlags::WRONLY
                    | OFlags::NOFOLLOW
                    | OFlags::CLOEXEC;
                let mut file = File::from(openat(parent, name, flags, nobody)?);
                let length = io::copy(entry, &mut file)?;
                if length < entry.size() {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                self.size += length;
                attributes.apply(&file)?;
                futimens(&file, &attributes.times)?;
            }
            EntryType::Link => {
                let target = link_name(entry)?;
                let Some((folder, target)) = self.root.entry(&target)? else {
                    return Err(io::Error::other("a hard link to the root"));
                };
                linkat(&folder, &target, parent, name, AtFlags::empty())?;
            }
            EntryType::Symlink => {
                self.parent = None;
                symlinkat(link_name(entry)?, parent, name)?;
                attributes.apply_to_link(parent, name)?;
            }
            EntryType::Char => node(&header, parent, name, FileType::CharacterDevice, attributes)?,
            EntryType::Block => node(&header, parent, name, FileType::BlockDevice, attributes)?,
            EntryType::Fifo => node(&header, parent, name, FileType::Fifo, attributes)?,
            other => {
                let message = format!(
                    "entries of type {:?} are not supported",
                    char::from(other.as_byte())
                );
                return Err(io::Error::new(io::ErrorKind::Unsupported, message));
            }
        }
        Ok(())
    }

    fn finish(&self) -> io::Result<()> {
        for (path, times) in self.folders.iter().rev() {
            // A later entry may have taken its place.
            if let Ok(folder) = self.root.folder(path) {
                futimens(&folder, times)?;
            }
        }
        Ok(())
    }
}

fn link_name(entry: &Entry<'_, impl Read>) -> io::Result<PathBuf> {
    let name = entry.link_name_bytes().filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| io::Error::other("a link to nothing"))?;
    Ok(PathBuf::from(OsString::from_vec(name.into_owned())))
}

fn node(
    header: &tar::Header,
    parent: &OwnedFd,
    name: &OsStr,
    kind: FileType,
    attributes: &Attributes,
) -> io::Result<()> {
    let major = header.device_major().ok().flatten().unwrap_or(0);
    let minor = header.device_minor().ok().flatten().unwrap_or(0);
    mknodat(parent, name, kind, attributes.mode, makedev(major, minor))?;
    attributes.apply_to_link(parent, name)?;
    // The name was made a moment ago in a folder that is ours: it is no link.
    Ok(rustix::fs::chmodat(
        parent,
        name,
        attributes.mode,
        AtFlags::empty(),
    )?)
}

/// Hides a name of lower layers, unless this layer has it itself.
fn hide(parent: &OwnedFd, whiteout: &OsStr, hidden: &OsStr) -> io::Result<()> {
    if whiteout == OPAQUE {
        return set_opaque(parent);
    }
    // Other names of the form `.wh..wh.` are notes of old storage drivers.
    if hidden.as_bytes().starts_with(WHITEOUT.as_bytes()) {
        return Ok(());
    }
    if hidden.is_empty() || hidden == "." || hidden == ".." {
        return Err(io::Error::other("a whiteout of nothing"));
    }
    match kind(parent, hidden)? {
        Some(FileType::Directory) => {
            let folder = openat(parent, hidden, NO_FOLLOW_FOLDER, Mode::empty())?;
            set_opaque(&folder)
        }
        Some(_) => Ok(()),
        None => {
            let device = FileType::CharacterDevice;
            Ok(mknodat(
                parent,
                hidden,
                device,
                Mode::empty(),
                makedev(0, 0),
            )?)
        }
    }
}

fn set_opaque(folder: impl AsFd) -> io::Result<()> {
    Ok(fsetxattr(
        folder,
        OPAQUE_ATTRIBUTE,
        b"y",
        XattrFlags::empty(),
    )?)
}

/// A number of a header: what was never filled in is 0, as GNU tar and Go read it.
fn number(field: &[u8], read: impl FnOnce() -> io::Result<u64>) -> io::Result<u64> {
    if field.iter().all(|byte| matches!(byte, 0 | b' ')) {
        return Ok(0);
    }
    read()
}

impl Attributes {
    fn read(entry: &mut Entry<'_, impl Read>, owner: Option<(u32, u32)>) -> io::Result<Self> {
        let header = entry.header();
        let id = |id: u64| u32::try_from(id).map_err(|_| io::Error::other("an owner out of range"));
        let mode = number(&header.as_old().mode, || header.mode().map(u64::from))?;
        let mode = u32::try_from(mode).map_err(|_| io::Error::other("a mode out of range"))?;
        let mode = Mode::from_raw_mode(mode & 0o7777);
        let mut attributes = Self {
            mode,
            owner: owner.map_or_else(
                || {
                    let ustar = header.as_old();
                    let user = number(&ustar.uid, || header.uid())?;
                    let group = number(&ustar.gid, || header.gid())?;
                    Ok::<_, io::Error>((id(user)?, id(group)?))
                },
                Ok,
            )?,
            times: {
                let seconds = number(&header.as_old().mtime, || header.mtime())?;
                times(i64::try_from(seconds).unwrap_or(0), 0)
            },
            extended: Vec::new(),
        };
        let Some(extensions) = entry.pax_extensions()? else {
            return Ok(attributes);
        };
        for extension in extensions {
            let extension = extension?;
            let Ok(key) = extension.key() else { continue };
            if let Some(name) = key.strip_prefix("SCHILY.xattr.") {
                if !name.starts_with(OVERLAY_ATTRIBUTES) {
                    attributes
                        .extended
                        .push((name.to_owned(), extension.value_bytes().to_owned()));
                }
            } else if key == "mtime"
                && let Some((seconds, nanoseconds)) = extension.value().ok().and_then(pax_time)
            {
                attributes.times = times(seconds, nanoseconds);
            }
        }
        Ok(attributes)
    }

    /// Owner, mode and extended attributes of an open file or folder, in the order in which none
    /// undoes another.
    fn apply(&self, file: impl AsFd) -> io::Result<()> {
        set_owner(&file, self.owner)?;
        fchmod(&file, self.mode)?;
        for (name, value) in &self.extended {
            match fsetxattr(&file, name.as_str(), value, XattrFlags::empty()) {
                // The file system has none, or they are not for this user: as other tools do.
                Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::PERM) => {}
                result => result?,
            }
        }
        Ok(())
    }

    /// Owner and times of what cannot be opened.
    fn apply_to_link(&self, parent: &OwnedFd, name: &OsStr) -> io::Result<()> {
        if rustix::process::geteuid().is_root() {
            let user = rustix::fs::Uid::from_raw(self.owner.0);
            let group = rustix::fs::Gid::from_raw(self.owner.1);
            chownat(
                parent,
                name,
                Some(user),
                Some(group),
                AtFlags::SYMLINK_NOFOLLOW,
            )?;
        }
        Ok(utimensat(
            parent,
            name,
            &self.times,
            AtFlags::SYMLINK_NOFOLLOW,
        )?)
    }
}

fn times(seconds: i64, nanoseconds: i64) -> Timestamps {
    let time = Timespec {
        tv_sec: seconds,
        tv_nsec: nanoseconds,
    };
    Timestamps {
        last_access: time,
        last_modification: time,
    }
}

/// `seconds.fraction`.
fn pax_time(text: &str) -> Option<(i64, i64)> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits: String = fraction
        .chars()
        .chain("000000000".chars())
        .take(9)
        .collect();
    let seconds: i64 = seconds.parse().ok()?;
    let nanoseconds: i64 = digits.parse().ok()?;
    Some(if text.starts_with('-') && nanoseconds > 0 {
        (seconds - 1, 1_000_000_000 - nanoseconds)
    } else {
        (seconds, nanoseconds)
    })
}
