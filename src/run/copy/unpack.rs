//! An archive of a container's files, unpacked on this machine.
//!
//! The container may be anybody's: nothing is written outside of the place that was named,
//! whatever the archive holds.

use std::fs::{self, File, OpenOptions};
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use tar::EntryType;

use super::place::{Destination, landing, split_entry};
use crate::run::Error;

/// Checks a target before the engine is asked for anything.
///
/// # Errors
/// When the folder it is in is not there, or it is something that cannot be copied to.
pub(super) fn check(target: &str) -> Result<(), Error> {
    let (folder, _) = split_entry(target.trim_end_matches('.').trim_end_matches('/'));
    if !folder.is_empty() && !Path::new(&folder).exists() {
        let folder = folder.trim_end_matches('/');
        return Err(Error::new(format!(
            "invalid output path: directory \"{folder}\" does not exist"
        ))
        .remedy("make the directory first"));
    }
    match fs::metadata(target) {
        Ok(found) if !found.is_dir() && !found.is_file() => Err(Error::new(format!(
            "invalid output path: \"{target}\" must be a directory or a regular file"
        ))),
        _ => Ok(()),
    }
}

/// Unpacks an archive whose first entry is called `base`, or `rename` where it is put into a
/// folder.
///
/// # Errors
/// When the archive does not fit the target, or something cannot be written.
pub(super) fn unpack(
    archive: impl Read,
    base: &str,
    rename: Option<String>,
    target: &Path,
) -> Result<(), Error> {
    let mut archive = tar::Archive::new(archive);
    let entries = archive.entries().map_err(|error| damaged(&error))?;
    // The content of a folder has no name of its own.
    let nameless = matches!(base, "" | ".");
    let mut unpacker = None;
    for entry in entries {
        let mut entry = entry.map_err(|error| damaged(&error))?;
        let path = entry.path().map_err(|error| damaged(&error))?.into_owned();
        let unpacker = match &mut unpacker {
            Some(unpacker) => unpacker,
            none => {
                let is_folder = nameless || entry.header().entry_type().is_dir();
                none.insert(Unpacker::new(target, is_folder, nameless, rename.clone())?)
            }
        };
        unpacker.entry(&mut entry, &path)?;
    }
    match unpacker {
        Some(unpacker) => unpacker.finish(),
        None => Err(Error::new("the engine sent an empty archive")),
    }
}

struct Unpacker {
    /// The real folder that everything goes into.
    folder: PathBuf,
    /// What the first part of each path becomes; it stays where absent.
    name: Option<String>,
    /// Whether paths begin with no name of the whole.
    nameless: bool,
    /// Folders, whose modes and times are set in the end: they may forbid what is still to come.
    folders: Vec<(PathBuf, tar::Header)>,
}

impl Unpacker {
    fn new(
        target: &Path,
        is_folder: bool,
        nameless: bool,
        rename: Option<String>,
    ) -> Result<Self, Error> {
        let landing = landing(is_folder, &on_this_machine(target))?;
        let folder = fs::canonicalize(&landing.folder)
            .map_err(|error| failed(Path::new(&landing.folder), &error))?;
        Ok(Self {
            folder,
            name: landing.name.or(rename.filter(|_| !nameless)),
            nameless,
            folders: Vec::new(),
        })
    }

    /// Where an entry goes; an error where that would be outside of the target.
    fn place(&self, path: &Path) -> Result<PathBuf, Error> {
        let outside = || {
            let path = path.display();
            Error::new(format!(
                "the engine sent a path that leads out of the target: {path}"
            ))
        };
        let mut parts = Vec::new();
        for component in path.components() {
            match component {
                Component::Normal(part) => parts.push(part),
                Component::CurDir | Component::RootDir => {}
                Component::ParentDir | Component::Prefix(_) => return Err(outside()),
            }
        }
        let mut place = self.folder.clone();
        if let Some(name) = &self.name {
            place.push(name);
            if !self.nameless && !parts.is_empty() {
                parts.remove(0);
            }
        }
        place.extend(parts);
        let folder = match place.parent() {
            Some(folder) if place != self.folder => folder,
            _ => return Ok(place),
        };
        let real = fs::canonicalize(folder).map_err(|error| failed(folder, &error))?;
        if real.starts_with(&self.folder) {
            Ok(place)
        } else {
            Err(outside())
        }
    }

