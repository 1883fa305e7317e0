//! A folder or a file packed into a tar stream.

use std::ffi::{CString, OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use rustix::fs::{
    AtFlags, FileType, Mode, Stat, fgetxattr, flistxattr, major, minor, openat, readlinkat, statat,
};
use tar::{Builder, EntryType, Header};

use super::root::{NO_FOLLOW_FILE, NO_FOLLOW_FOLDER, names};
use super::{HardLinks, OPAQUE, OPAQUE_ATTRIBUTE, OVERLAY_ATTRIBUTES, Root, WHITEOUT};

/// Bytes of a name, or of where a link leads, in a header.
const NAME: usize = 100;

/// Bytes that the names of a file's extended attributes can have.
const LARGEST_LIST: usize = 1 << 16;

/// How to pack.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Pack {
    /// The tree is the upper folder of an overlay: what it hides becomes `.wh.` files.
    pub(crate) overlay: bool,
    /// User and group of everything, in place of those on disk.
    pub(crate) owner: Option<(u32, u32)>,
    /// Mode of files and folders, in place of that on disk.
    pub(crate) mode: Option<u32>,
    /// No time of change is later, in seconds since 1970.
    pub(crate) latest: Option<i64>,
    /// The tree is what a container wrote: what its runtime puts into every container is left
    /// out.
    pub(crate) by_container: bool,
}

/// Mount points that a runtime makes, with everything in them.
const OF_RUNTIME: &[&str] = &["dev", "proc", "sys", ".dockerenv"];
/// Files that it mounts; as mount points they are empty.
const MOUNTED_FILES: &[&str] = &["etc/hosts", "etc/hostname", "etc/resolv.conf"];

/// Packs what `name` is in `folder`, with everything in it, as `path`; the empty path packs only
/// what is in it. Links are not followed. Sockets are left out. Answers how many bytes its files have.
///
/// # Errors
/// When something cannot be read or written.
pub(crate) fn pack<W: Write>(
    builder: &mut Builder<W>,
    folder: impl AsFd,
    name: &OsStr,
    path: &Path,
    options: Pack,
) -> io::Result<u64> {
    let mut packer = Packer {
        builder,
        options,
        links: HardLinks::default(),
        size: 0,
    };
    packer.entry(&folder, name, path)?;
    Ok(packer.size)
}

struct Packer<'a, W: Write> {
    builder: &'a mut Builder<W>,
    options: Pack,
    /// Packed until now.
    links: HardLinks,
    /// Bytes of files.
    size: u64,
}

