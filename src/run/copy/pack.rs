//! A file or folder of this machine as an archive.

use std::collections::HashMap;
use std::fs::Metadata;
use std::io::{Read as _, Write};
use std::path::{Path, PathBuf};

use super::place::{means_content, renamed, split_entry};
use crate::run::Error;
use crate::run::file_metadata::{is_socket, mode};
use crate::run::packing::Padded;

/// What is to be copied.
#[derive(Debug, Clone)]
pub(super) struct Source {
    path: PathBuf,
    /// The name it has in the archive unless it gets another one: `.` for what is in a folder.
    name: String,
    /// Whether it is a folder.
    pub(super) is_folder: bool,
}

impl Source {
    /// Looks at an absolute path. Links on the way are followed; the last part is if the path
    /// says that it is a folder, or if `follow` asks for it.
    pub(super) fn find(path: &str, follow: bool) -> Result<Self, Error> {
        let missing = |error: std::io::Error| {
            let why = match error.kind() {
                std::io::ErrorKind::NotFound => "no such file or directory".to_owned(),
                _ => error.to_string(),
            };
            Error::new(format!("cannot copy {path}: {why}"))
        };
        let (resolved, rename) = if follow || path.ends_with('/') || means_content(path) {
            let real = std::fs::canonicalize(path).map_err(missing)?;
            renamed(path, &real.to_string_lossy())
        } else {
            (path.to_owned(), None)
        };
        let metadata = std::fs::symlink_metadata(&resolved).map_err(missing)?;
        let (_, entry) = split_entry(&resolved);
        let own = if entry.is_empty() {
            ".".to_owned()
        } else {
            entry
        };
        Ok(Self {
            path: PathBuf::from(&resolved),
            name: rename.filter(|_| !means_content(&resolved)).unwrap_or(own),
            is_folder: metadata.is_dir(),
        })
    }

    /// Writes the archive, with `name` for the first part of each path.
    pub(super) fn pack(self, name: Option<String>, target: impl Write) -> Result<(), Error> {
        let name = name.filter(|name| !name.is_empty()).unwrap_or(self.name);
        let mut packer = Packer {
            tar: tar::Builder::new(target),
            linked: HashMap::new(),
        };
        packer.add(&self.path, Path::new(&name))?;
        let finished = packer
            .tar
            .into_inner()
            .and_then(|mut target| target.flush());
        finished.map_err(|error| failed(&self.path, &error))
    }
}

/// Writes an archive of single files, each with its absolute path in the container. Folders that
/// they are in are made by whoever unpacks it; what has gone meanwhile is left out.
///
/// # Errors
/// When a file cannot be read.
pub(in crate::run) fn pack_files(
    files: &[(PathBuf, String)],
    target: impl Write,
) -> Result<(), Error> {
    let mut packer = Packer {
        tar: tar::Builder::new(target),
        linked: HashMap::new(),
    };
    for (source, path) in files {
        let Ok(metadata) = std::fs::symlink_metadata(source) else {
            continue;
        };
        packer
            .entry(source, Path::new(path.trim_start_matches('/')), &metadata)
            .map_err(|error| failed(source, &error))?;
    }
    let finished = packer
        .tar
        .into_inner()
        .and_then(|mut target| target.flush());
    finished.map_err(|error| Error::new(format!("cannot pack files: {error}")))
}

struct Packer<W: Write> {
    tar: tar::Builder<W>,
    /// Where files with several names are in the archive, by device and number.
    linked: HashMap<(u64, u64), PathBuf>,
}

impl<W: Write> Packer<W> {
    fn add(&mut self, source: &Path, path: &Path) -> Result<(), Error> {
        let failed = |error: std::io::Error| failed(source, &error);
        let metadata = std::fs::symlink_metadata(source).map_err(failed)?;
        self.entry(source, path, &metadata).map_err(failed)?;
        if !metadata.is_dir() {
            return Ok(());
        }
        let mut names = Vec::new();
        for entry in std::fs::read_dir(source).map_err(failed)? {
            names.push(entry.map_err(failed)?.file_name());
        }
        names.sort();
        for name in names {
            self.add(&source.join(&name), &path.join(&name))?;
        }
        Ok(())
    }

    fn entry(&mut self, source: &Path, path: &Path, metadata: &Metadata) -> std::io::Result<()> {
        let mut header = tar::Header::new_gnu();
        // Owner, group, mode, time, kind, and the numbers of a device.
        header.set_metadata(metadata);
        header.set_mode(mode(metadata));
        let kind = metadata.file_type();
        if kind.is_file() {
            return self.file(source, path, metadata, header);
        }
        header.set_size(0);
        if kind.is_symlink() {
            let target = std::fs::read_link(source)?;
            return self.tar.append_link(&mut header, path, target);
        }
        if is_socket(metadata) {
            return Ok(());
        }
        numbered(&mut header, metadata)?;
        self.tar.append_data(&mut header, path, std::io::empty())
    }

