//! A build context as the tar that the engine takes.

use std::io::Write;
use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::ignore::{Ignore, clean};
use super::walk::{Entry, walk};
use crate::run::Error;
use crate::run::file_metadata::{is_pipe, mode};
use crate::run::packing::{self, Failure, Padded};

/// A file that goes into the archive beside those of the context.
#[derive(Debug, Clone)]
pub(super) struct Extra {
    /// Its path in the archive.
    pub(super) path: String,
    /// Its content.
    pub(super) content: Vec<u8>,
}

/// What goes into the archive.
#[derive(Debug, Clone)]
pub(super) struct Archive {
    /// The folder; none where the engine has the context from elsewhere.
    pub(super) root: Option<PathBuf>,
    /// What stays out of it.
    pub(super) ignore: Ignore,
    /// A file that goes in even if it is to stay out.
    pub(super) always: Option<String>,
    /// Files that are not in the folder.
    pub(super) extras: Vec<Extra>,
    /// What goes in of the folder, where that is known already.
    pub(super) scanned: Option<Vec<Entry>>,
}

impl Archive {
    /// Packs in a thread of its own while the chunks are read. A failure ends the stream with
    /// an error, and is kept beside it: whoever reads the stream for us does not pass it on.
    pub(super) fn stream(
        self,
    ) -> (
        impl futures::Stream<Item = Result<Bytes, std::io::Error>> + Send + 'static,
        Failure,
    ) {
        packing::stream(move |chunks| self.write(chunks))
    }

    /// Writes the whole archive.
    pub(super) fn write(&self, target: impl Write) -> Result<(), Error> {
        let mut tar = tar::Builder::new(target);
        let found;
        let entries = if let Some(scanned) = &self.scanned {
            scanned
        } else {
            found = self.entries()?;
            &found
        };
        for entry in entries {
            append(&mut tar, entry)?;
        }
        for extra in &self.extras {
            let mut header = header();
            header.set_size(extra.content.len() as u64);
            header.set_mode(0o600);
            tar.append_data(&mut header, &extra.path, extra.content.as_slice())
                .map_err(broken)?;
        }
        let mut target = tar.into_inner().map_err(broken)?;
        target.flush().map_err(broken)
    }

    /// What goes in of the folder.
    pub(super) fn entries(&self) -> Result<Vec<Entry>, Error> {
        let Some(root) = &self.root else {
            return Ok(Vec::new());
        };
        let mut entries = walk(root, &self.ignore)?;
        entries.extend(self.forced(root, &entries)?);
        Ok(entries)
    }

    fn forced(&self, root: &Path, entries: &[Entry]) -> Result<Option<Entry>, Error> {
        let Some(path) = &self.always else {
            return Ok(None);
        };
        let path = clean(path);
        if entries.iter().any(|entry| entry.path == path) {
            return Ok(None);
        }
        let source = root.join(&path);
        let metadata = std::fs::metadata(&source).map_err(|error| reading(&source, &error))?;
        Ok(Some(Entry {
            path,
            source,
            metadata,
        }))
    }
}

/// Everything belongs to root.
fn header() -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header
}

fn append(tar: &mut tar::Builder<impl Write>, entry: &Entry) -> Result<(), Error> {
    let mut header = header();
    header.set_mode(mode(&entry.metadata));
    header.set_mtime(modified(entry));
    let kind = entry.metadata.file_type();
    if kind.is_dir() {
        header.set_entry_type(tar::EntryType::Directory);
        header.set_size(0);
        let path = format!("{}/", entry.path);
        tar.append_data(&mut header, path, std::io::empty())
    } else if kind.is_symlink() {
        header.set_entry_type(tar::EntryType::Symlink);
        header.set_size(0);
        let target =
            std::fs::read_link(&entry.source).map_err(|error| reading(&entry.source, &error))?;
        tar.append_link(&mut header, &entry.path, target)
    } else if kind.is_file() {
        let file =
            std::fs::File::open(&entry.source).map_err(|error| reading(&entry.source, &error))?;
        let size = entry.metadata.len();
        header.set_size(size);
        // A file that grows or shrinks meanwhile must not break the archive.
        let content = std::io::Read::take(Padded(file), size);
        tar.append_data(&mut header, &entry.path, content)
    } else if is_pipe(&entry.metadata) {
        header.set_entry_type(tar::EntryType::Fifo);
        header.set_size(0);
        tar.append_data(&mut header, &entry.path, std::io::empty())
    } else {
        return Ok(());
    }
    .map_err(broken)
}

fn modified(entry: &Entry) -> u64 {
    entry
        .metadata
        .modified()
        .ok()
        .and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok())
        .map_or(0, |since| since.as_secs())
}

fn reading(path: &Path, error: &std::io::Error) -> Error {
    Error::new(format!("cannot read {}: {error}", path.display()))
        .remedy("make it readable, or leave it out with .dockerignore")
}

fn broken(error: std::io::Error) -> Error {
    Error::new(format!("cannot pack the build context: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    fn packed(archive: &Archive) -> Vec<(String, String)> {
        let mut bytes = Vec::new();
        archive
            .write(&mut bytes)
            .unwrap_or_else(|error| panic!("{error}"));
        let mut tar = tar::Archive::new(bytes.as_slice());
        let mut found = Vec::new();
        for entry in tar.entries().unwrap_or_else(|error| panic!("{error}")) {
            let mut entry = entry.unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(entry.header().uid().ok(), Some(0));
            let path = entry.path().unwrap_or_default().display().to_string();
            let mut text = String::new();
            let _ = entry.read_to_string(&mut text);
            found.push((path, text));
        }
        found
    }

    #[test]
    fn the_dockerfile_goes_in_even_if_ignored() {
        let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
        for (name, text) in [("Dockerfile", "FROM scratch"), ("a", "1"), ("b", "2")] {
            std::fs::write(folder.path().join(name), text).unwrap_or_else(|e| panic!("{e}"));
        }
        let archive = Archive {
            root: Some(folder.path().to_owned()),
            ignore: Ignore::parse("*\n!a", "t").unwrap_or_default(),
            always: Some("Dockerfile".to_owned()),
            extras: vec![Extra {
                path: "extra".to_owned(),
                content: b"3".to_vec(),
            }],
            scanned: None,
        };
        let expected = [("a", "1"), ("Dockerfile", "FROM scratch"), ("extra", "3")];
        let expected: Vec<_> = expected.map(|(a, b)| (a.to_owned(), b.to_owned())).into();
        assert_eq!(packed(&archive), expected);
    }
}
