//! A folder with an OCI image layout: blobs by their digests, and an index that has a cache's manifest under a tag.

use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;
use tonic::Status;

/// What says that a folder is an image layout.
const LAYOUT: &str = r#"{"imageLayoutVersion":"1.0.0"}"#;

/// Where a manifest of an index has its tag.
const TAG: &str = "org.opencontainers.image.ref.name";

/// An image layout in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Store(pub(in super::super) PathBuf);

impl Store {
    /// Where a blob is, or would be.
    ///
    /// # Errors
    /// For digests that are not of SHA-256.
    pub(super) fn blob(&self, digest: &str) -> Result<PathBuf, Status> {
        let name = digest.strip_prefix("sha256:").filter(|name| {
            let is_digit = |c: &u8| matches!(c, b'0'..=b'9' | b'a'..=b'f');
            name.len() == 64 && name.as_bytes().iter().all(is_digit)
        });
        let name = name
            .ok_or_else(|| Status::invalid_argument(format!("not a SHA-256 digest: {digest:?}")))?;
        Ok(self.blobs().join(name))
    }

    fn blobs(&self) -> PathBuf {
        self.0.join("blobs/sha256")
    }

    /// Begins to write a blob, which is nothing before [`Ingest::commit`].
    ///
    /// # Errors
    /// Those of files.
    pub(super) fn ingest(&self) -> io::Result<Ingest> {
        let folder = self.0.join("ingest");
        std::fs::create_dir_all(&folder)?;
        std::fs::create_dir_all(self.blobs())?;
        Ok(Ingest {
            file: NamedTempFile::new_in(folder)?,
            hash: Sha256::new(),
            size: 0,
        })
    }

    /// The digest of the manifest with this tag, if there is one.
    ///
    /// # Errors
    /// When there is no index, or none that can be read.
    pub(in super::super) fn tagged(&self, tag: &str) -> io::Result<Option<String>> {
        let index: Value = serde_json::from_slice(&std::fs::read(self.index())?)?;
        let manifests = index["manifests"].as_array().into_iter().flatten();
        let mut tagged = manifests.filter(|manifest| manifest["annotations"][TAG] == tag);
        let digest = tagged
            .next()
            .and_then(|manifest| manifest["digest"].as_str());
        Ok(digest.map(str::to_owned))
    }

    /// Puts a manifest into the index, in the place of the one that had the tag.
    ///
    /// # Errors
    /// Those of files, and for an index that is none.
    pub(in super::super) fn tag(&self, mut manifest: Value, tag: &str) -> io::Result<()> {
        let mut index = match std::fs::read(self.index()) {
            Ok(bytes) => serde_json::from_slice(&bytes)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json"})
            }
            Err(error) => return Err(error),
        };
        manifest["annotations"][TAG] = tag.into();
        let mut manifests = match index["manifests"].take() {
            Value::Array(manifests) => manifests,
            _ => Vec::new(),
        };
        manifests.retain(|manifest| manifest["annotations"][TAG] != tag);
        manifests.push(manifest);
        index["manifests"] = manifests.into();
        replace(&self.0, &self.0.join("oci-layout"), LAYOUT.as_bytes())?;
        replace(&self.0, &self.index(), index.to_string().as_bytes())
    }

    fn index(&self) -> PathBuf {
        self.0.join("index.json")
    }
}

/// Writes a file as a whole: nobody sees a part of it.
fn replace(folder: &Path, path: &Path, content: &[u8]) -> io::Result<()> {
    let file = NamedTempFile::new_in(folder)?;
    std::fs::write(file.path(), content)?;
    keep(file, path)
}

/// Gives a temporary file its name, and the mode of files that others may read.
fn keep(file: NamedTempFile, path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::Permissions::from_mode(0o644);
        file.as_file().set_permissions(mode)?;
    }
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// A blob that is being written; without a commit it goes.
#[derive(Debug)]
pub(super) struct Ingest {
    file: NamedTempFile,
    hash: Sha256,
    /// Bytes that were written.
    size: u64,
}

impl Ingest {
    /// Bytes that were written.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// Writes more.
    ///
    /// # Errors
    /// Those of files.
    pub(super) fn write(&mut self, data: &[u8]) -> io::Result<()> {
        io::Write::write_all(&mut self.file, data)?;
        self.hash.update(data);
        self.size += data.len() as u64;
        Ok(())
    }

    /// Puts it where its digest says, which has to be the expected one, if one is; answers the digest.
    ///
    /// # Errors
    /// Those of files; `FAILED_PRECONDITION` when it is not what was expected.
    pub(super) fn commit(self, store: &Store, expected: &str) -> Result<String, Status> {
        let digest = format!("sha256:{}", crate::run::hex(&self.hash.finalize()));
        if !expected.is_empty() && expected != digest {
            return Err(Status::failed_precondition(format!(
                "unexpected commit digest {digest}, expected {expected}"
            )));
        }
        let path = store.blob(&digest)?;
        keep(self.file, &path).map_err(|error| failed(&path, &error))?;
        Ok(digest)
    }
}

/// What the builder is told when a file cannot be read or written.
pub(super) fn failed(path: &Path, error: &io::Error) -> Status {
    let text = format!("{}: {error}", path.display());
    match error.kind() {
        io::ErrorKind::NotFound => Status::not_found(text),
        _ => Status::internal(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_has_one_manifest() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store(folder.path().to_owned());
        assert!(store.tagged("latest").is_err());
        for (digest, tag) in [
            ("sha256:a", "latest"),
            ("sha256:b", "x"),
            ("sha256:c", "latest"),
        ] {
            store
                .tag(json!({"digest": digest, "size": 1}), tag)
                .unwrap();
        }
        assert_eq!(store.tagged("latest").unwrap().as_deref(), Some("sha256:c"));
        assert_eq!(store.tagged("x").unwrap().as_deref(), Some("sha256:b"));
        assert_eq!(store.tagged("y").unwrap(), None);
        let layout = std::fs::read_to_string(folder.path().join("oci-layout")).unwrap();
        assert_eq!(layout, LAYOUT);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn no_digest_leads_out_of_the_folder() {
        let store = Store("/nowhere".into());
        for digest in [
            "",
            "sha256:",
            "sha256:../../x",
            "sha512:00",
            "../../etc/passwd",
        ] {
            assert!(store.blob(digest).is_err(), "{digest}");
        }
    }
}
