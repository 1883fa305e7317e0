//! What `COPY` and `ADD` do to files.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, OFlags, fstat};

use super::copier::{Copier, From};
use super::exclusion::{Exclusion, clean};
use super::found::{Found, found};
use super::mode::Mode;
use crate::archive::{Root, Unpack, decompress, unpack};

/// How to copy.
#[derive(Debug, Clone, Default)]
pub(super) struct How {
    /// Absolute path in the image; a folder where it ends in `/`.
    pub(super) target: String,
    /// What becomes of modes; those of the source where there is none.
    pub(super) mode: Option<Mode>,
    /// Whether archives are unpacked.
    pub(super) unpacks: bool,
    /// What is left out.
    pub(super) exclusion: Exclusion,
    /// Whether folders above what is copied are made in the target too.
    pub(super) keeps_parents: bool,
}

/// A copy that goes on.
pub(super) struct Copying<'a> {
    how: &'a How,
    to: &'a Root,
    copier: Copier<'a>,
    owner: Option<(u32, u32)>,
    into_folder: bool,
    /// The folders above what is copied that the present pattern has made like those of the source.
    like: HashSet<PathBuf>,
}

impl<'a> Copying<'a> {
    /// Into a root; `owner` is that of everything, and where there is none it stays as it is.
    pub(super) fn new(to: &'a Root, how: &'a How, owner: Option<(u32, u32)>) -> Self {
        Self {
            copier: Copier::new(to, owner, how.mode.as_ref(), &how.exclusion),
            into_folder: how.target.ends_with('/'),
            like: HashSet::new(),
            how,
            to,
            owner,
        }
    }

    /// Whose the files of archives are; those of the archive where there is none.
    pub(super) fn unpacking_as(mut self, owner: Option<(u32, u32)>) -> Self {
        self.owner = owner;
        self
    }

    /// Copies what patterns mean.
    ///
    /// # Errors
    /// In words.
    pub(super) fn patterns(&mut self, from: &Root, patterns: &[String]) -> Result<(), String> {
        if self.how.keeps_parents && !patterns.is_empty() {
            let made = self.copier.make_folders(&self.target());
            made.map_err(|error| format!("{}: {error}", self.how.target))?;
        }
        for pattern in patterns {
            self.like.clear();
            for found in found(from, pattern, self.how.keeps_parents)? {
                let copied = if self.how.keeps_parents {
                    self.with_parents(from, &found)
                } else {
                    self.one(from, &found)
                };
                copied.map_err(|error| format!("{}: {error}", found.path.display()))?;
            }
        }
        Ok(())
    }

    /// Copies everything that is in a root.
    ///
    /// # Errors
    /// In words.
    pub(super) fn everything(&mut self, from: &Root) -> Result<(), String> {
        let folder = from
            .folder(Path::new(""))
            .map_err(|error| error.to_string())?;
        let copied = self.copier.contents(&folder, "", &self.target());
        copied.map_err(|error| error.to_string())
    }

    /// Writes a file that is in no source.
    ///
    /// # Errors
    /// In words.
    pub(super) fn file(&mut self, name: &str, content: &[u8], mode: u32) -> Result<(), String> {
        self.write(name, content, mode)
            .map_err(|error| format!("{name}: {error}"))
    }

    fn write(&mut self, name: &str, content: &[u8], mode: u32) -> io::Result<()> {
        let target = self.path_of(OsStr::new(name))?;
        self.copier.write(&target, content, mode)
    }

    /// Copies a file from elsewhere, or unpacks it.
    ///
    /// # Errors
    /// In words.
    pub(super) fn fetched(&mut self, from: &Root, name: &str) -> Result<(), String> {
        let found = Found {
            path: PathBuf::from(name),
            pivot: 0,
        };
        self.one(from, &found)
            .map_err(|error| format!("{name}: {error}"))
    }

    fn target(&self) -> PathBuf {
        PathBuf::from(self.how.target.trim_matches('/'))
    }

