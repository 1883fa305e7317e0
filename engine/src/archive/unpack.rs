//! A tar stream unpacked into a folder.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Write as _};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, Stat, Timestamps, XattrFlags, fsetxattr, futimens, linkat,
    makedev, mkdirat, mknodat, openat, symlinkat,
};
use sha2::{Digest as _, Sha256};
use tar::{Archive, Entry, EntryType};

use super::entry::Attributes;
use super::root::{NO_FOLLOW_FOLDER, kind, normal, remove_all};
use super::{OPAQUE, OPAQUE_ATTRIBUTE, Root, WHITEOUT};

/// Bytes of content that are read and written at once.
const CHUNK: usize = 1 << 17;

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

/// What an archive had.
#[derive(Debug, Default)]
pub(crate) struct Unpacked {
    /// Paths, and how many bytes were behind each.
    pub(crate) paths: Vec<(PathBuf, u64)>,
    /// Files without extended attributes, as they are now, and the SHA-256 of what is in them.
    pub(crate) files: Vec<(Stat, [u8; 32])>,
}

/// Unpacks a stream; answers how many bytes its files have.
///
/// # Errors
/// When the archive is broken or a path leads out of the root, naming the entry.
pub(crate) fn unpack(root: &Root, reader: impl Read, options: Unpack) -> io::Result<u64> {
    unpack_with(root, reader, options, None)
}

/// As [`unpack`]; answers what the archive had.
pub(crate) fn unpack_noting(
    root: &Root,
    reader: impl Read,
    options: Unpack,
) -> io::Result<Unpacked> {
    let mut unpacked = Unpacked::default();
    unpack_with(root, reader, options, Some(&mut unpacked))?;
    Ok(unpacked)
}

fn unpack_with(
    root: &Root,
    reader: impl Read,
    options: Unpack,
    unpacked: Option<&mut Unpacked>,
) -> io::Result<u64> {
    let mut archive = Archive::new(reader);
    let mut unpacker = Unpacker {
        root,
        options,
        parent: None,
        folders: Vec::new(),
        size: 0,
        unpacked,
        buffer: vec![0; CHUNK],
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
    /// What is told of the archive, where somebody wants to know.
    unpacked: Option<&'a mut Unpacked>,
    /// For content on its way.
    buffer: Vec<u8>,
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
        let before = self.size;
        self.place(entry, &parent, &path, name, &attributes)?;
        if let Some(unpacked) = &mut self.unpacked {
            unpacked.paths.push((path.clone(), self.size - before));
        }
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
                self.file(entry, parent, name, attributes)?;
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

    fn file(
        &mut self,
        entry: &mut Entry<'_, impl Read>,
        parent: &OwnedFd,
        name: &OsStr,
        attributes: &Attributes,
    ) -> io::Result<()> {
        let flags =
            OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        // Without the bits that another owner would give another meaning.
        let mode = attributes.mode & Mode::from_raw_mode(0o777);
        let mut file = File::from(openat(parent, name, flags, mode)?);
        let mut hash = self.unpacked.is_some().then(Sha256::new);
        let length = self.content(entry, &mut file, hash.as_mut())?;
        if length < entry.size() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.size += length;
        attributes.apply(&file)?;
        futimens(&file, &attributes.times)?;
        if let Some(unpacked) = &mut self.unpacked
            && let Some(hash) = hash
            && attributes.extended.is_empty()
        {
            let content = hash.finalize().into();
            unpacked.files.push((rustix::fs::fstat(&file)?, content));
        }
        Ok(())
    }

    /// Writes what is behind an entry; answers how many bytes that is.
    fn content(
        &mut self,
        entry: &mut impl Read,
        file: &mut File,
        mut hash: Option<&mut Sha256>,
    ) -> io::Result<u64> {
        let mut length = 0;
        loop {
            let count = filled(entry, &mut self.buffer)?;
            let data = &self.buffer[..count];
            file.write_all(data)?;
            if let Some(hash) = &mut hash {
                hash.update(data);
            }
            length += count as u64;
            if count < self.buffer.len() {
                return Ok(length);
            }
        }
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

/// Fills a buffer, as far as there is something to read.
fn filled(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while length < buffer.len() {
        match reader.read(&mut buffer[length..]) {
            Ok(0) => break,
            Ok(count) => length += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
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