    fn file(
        &mut self,
        source: &Path,
        path: &Path,
        metadata: &Metadata,
        mut header: tar::Header,
    ) -> std::io::Result<()> {
        if let Some(key) = several_names(metadata) {
            if let Some(first) = self.linked.get(&key) {
                header.set_entry_type(tar::EntryType::Link);
                header.set_size(0);
                return self.tar.append_link(&mut header, path, first);
            }
            self.linked.insert(key, path.to_owned());
        }
        let content = Padded(std::fs::File::open(source)?).take(metadata.len());
        self.tar.append_data(&mut header, path, content)
    }
}

#[cfg(unix)]
fn several_names(metadata: &Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt as _;
    (metadata.nlink() > 1).then(|| (metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn several_names(_metadata: &Metadata) -> Option<(u64, u64)> {
    None
}

/// The numbers of a device.
#[cfg(unix)]
fn numbered(header: &mut tar::Header, metadata: &Metadata) -> std::io::Result<()> {
    use nix::sys::stat::{major, minor};
    use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
    let kind = metadata.file_type();
    if !kind.is_char_device() && !kind.is_block_device() {
        return Ok(());
    }
    let device = metadata.rdev();
    let number = |number: u64| u32::try_from(number).map_err(std::io::Error::other);
    header.set_device_major(number(major(device))?)?;
    header.set_device_minor(number(minor(device))?)
}

#[cfg(not(unix))]
fn numbered(_header: &mut tar::Header, _metadata: &Metadata) -> std::io::Result<()> {
    Ok(())
}

fn failed(path: &Path, error: &std::io::Error) -> Error {
    Error::new(format!("cannot copy {}: {error}", path.display()))
}

/// The names of an archive, for tests.
#[cfg(test)]
mod tests {
    use super::*;

    fn names(path: &str, follow: bool, name: Option<&str>) -> Vec<String> {
        let source = Source::find(path, follow).unwrap_or_else(|error| panic!("{error}"));
        let mut bytes = Vec::new();
        source
            .pack(name.map(str::to_owned), &mut bytes)
            .unwrap_or_else(|error| panic!("{error}"));
        let mut archive = tar::Archive::new(bytes.as_slice());
        let entries = archive.entries().unwrap_or_else(|error| panic!("{error}"));
        entries
            .map(|entry| {
                let entry = entry.unwrap_or_else(|error| panic!("{error}"));
                let kind = entry.header().entry_type();
                let path = entry.path().unwrap_or_default().display().to_string();
                format!("{} {}", path, char::from(kind.as_byte()))
            })
            .collect()
    }

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
        let inner = folder.path().join("in");
        std::fs::create_dir(&inner).unwrap_or_else(|error| panic!("{error}"));
        std::fs::write(inner.join("a"), "1").unwrap_or_else(|error| panic!("{error}"));
        std::fs::hard_link(inner.join("a"), inner.join("b")).unwrap_or_else(|e| panic!("{e}"));
        #[cfg(unix)]
        std::os::unix::fs::symlink("in", folder.path().join("link"))
            .unwrap_or_else(|error| panic!("{error}"));
        folder
    }

    #[test]
    #[cfg(unix)]
    fn the_end_of_a_path_decides_what_is_archived() {
        let folder = folder();
        let path = |end: &str| format!("{}/{end}", folder.path().display());
        let all = |name: &str| {
            vec![
                format!("{name} 5"),
                format!("{name}a 0"),
                format!("{name}b 1"),
            ]
        };
        assert_eq!(
            names(&path("in"), false, None),
            all("in/")
                .as_slice()
                .iter()
                .map(|n| n.replace("in/ 5", "in 5"))
                .collect::<Vec<_>>()
        );
        assert_eq!(names(&path("link"), false, None), ["link 2"]);
        assert_eq!(names(&path("link"), true, None)[0], "link 5");
        assert_eq!(names(&path("link/"), false, None)[0], "link 5");
        assert_eq!(names(&path("in/."), false, None)[0], ". 5");
        assert_eq!(names(&path("in"), false, Some("new"))[1], "new/a 0");
    }

    #[test]
    fn what_is_not_there_is_named() {
        let found = Source::find("/nowhere/to/be", false).map(|source| source.is_folder);
        let message = found.map_err(|error| error.message);
        let expected = "cannot copy /nowhere/to/be: no such file or directory";
        assert_eq!(message, Err(expected.to_owned()));
    }
}
