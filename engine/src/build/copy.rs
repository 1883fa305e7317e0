//! `COPY` and `ADD`: from the context or another stage into an image.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, OFlags, fstat};

use crate::archive::{Pack, Root, Unpack, decompress, pack, packed, unpack};
use crate::image::Hashed;

/// What to copy.
#[derive(Debug)]
pub(super) struct Copy<'a> {
    /// Paths in the source, with patterns.
    pub(super) sources: &'a [String],
    /// Absolute path in the image; a folder where it ends in `/`.
    pub(super) target: &'a str,
    /// User and group of everything; 0 and 0 from the context.
    pub(super) owner: Option<(u32, u32)>,
    /// Mode of everything, in place of that in the source.
    pub(super) mode: Option<u32>,
    /// Whether archives are unpacked.
    pub(super) unpacks: bool,
}

/// Copies; the message of an error is for people.
pub(super) fn copy(from: &Root, to: &Root, copy: &Copy<'_>) -> Result<(), String> {
    let sources = found(from, copy.sources)?;
    let into_folder = copy.target.ends_with('/');
    if sources.len() > 1 && !into_folder {
        return Err("when using COPY with more than one source file, the destination must be a directory and end with a /".to_owned());
    }
    for source in &sources {
        one(from, to, source, copy, into_folder)
            .map_err(|error| format!("{}: {error}", source.display()))?;
    }
    Ok(())
}

/// The paths that patterns mean, none of which may mean nothing.
fn found(from: &Root, patterns: &[String]) -> Result<Vec<PathBuf>, String> {
    let mut sources = Vec::new();
    for pattern in patterns {
        let found = matching(from, pattern).map_err(|error| format!("{pattern}: {error}"))?;
        if found.is_empty() {
            return Err(format!(
                "file not found in build context or excluded by .dockerignore: stat {pattern}: file does not exist"
            ));
        }
        sources.extend(found);
    }
    Ok(sources)
}

/// A digest of names, modes and contents of everything that patterns mean; owners and times do
/// not count.
pub(super) fn digest(from: &Root, patterns: &[String]) -> Result<String, String> {
    let mut hashed = Hashed::new(io::sink());
    for source in found(from, patterns)? {
        let failed = |error: io::Error| format!("{}: {error}", source.display());
        let mut builder = tar::Builder::new(&mut hashed);
        let options = Pack {
            owner: Some((0, 0)),
            timeless: true,
            ..Pack::default()
        };
        let opened = from
            .open_at(&source, OFlags::RDONLY | OFlags::NONBLOCK)
            .map_err(failed)?;
        let packed = if is_folder(&opened).map_err(failed)? {
            pack(
                &mut builder,
                &opened,
                OsStr::new("."),
                Path::new(""),
                options,
            )
        } else {
            let name = source.file_name().unwrap_or_default();
            real_path(from, &source).and_then(|real| match from.entry(&real)? {
                Some((folder, real)) => {
                    pack(&mut builder, &folder, &real, Path::new(name), options)
                }
                None => Err(io::Error::other("no file")),
            })
        };
        packed.and_then(|()| builder.finish()).map_err(failed)?;
    }
    Ok(hashed.digest())
}

fn is_folder(file: &OwnedFd) -> io::Result<bool> {
    Ok(FileType::from_raw_mode(fstat(file)?.st_mode) == FileType::Directory)
}

fn one(
    from: &Root,
    to: &Root,
    source: &Path,
    copy: &Copy<'_>,
    into_folder: bool,
) -> io::Result<()> {
    let target = PathBuf::from(copy.target.trim_matches('/'));
    let owner = copy.owner.unwrap_or((0, 0));
    let packed = Pack {
        owner: copy.owner,
        mode: copy.mode,
        ..Pack::default()
    };
    let opened = from.open_at(source, OFlags::RDONLY | OFlags::NONBLOCK)?;
    if is_folder(&opened)? {
        to.make_folders(&target, owner)?;
        return transfer(&opened, OsStr::new("."), &target, to, packed);
    }
    if copy.unpacks && is_archive(&opened)? {
        to.make_folders(&target, owner)?;
        let folder = Root::from(to.folder(&target)?);
        let file = from.open_at(source, OFlags::RDONLY)?;
        unpack(&folder, decompress(File::from(file))?, Unpack::default())?;
        return Ok(());
    }
    let name = source.file_name().unwrap_or_default();
    let target = if into_folder || to.folder(&target).is_ok() {
        target.join(name)
    } else {
        target
    };
    if let Some(parent) = target.parent() {
        to.make_folders(parent, owner)?;
    }
    // A link is copied as what it leads to.
    let real = real_path(from, source)?;
    let Some((parent, name)) = from.entry(&real)? else {
        return Err(io::Error::other("no file"));
    };
    transfer(&parent, &name, &target, to, packed)
}

/// Packs, and unpacks elsewhere.
fn transfer(
    folder: &OwnedFd,
    name: &OsStr,
    path: &Path,
    to: &Root,
    options: Pack,
) -> io::Result<()> {
    packed(folder, (name, path), options, |reader| {
        let reader = io::BufReader::with_capacity(1 << 16, reader);
        unpack(to, reader, Unpack::default()).map(|_| ())
    })
}

/// Where a path leads, relative to the root.
fn real_path(from: &Root, source: &Path) -> io::Result<PathBuf> {
    let mut path = source.to_owned();
    for _ in 0..40 {
        let Some((parent, name)) = from.entry(&path)? else {
            return Ok(path);
        };
        match rustix::fs::readlinkat(&parent, &name, Vec::new()) {
            Ok(target) => {
                let target = PathBuf::from(OsString::from_vec(target.into_bytes()));
                let above = path.parent().unwrap_or(Path::new("")).to_owned();
                path = if target.is_absolute() {
                    target
                } else {
                    above.join(target)
                };
            }
            Err(_) => return Ok(path),
        }
    }
    Err(io::Error::other("too many links"))
}

fn is_archive(file: &OwnedFd) -> io::Result<bool> {
    let mut start = [0_u8; 512];
    let count = rustix::io::pread(file, &mut start, 0)?;
    let is_compressed = start.starts_with(&[0x1f, 0x8b])
        || start.starts_with(&[0x28, 0xb5, 0x2f, 0xfd])
        || start.starts_with(b"BZh")
        || start.starts_with(b"\xfd7zXZ");
    Ok(is_compressed || (count == 512 && &start[257..262] == b"ustar"))
}

/// The paths that a pattern means, in order. A path without pattern that is not there is none.
fn matching(from: &Root, pattern: &str) -> io::Result<Vec<PathBuf>> {
    let mut found = vec![PathBuf::new()];
    for part in pattern.split('/').filter(|part| !matches!(*part, "" | ".")) {
        if part == ".." {
            let message = "forbidden path outside the build context";
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, message));
        }
        let mut next = Vec::new();
        for folder in found {
            if !part.contains(['*', '?', '[', '\\']) {
                let path = folder.join(part);
                if from.open_at(&path, OFlags::PATH | OFlags::NOFOLLOW).is_ok() {
                    next.push(path);
                }
                continue;
            }
            let Ok(opened) = from.folder(&folder) else {
                continue;
            };
            let names = crate::archive::names(&opened)?;
            let names = names
                .into_iter()
                .filter(|name| crate::image::glob(part.as_bytes(), name.as_bytes()));
            next.extend(names.map(|name| folder.join(name)));
        }
        found = next;
    }
    Ok(found)
}
