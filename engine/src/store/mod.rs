//! Documents: JSON files that are whole or absent, whenever this process ends; durable ones also
//! whenever the power goes.

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Error, Result};

/// A folder of documents of one type: `<folder>/<key>/<name>.json`.
#[derive(Debug)]
pub(crate) struct Documents<T> {
    folder: PathBuf,
    name: &'static str,
    /// Whether they outlive a reboot.
    durable: bool,
    of: PhantomData<fn() -> T>,
}

impl<T: Serialize + DeserializeOwned> Documents<T> {
    /// Documents called `name` in the folders of `folder`, which is made.
    ///
    /// # Errors
    /// 500 when the folder cannot be made.
    pub(crate) fn open(folder: PathBuf, name: &'static str) -> Result<Self> {
        fs::create_dir_all(&folder).map_err(|error| Error::io("create", &folder, error))?;
        Ok(Self {
            folder,
            name,
            durable: true,
            of: PhantomData,
        })
    }

    /// As [`Self::open`], for what has no meaning after a reboot: nothing waits for the disk, and
    /// others may keep documents of their own in the same folders.
    ///
    /// # Errors
    /// 500 when the folder cannot be made.
    pub(crate) fn open_volatile(folder: PathBuf, name: &'static str) -> Result<Self> {
        Ok(Self {
            durable: false,
            ..Self::open(folder, name)?
        })
    }

    /// Every document by its key, in no order. A document that cannot be read is left where it is
    /// and told in the daemon's log.
    ///
    /// # Errors
    /// 500 when the folder cannot be read.
    pub(crate) fn load(&self) -> Result<Vec<(String, T)>> {
        let failed = |error| Error::io("read", &self.folder, error);
        let mut documents = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(failed)? {
            let key = entry.map_err(failed)?.file_name();
            let Some(key) = key.to_str() else { continue };
            match read(&self.path(key)) {
                Ok(Some(document)) => documents.push((key.to_owned(), document)),
                Ok(None) => {}
                Err(error) => tracing::error!("{error}"),
            }
        }
        Ok(documents)
    }

    /// Writes one document in place of the former.
    ///
    /// # Errors
    /// 500 when it cannot be written; the former is kept.
    pub(crate) fn put(&self, key: &str, document: &T) -> Result<()> {
        if self.durable {
            write(&self.path(key), document)
        } else {
            write_volatile(&self.path(key), document)
        }
    }

    /// Removes a document alone; nothing when there is none.
    ///
    /// # Errors
    /// 500 when it cannot be removed.
    pub(crate) fn remove_alone(&self, key: &str) -> Result<()> {
        let path = self.path(key);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(Error::io("remove", &path, error))
            }
            _ => Ok(()),
        }
    }

    /// Removes a document with its whole folder; nothing when there is none.
    ///
    /// # Errors
    /// 500 when it cannot be removed.
    pub(crate) fn remove(&self, key: &str) -> Result<()> {
        let folder = self.folder.join(key);
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(Error::io("remove", &folder, error))
            }
            _ => Ok(()),
        }
    }

    /// When a document was written, or was last said to be of use; the beginning of time for none.
    pub(crate) fn used(&self, key: &str) -> SystemTime {
        let metadata = fs::metadata(self.path(key));
        let time = metadata.and_then(|metadata| metadata.modified());
        time.unwrap_or(SystemTime::UNIX_EPOCH)
    }

    /// Says that a document is of use. Should that fail, it seems older than it is.
    pub(crate) fn touch(&self, key: &str) {
        let file = File::options().write(true).open(self.path(key));
        let _ = file.and_then(|file| file.set_modified(SystemTime::now()));
    }

    fn path(&self, key: &str) -> PathBuf {
        self.folder.join(key).join(self.name).with_extension("json")
    }
}

/// Reads one document; `None` when there is none.
///
/// # Errors
/// 500 when it is there and cannot be read.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::io("read", path, error)),
    };
    let document = serde_json::from_slice(&text).map_err(|error| Error::io("read", path, error))?;
    Ok(Some(document))
}

/// Writes one document, wholly or not at all; makes the folder above it.
///
/// # Errors
/// 500 when it cannot be written.
pub(crate) fn write<T: Serialize>(path: &Path, document: &T) -> Result<()> {
    replace(path, document, true)
}

/// As [`write()`], without waiting for the disk: for what has no meaning after a reboot.
///
/// # Errors
/// 500 when it cannot be written.
pub(crate) fn write_volatile<T: Serialize>(path: &Path, document: &T) -> Result<()> {
    replace(path, document, false)
}

fn replace<T: Serialize>(path: &Path, document: &T, durable: bool) -> Result<()> {
    let text = serde_json::to_vec(document);
    let text = text.map_err(|error| Error::io("write", path, error))?;
    replace_bytes(path, &text, durable)
}

/// As [`write_volatile`], for what is no document.
///
/// # Errors
/// 500 when it cannot be written.
pub(crate) fn write_bytes(path: &Path, bytes: &[u8]) -> Result<()> {
    replace_bytes(path, bytes, false)
}

fn replace_bytes(path: &Path, bytes: &[u8], durable: bool) -> Result<()> {
    let failed = |error: std::io::Error| Error::io("write", path, error);
    // Others may write the same document at the same time.
    let number = WRITTEN.fetch_add(1, Ordering::Relaxed);
    let new = path.with_extension(format!("new-{}-{number}", std::process::id()));
    let mut file = create(&new).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    if durable {
        file.sync_data().map_err(failed)?;
    }
    fs::rename(&new, path).map_err(failed)
}

/// Makes a file, and the folder above it where there is none.
fn create(path: &Path) -> std::io::Result<File> {
    match (File::create(path), path.parent()) {
        (Err(error), Some(folder)) if error.kind() == ErrorKind::NotFound => {
            fs::create_dir_all(folder)?;
            File::create(path)
        }
        (made, _) => made,
    }
}

/// How many documents this process has written.
static WRITTEN: AtomicU64 = AtomicU64::new(0);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let documents = Documents::<Vec<u8>>::open(folder.path().join("d"), "state").unwrap();
        documents.put("a", &vec![1]).unwrap();
        documents.put("a", &vec![2]).unwrap();
        assert_eq!(documents.load().unwrap(), [("a".to_owned(), vec![2])]);
        documents.remove("a").unwrap();
        documents.remove("a").unwrap();
        assert!(documents.load().unwrap().is_empty());
    }

    #[test]
    fn a_document_may_be_written_several_times_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("same.json");
        std::thread::scope(|scope| {
            for number in 0..8_u8 {
                let path = &path;
                scope.spawn(move || (0..20).for_each(|_| write(path, &number).unwrap()));
            }
        });
        assert!(read::<u8>(&path).unwrap().is_some());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_broken_document_does_not_hide_the_others() {
        let folder = tempfile::tempdir().unwrap();
        let documents = Documents::<u8>::open(folder.path().to_owned(), "state").unwrap();
        documents.put("whole", &1).unwrap();
        fs::create_dir(folder.path().join("broken")).unwrap();
        fs::write(folder.path().join("broken/state.json"), "{").unwrap();
        assert_eq!(documents.load().unwrap(), [("whole".to_owned(), 1)]);
    }
}