impl<W: Write> Packer<'_, W> {
    fn entry(&mut self, folder: &impl AsFd, name: &OsStr, path: &Path) -> io::Result<()> {
        let stat = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)?;
        if self.options.by_container
            && is_of_runtime(path, stat.st_mode, stat.st_size.cast_unsigned())
        {
            return Ok(());
        }
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => self.folder(folder, name, path, &stat),
            FileType::RegularFile => self.file(folder, name, path, &stat),
            FileType::Symlink => {
                let target = readlinkat(folder, name, Vec::new())?;
                self.link(
                    &stat,
                    EntryType::Symlink,
                    path,
                    OsStr::from_bytes(target.as_bytes()),
                )
            }
            FileType::CharacterDevice if self.options.overlay && stat.st_rdev == 0 => {
                let mut hidden = WHITEOUT.as_bytes().to_owned();
                hidden.extend_from_slice(name.as_bytes());
                self.marker(&path.with_file_name(OsStr::from_bytes(&hidden)))
            }
            FileType::CharacterDevice => self.node(&stat, EntryType::Char, path),
            FileType::BlockDevice => self.node(&stat, EntryType::Block, path),
            FileType::Fifo => self.node(&stat, EntryType::Fifo, path),
            _ => Ok(()),
        }
    }

    fn folder(
        &mut self,
        above: &impl AsFd,
        name: &OsStr,
        path: &Path,
        stat: &Stat,
    ) -> io::Result<()> {
        let folder = openat(above, name, NO_FOLLOW_FOLDER, Mode::empty())?;
        if !path.as_os_str().is_empty() {
            let mut header = self.header(stat, EntryType::Directory, 0);
            self.extensions(&folder)?;
            let mut named = path.as_os_str().to_owned();
            if path != Path::new("/") {
                named.push("/");
            }
            self.append(&mut header, Path::new(&named), io::empty())?;
        }
        if self.options.overlay && attribute(&folder, OPAQUE_ATTRIBUTE)?.as_deref() == Some(b"y") {
            self.marker(&path.join(OPAQUE))?;
        }
        for name in names(&folder)? {
            self.entry(&folder, &name, &path.join(&name))?;
        }
        Ok(())
    }

    fn file(
        &mut self,
        folder: &impl AsFd,
        name: &OsStr,
        path: &Path,
        stat: &Stat,
    ) -> io::Result<()> {
        if let Some(first) = self.links.first_name(stat, path) {
            return self.link(stat, EntryType::Link, path, first.as_os_str());
        }
        let file = File::from(openat(folder, name, NO_FOLLOW_FILE, Mode::empty())?);
        let metadata = file.metadata()?;
        let mut header = self.header(stat, EntryType::Regular, metadata.len());
        self.size += metadata.len();
        self.extensions(&file)?;
        // A file that grows or shrinks meanwhile must not shift what follows.
        let data = file
            .take(metadata.len())
            .chain(io::repeat(0))
            .take(metadata.len());
        self.append(&mut header, path, data)
    }

    fn link(
        &mut self,
        stat: &Stat,
        kind: EntryType,
        path: &Path,
        target: &OsStr,
    ) -> io::Result<()> {
        let mut header = self.header(stat, kind, 0);
        if target.len() <= NAME {
            header.set_link_name_literal(target.as_bytes())?;
        } else {
            self.long_name(EntryType::GNULongLink, target.as_bytes())?;
            header.set_link_name_literal(&target.as_bytes()[..NAME])?;
        }
        self.append(&mut header, path, io::empty())
    }

    fn node(&mut self, stat: &Stat, kind: EntryType, path: &Path) -> io::Result<()> {
        let mut header = self.header(stat, kind, 0);
        header.set_device_major(major(stat.st_rdev))?;
        header.set_device_minor(minor(stat.st_rdev))?;
        self.append(&mut header, path, io::empty())
    }

    /// Writes an entry with its name as it is: clients know the content of `x/.` by the names
    /// `./…`, and that of the root by `/…`.
    fn append(&mut self, header: &mut Header, path: &Path, data: impl Read) -> io::Result<()> {
        let name = path.as_os_str().as_bytes();
        if !name.starts_with(b"/") && !name.starts_with(b"./") {
            return self.builder.append_data(header, path, data);
        }
        if name.len() > NAME {
            self.long_name(EntryType::GNULongName, name)?;
        }
        let short = &name[..name.len().min(NAME)];
        header.as_old_mut().name[..short.len()].copy_from_slice(short);
        header.set_cksum();
        self.builder.append(header, data)
    }

    /// What does not fit in a header goes before it, as GNU tar has it.
    fn long_name(&mut self, kind: EntryType, name: &[u8]) -> io::Result<()> {
        let mut header = Header::new_gnu();
        header.as_old_mut().name[..13].copy_from_slice(b"././@LongLink");
        header.set_entry_type(kind);
        header.set_mode(0o644);
        header.set_size(name.len() as u64 + 1);
        header.set_cksum();
        self.builder.append(&header, name.chain(&b"\0"[..]))
    }

    fn marker(&mut self, path: &Path) -> io::Result<()> {
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::Regular);
        header.set_size(0);
        self.append(&mut header, path, io::empty())
    }

    fn header(&self, stat: &Stat, kind: EntryType, size: u64) -> Header {
        let mut header = Header::new_gnu();
        let (user, group) = self.options.owner.unwrap_or((stat.st_uid, stat.st_gid));
        header.set_entry_type(kind);
        header.set_size(size);
        let mode = self.options.mode.filter(|_| kind != EntryType::Symlink);
        header.set_mode(mode.unwrap_or(stat.st_mode & 0o7777));
        header.set_uid(user.into());
        header.set_gid(group.into());
        let latest = self.options.latest.unwrap_or(i64::MAX);
        header.set_mtime(u64::try_from(stat.st_mtime.min(latest)).unwrap_or(0));
        header
    }

    /// Extended attributes, as a header in front of the entry.
    fn extensions(&mut self, file: &impl AsFd) -> io::Result<()> {
        let mut extensions = Vec::new();
        for name in attributes(file)? {
            let Ok(text) = name.to_str() else { continue };
            // Labels belong to the machine, overlay's marks to the mount.
            if text.starts_with(OVERLAY_ATTRIBUTES) || text == "security.selinux" {
                continue;
            }
            if let Some(value) = attribute(file, text)? {
                extensions.push((format!("SCHILY.xattr.{text}"), value));
            }
        }
        if extensions.is_empty() {
            return Ok(());
        }
        let pairs = extensions
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_slice()));
        self.builder.append_pax_extensions(pairs)
    }
}

