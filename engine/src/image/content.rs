//! Blobs by digest: `blobs/sha256/<hex>`, each checked when it comes in.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

use crate::{Error, Result};

/// The blobs of an OCI layout.
#[derive(Debug)]
pub(crate) struct Content {
    folder: PathBuf,
    leased: Arc<Mutex<HashMap<String, usize>>>,
}

/// Keeps blobs and layers from being removed while an image is coming that will have them.
#[derive(Debug)]
pub(crate) struct Lease {
    leased: Arc<Mutex<HashMap<String, usize>>>,
    digests: Mutex<Vec<String>>,
}

/// A blob that came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Blob {
    /// `sha256:…`.
    pub(crate) digest: String,
    /// Bytes.
    pub(crate) size: u64,
}

impl Content {
    /// Opens the layout in a folder, making what is missing; what was coming in when the daemon
    /// ended is removed.
    pub(crate) fn open(folder: &Path) -> Result<Self> {
        let failed = |error: io::Error| Error::io("create", folder, error);
        let coming = folder.join("coming");
        let _ = fs::remove_dir_all(&coming);
        fs::create_dir_all(&coming).map_err(failed)?;
        crate::archive::spread(&coming);
        fs::create_dir_all(folder.join("blobs/sha256")).map_err(failed)?;
        let marker = folder.join("oci-layout");
        fs::write(marker, r#"{"imageLayoutVersion":"1.0.0"}"#).map_err(failed)?;
        Ok(Self {
            folder: folder.to_owned(),
            leased: Arc::default(),
        })
    }

    /// A lease of nothing yet.
    pub(crate) fn lease(&self) -> Lease {
        Lease {
            leased: Arc::clone(&self.leased),
            digests: Mutex::default(),
        }
    }

    /// Whether someone leases a digest.
    pub(crate) fn is_leased(&self, digest: &str) -> bool {
        let leased = self.leased.lock().unwrap_or_else(PoisonError::into_inner);
        leased.contains_key(digest)
    }

    /// Where a blob is.
    pub(crate) fn path(&self, digest: &str) -> PathBuf {
        let hex = digest.strip_prefix("sha256:").unwrap_or(digest);
        self.folder.join("blobs/sha256").join(hex)
    }

    /// A path for something that comes in; what is there goes when the daemon starts again.
    pub(super) fn temporary(&self) -> PathBuf {
        self.folder.join("coming").join(crate::identifier::new())
    }

    /// Whether a blob is there.
    pub(crate) fn has(&self, digest: &str) -> bool {
        self.path(digest).exists()
    }

    /// Reads a whole small blob.
    pub(crate) fn read(&self, digest: &str) -> Result<Vec<u8>> {
        let path = self.path(digest);
        fs::read(&path).map_err(|error| Error::io("read", &path, error))
    }

    /// Opens a blob.
    pub(crate) fn open_blob(&self, digest: &str) -> Result<File> {
        let path = self.path(digest);
        File::open(&path).map_err(|error| Error::io("open", &path, error))
    }

    /// Stores a stream; with `expected` only when it has that digest.
    ///
    /// # Errors
    /// 500 when it cannot be stored, 400 when the digest is another.
    pub(crate) fn store(
        &self,
        mut reader: impl Read,
        expected: Option<&str>,
        lease: &Lease,
    ) -> Result<Blob> {
        if let Some(digest) = expected {
            lease.take(digest);
        }
        let path = self.temporary();
        let failed = |error: io::Error| Error::io("store", &path, error);
        let mut writer = Hashed::new(File::create(&path).map_err(failed)?);
        let copied = io::copy(&mut reader, &mut writer);
        let kept = copied.map_err(failed).and_then(|size| {
            let digest = writer.digest();
            if let Some(expected) = expected.filter(|expected| *expected != digest) {
                let message = format!("a blob has the digest {digest}, not {expected}");
                return Err(Error::bad_request(message));
            }
            lease.take(&digest);
            fs::rename(&path, self.path(&digest)).map_err(failed)?;
            Ok(Blob { digest, size })
        });
        if kept.is_err() {
            let _ = fs::remove_file(&path);
        }
        kept
    }

    /// Removes a blob.
    pub(crate) fn remove(&self, digest: &str) {
        let _ = fs::remove_file(self.path(digest));
    }

    /// Removes all blobs that are not in `kept`.
    pub(crate) fn sweep(&self, kept: &BTreeSet<String>) {
        let Ok(entries) = fs::read_dir(self.folder.join("blobs/sha256")) else {
            return;
        };
        for entry in entries.flatten() {
            let digest = format!("sha256:{}", entry.file_name().to_string_lossy());
            if !kept.contains(&digest) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

impl Lease {
    /// Leases one more digest, of a blob or of a layer.
    pub(crate) fn take(&self, digest: &str) {
        let mut leased = self.leased.lock().unwrap_or_else(PoisonError::into_inner);
        *leased.entry(digest.to_owned()).or_default() += 1;
        let mut digests = self.digests.lock().unwrap_or_else(PoisonError::into_inner);
        digests.push(digest.to_owned());
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut leased = self.leased.lock().unwrap_or_else(PoisonError::into_inner);
        let digests = self.digests.lock().unwrap_or_else(PoisonError::into_inner);
        for digest in digests.iter() {
            if let Some(count) = leased.get_mut(digest) {
                *count -= 1;
                if *count == 0 {
                    leased.remove(digest);
                }
            }
        }
    }
}

/// Passes bytes on and counts their SHA-256; for reading and for writing.
pub(crate) struct Hashed<T> {
    inner: T,
    hash: Sha256,
}

impl<T> Hashed<T> {
    pub(crate) fn new(inner: T) -> Self {
        Self {
            inner,
            hash: Sha256::new(),
        }
    }

    /// The digest of everything that passed.
    pub(crate) fn digest(&self) -> String {
        hexadecimal(&self.hash.clone().finalize())
    }
}

impl<T: Read> Read for Hashed<T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hash.update(&buffer[..count]);
        Ok(count)
    }
}

impl<T: Write> Write for Hashed<T> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(data)?;
        self.hash.update(&data[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// The digest of bytes.
pub(crate) fn digest(data: &[u8]) -> String {
    hexadecimal(&Sha256::digest(data))
}

/// A digest's bytes as they are written, `sha256:…`.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold("sha256:".to_owned(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