    /// Where a file of this name goes; the folders above are made.
    fn path_of(&self, name: &OsStr) -> io::Result<PathBuf> {
        let target = self.target();
        let path = if self.into_folder || self.to.folder(&target).is_ok() {
            target.join(name)
        } else {
            target
        };
        if let Some(parent) = path.parent() {
            self.copier.make_folders(parent)?;
        }
        Ok(path)
    }

    fn one(&mut self, from: &Root, found: &Found) -> io::Result<()> {
        let opened = from.open_at(&found.path, OFlags::RDONLY | OFlags::NONBLOCK)?;
        if is_folder(&opened)? {
            return self.copier.contents(&opened, "", &self.target());
        }
        if self.how.unpacks && is_archive(from, &found.path)? {
            return self.unpack(from, &found.path);
        }
        let name = found.path.file_name().unwrap_or_default();
        // What is taken by itself is left out by its name, or its path.
        let exclusion = &self.how.exclusion;
        let path = clean(&found.path.to_string_lossy());
        if exclusion.excludes(&path) || exclusion.excludes(&name.to_string_lossy()) {
            return Ok(());
        }
        let target = self.path_of(name)?;
        // A link is copied as what it leads to.
        let real = real_path(from, &found.path)?;
        self.entry(from, &real, &path, &target)
    }

    fn entry(&mut self, from: &Root, real: &Path, path: &str, target: &Path) -> io::Result<()> {
        let Some((folder, name)) = from.entry(real)? else {
            return Err(io::Error::other("no file"));
        };
        let from = From {
            folder: &folder,
            name: &name,
            path,
        };
        match self.to.entry(target)? {
            Some((above, name)) => self.copier.entry(&from, &above, &name, target),
            None => Err(io::Error::other("a file cannot take the root's place")),
        }
    }

    fn with_parents(&mut self, from: &Root, found: &Found) -> io::Result<()> {
        let below: PathBuf = found.path.iter().skip(found.pivot).collect();
        let path = below.to_string_lossy().into_owned();
        if self.how.exclusion.excludes(&path) && !self.how.exclusion.has_exceptions() {
            return Ok(());
        }
        let mut target = self.target();
        let mut source: PathBuf = found.path.iter().take(found.pivot).collect();
        let Some(above) = below.parent() else {
            return self.copier.time_like(&from.folder(&source)?, &target);
        };
        for name in above {
            source.push(name);
            target.push(name);
            if self.like.insert(target.clone()) {
                self.copier.like(&from.folder(&source)?, &target)?;
            }
        }
        target.push(below.file_name().unwrap_or_default());
        self.entry(from, &found.path, &path, &target)
    }

    fn unpack(&self, from: &Root, path: &Path) -> io::Result<()> {
        let target = self.target();
        let owner = self.owner.unwrap_or((0, 0));
        self.to.make_folders(&target, owner)?;
        let folder = Root::from(self.to.folder(&target)?);
        let file = File::from(from.open_at(path, OFlags::RDONLY)?);
        let options = Unpack {
            keeps_root: true,
            owner: self.owner,
            ..Unpack::default()
        };
        unpack(&folder, decompress(file)?, options).map(drop)
    }
}

pub(super) fn is_folder(file: &OwnedFd) -> io::Result<bool> {
    Ok(FileType::from_raw_mode(fstat(file)?.st_mode) == FileType::Directory)
}

/// Where a path leads, relative to the root.
pub(super) fn real_path(from: &Root, source: &Path) -> io::Result<PathBuf> {
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

/// Whether a file is a tar archive, compressed or not.
fn is_archive(from: &Root, path: &Path) -> io::Result<bool> {
    let file = File::from(from.open_at(path, OFlags::RDONLY | OFlags::NONBLOCK)?);
    if !file.metadata()?.is_file() {
        return Ok(false);
    }
    let Ok(reader) = decompress(file) else {
        return Ok(false);
    };
    let mut archive = tar::Archive::new(reader);
    let first = archive
        .entries()
        .ok()
        .and_then(|mut entries| entries.next());
    Ok(matches!(first, Some(Ok(_))))
}