/// Whether a container has written nothing: all that there is comes from its runtime.
///
/// # Errors
/// When the folder cannot be read.
pub(crate) fn is_untouched(upper: &Root) -> io::Result<bool> {
    for name in names(upper.fd())? {
        let path = Path::new(&name);
        if path == Path::new("etc") {
            let inner = names(upper.folder(path)?)?;
            let is_mounted = |name: &OsString| {
                let path = path.join(name);
                MOUNTED_FILES.iter().any(|file| path == Path::new(file))
            };
            if !inner.is_empty() && inner.iter().all(is_mounted) {
                continue;
            }
        }
        if !OF_RUNTIME.iter().any(|other| path == Path::new(other)) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether a runtime has put this into what a container wrote. `mode` as `stat` has it, with the
/// kind; `size` in bytes.
pub(crate) fn is_of_runtime(path: &Path, mode: u32, size: u64) -> bool {
    let is = |names: &[&str]| names.iter().any(|name| path == Path::new(name));
    let kind = FileType::from_raw_mode(mode);
    let is_folder = kind == FileType::Directory;
    let is_empty = kind == FileType::RegularFile && size == 0;
    (is(OF_RUNTIME) && (is_folder || is_empty)) || (is(MOUNTED_FILES) && is_empty)
}

/// Names of the extended attributes of a file; none where its file system has none.
pub(crate) fn attributes(file: &impl AsFd) -> io::Result<Vec<CString>> {
    // Most files have none, and few have many.
    let mut buffer = vec![0_u8; 256];
    let length = loop {
        match flistxattr(file, buffer.as_mut_slice()) {
            Ok(length) => break length,
            Err(rustix::io::Errno::OPNOTSUPP) => break 0,
            Err(rustix::io::Errno::RANGE) if buffer.len() < LARGEST_LIST => {
                buffer.resize(LARGEST_LIST, 0);
            }
            Err(error) => return Err(error.into()),
        }
    };
    buffer.truncate(length);
    let names = buffer
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty());
    Ok(names.filter_map(|name| CString::new(name).ok()).collect())
}

/// The value of an extended attribute.
pub(crate) fn attribute(file: &impl AsFd, name: &str) -> io::Result<Option<Vec<u8>>> {
    let mut buffer = vec![0_u8; 1 << 16];
    match fgetxattr(file, name, buffer.as_mut_slice()) {
        Ok(length) => {
            buffer.truncate(length);
            Ok(Some(buffer))
        }
        Err(rustix::io::Errno::NODATA | rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::PERM) => {
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}