    fn entry(&mut self, entry: &mut tar::Entry<'_, impl Read>, path: &Path) -> Result<(), Error> {
        let place = self.place(path)?;
        let kind = entry.header().entry_type();
        let found = fs::symlink_metadata(&place).ok();
        match &found {
            Some(found) if kind.is_dir() && !found.is_dir() => {
                let place = place.display();
                return Err(Error::new(format!(
                    "cannot overwrite non-directory \"{place}\" with a directory"
                )));
            }
            Some(found) if !kind.is_dir() && found.is_dir() => {
                let place = place.display();
                return Err(Error::new(format!(
                    "cannot overwrite directory \"{place}\" with a non-directory"
                )));
            }
            Some(_) if !kind.is_dir() => {
                fs::remove_file(&place).map_err(|error| failed(&place, &error))?;
            }
            _ => {}
        }
        if kind.is_dir() {
            if found.is_none() {
                fs::create_dir(&place).map_err(|error| failed(&place, &error))?;
            }
            self.folders.push((place, entry.header().clone()));
            return Ok(());
        }
        self.write(entry, kind, &place)
    }

    fn write(
        &self,
        entry: &mut tar::Entry<'_, impl Read>,
        kind: EntryType,
        place: &Path,
    ) -> Result<(), Error> {
        let failed = |error: std::io::Error| failed(place, &error);
        match kind {
            EntryType::Symlink => {
                let target = entry.link_name().map_err(failed)?.unwrap_or_default();
                symlink(&target, place).map_err(failed)
            }
            EntryType::Link => {
                let target = entry.link_name().map_err(failed)?.unwrap_or_default();
                let target = self.place(&target)?;
                fs::hard_link(target, place).map_err(failed)
            }
            EntryType::Fifo | EntryType::Char | EntryType::Block => {
                make_node(kind, entry.header(), place).map_err(failed)
            }
            _ => file(entry, place).map_err(failed),
        }
    }

    fn finish(self) -> Result<(), Error> {
        for (place, header) in self.folders.iter().rev() {
            let set = File::open(place).and_then(|folder| dress(&folder, header));
            set.map_err(|error| failed(place, &error))?;
        }
        Ok(())
    }
}

fn file(entry: &mut tar::Entry<'_, impl Read>, place: &Path) -> std::io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(place)?;
    std::io::copy(entry, &mut file)?;
    dress(&file, entry.header())
}

/// Mode and time. Everything belongs to whoever copies.
fn dress(file: &File, header: &tar::Header) -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = header.mode()? & 0o7777;
        file.set_permissions(fs::Permissions::from_mode(mode))?;
    }
    let since = std::time::Duration::from_secs(header.mtime()?);
    file.set_modified(std::time::UNIX_EPOCH + since)
}

#[cfg(unix)]
fn symlink(target: &Path, place: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(target, place)
}

#[cfg(not(unix))]
fn symlink(_target: &Path, _place: &Path) -> std::io::Result<()> {
    Err(std::io::ErrorKind::Unsupported.into())
}

#[cfg(unix)]
fn make_node(kind: EntryType, header: &tar::Header, place: &Path) -> std::io::Result<()> {
    use nix::sys::stat::{Mode, SFlag, makedev, mknod};
    let mode = Mode::from_bits_truncate(header.mode()?);
    let flag = match kind {
        EntryType::Fifo => SFlag::S_IFIFO,
        EntryType::Char => SFlag::S_IFCHR,
        _ => SFlag::S_IFBLK,
    };
    let major = header.device_major()?.unwrap_or(0);
    let minor = header.device_minor()?.unwrap_or(0);
    mknod(place, flag, mode, makedev(major.into(), minor.into())).map_err(std::io::Error::from)
}

#[cfg(not(unix))]
fn make_node(_kind: EntryType, _header: &tar::Header, _place: &Path) -> std::io::Result<()> {
    Err(std::io::ErrorKind::Unsupported.into())
}

/// What is there where something is to be copied to; links are followed.
fn on_this_machine(target: &Path) -> Destination {
    let found = fs::metadata(target).ok();
    // A link to something that is not there is replaced by what it points to.
    let path = match fs::read_link(target) {
        Ok(link) if found.is_none() => target.parent().unwrap_or(target).join(link),
        _ => match (&found, fs::canonicalize(target)) {
            (Some(found), Ok(real)) if !found.is_dir() => real,
            _ => target.to_owned(),
        },
    };
    Destination {
        path: path.to_string_lossy().into_owned(),
        exists: found.is_some(),
        is_folder: found.is_some_and(|found| found.is_dir()),
    }
}

fn failed(path: &Path, error: &std::io::Error) -> Error {
    Error::new(format!("cannot write {}: {error}", path.display()))
}

fn damaged(error: &std::io::Error) -> Error {
    Error::new(format!(
        "cannot read the archive that the engine sent: {error}"
    ))
}

#[cfg(test)]
mod tests;
