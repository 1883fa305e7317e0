//! Layers unpacked, each in a folder of its digest: `layers/<hex>/{tree,size}`.

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use super::content::Hashed;
use crate::archive::{Root, Unpack, Whiteouts, decompress, unpack};
use crate::{Error, Result};

/// The unpacked layers.
#[derive(Debug)]
pub(crate) struct Layers {
    folder: PathBuf,
}

impl Layers {
    /// Opens a folder of layers; what was being unpacked when the daemon ended is removed.
    pub(crate) fn open(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder).map_err(|error| Error::io("create", folder, error))?;
        let layers = Self {
            folder: folder.to_owned(),
        };
        for name in layers.names().filter(|name| name.starts_with('.')) {
            let _ = fs::remove_dir_all(folder.join(name));
        }
        Ok(layers)
    }

    /// The files of a layer.
    pub(crate) fn tree(&self, digest: &str) -> PathBuf {
        self.path(digest).join("tree")
    }

    /// Bytes of a layer's files; 0 when it is not there.
    pub(crate) fn size(&self, digest: &str) -> u64 {
        let text = fs::read_to_string(self.path(digest).join("size"));
        text.ok()
            .and_then(|text| text.trim().parse().ok())
            .unwrap_or(0)
    }

    /// Whether a layer is unpacked.
    pub(crate) fn has(&self, digest: &str) -> bool {
        self.tree(digest).exists()
    }

    /// Unpacks a layer that may be compressed; with `expected` only when its tar stream has that
    /// digest. Answers the digest.
    ///
    /// # Errors
    /// 400 when the digest is another or the archive is broken, 500 when it cannot be written.
    pub(crate) fn unpack(
        &self,
        reader: impl Read + Send,
        expected: Option<&str>,
    ) -> Result<String> {
        let new = self.folder.join(format!(".{}", crate::identifier::new()));
        let unpacked = self.unpack_in(&new, reader, expected);
        if unpacked.is_err() {
            let _ = fs::remove_dir_all(&new);
        }
        unpacked
    }

    fn unpack_in(
        &self,
        new: &Path,
        reader: impl Read + Send,
        expected: Option<&str>,
    ) -> Result<String> {
        let failed = |error: io::Error| Error::io("unpack a layer in", new, error);
        let tree = new.join("tree");
        fs::create_dir_all(&tree).map_err(failed)?;
        let root = Root::open(&tree).map_err(failed)?;
        let broken = |error: io::Error| Error::internal(format!("unpack a layer: {error}"));
        let mut reader = Hashed::new(decompress(reader).map_err(broken)?);
        let options = Unpack {
            whiteouts: Whiteouts::Overlay,
            ..Unpack::default()
        };
        let size = unpack(&root, &mut reader, options).map_err(broken)?;
        let digest = reader.digest();
        if let Some(expected) = expected.filter(|expected| *expected != digest) {
            let message = format!("a layer has the digest {digest}, not {expected}");
            return Err(Error::bad_request(message));
        }
        self.place(new, &digest, size)?;
        Ok(digest)
    }

    /// Takes a folder as the tree of a layer whose tar stream has that digest and whose files have so many bytes. It is on the
    /// same file system, and nobody has it any more.
    ///
    /// # Errors
    /// 500 when it cannot be moved.
    pub(crate) fn adopt(&self, tree: &Path, digest: &str, size: u64) -> Result<()> {
        let new = self.folder.join(format!(".{}", crate::identifier::new()));
        let failed = |error: io::Error| Error::io("move a layer to", &new, error);
        let adopted = fs::create_dir_all(&new)
            .and_then(|()| fs::rename(tree, new.join("tree")))
            // As where an archive without a root is unpacked.
            .and_then(|()| chown(new.join("tree"), Some(0), Some(0)))
            .and_then(|()| fs::set_permissions(new.join("tree"), Permissions::from_mode(0o755)))
            .map_err(failed)
            .and_then(|()| self.place(&new, digest, size));
        if adopted.is_err() {
            let _ = fs::remove_dir_all(new);
        }
        adopted
    }

    /// Puts a new layer where it is looked for.
    fn place(&self, new: &Path, digest: &str, size: u64) -> Result<()> {
        let failed = |error: io::Error| Error::io("unpack a layer in", new, error);
        fs::write(new.join("size"), size.to_string()).map_err(failed)?;
        match fs::rename(new, self.path(digest)) {
            // Somebody else was faster.
            Err(_) if self.has(digest) => fs::remove_dir_all(new).map_err(failed),
            result => result.map_err(failed),
        }
    }

    /// Removes a layer.
    pub(crate) fn remove(&self, digest: &str) {
        let gone = self.folder.join(format!(".{}", crate::identifier::new()));
        if fs::rename(self.path(digest), &gone).is_ok() {
            let _ = fs::remove_dir_all(gone);
        }
    }

    /// Removes all layers that are not in `kept`.
    pub(crate) fn sweep(&self, kept: &BTreeSet<String>) {
        for name in self.names() {
            let digest = format!("sha256:{name}");
            if !name.starts_with('.') && !kept.contains(&digest) {
                self.remove(&digest);
            }
        }
    }

    fn names(&self) -> impl Iterator<Item = String> + use<> {
        let entries = fs::read_dir(&self.folder)
            .ok()
            .into_iter()
            .flatten()
            .flatten();
        entries.filter_map(|entry| entry.file_name().into_string().ok())
    }

    fn path(&self, digest: &str) -> PathBuf {
        self.folder
            .join(digest.strip_prefix("sha256:").unwrap_or(digest))
    }
}
