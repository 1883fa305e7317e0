//! Repositories of registries for programs that keep other things than images in them: artifacts.

use axum::body::to_bytes;
use bytes::Bytes;
use futures::{StreamExt as _, stream};
use serde_json::{Value, json};

use super::content::digest;
use super::index::MANIFEST;
use super::reference::is_digest;
use super::registry::Registry;
use super::{Credentials, Reference};
use crate::{Error, Result};

/// Blobs that are read whole are not larger, in bytes.
const LARGEST_BLOB: usize = 16 << 20;
/// How deep lists of manifests may be in others.
const DEEPEST: usize = 4;
/// What is taken for a manifest.
const ACCEPT: &str = "application/vnd.oci.image.index.v1+json, \
     application/vnd.docker.distribution.manifest.list.v2+json, \
     application/vnd.oci.image.manifest.v1+json, \
     application/vnd.docker.distribution.manifest.v2+json, */*";

/// A repository of a registry, by the name of something in it. Registries on this machine are asked without TLS.
pub struct Repository {
    registry: Registry,
    reference: Reference,
}

/// What a name stands for in a registry.
pub(crate) struct Found {
    /// Of the manifest, or of the list of manifests.
    pub(crate) media_type: String,
    /// `sha256:…`.
    pub(crate) digest: String,
    /// Bytes of the manifest or the list.
    pub(crate) size: usize,
    /// As manifests have them: `architecture`, `os`, `variant`.
    pub(crate) platforms: Vec<Value>,
}

impl Repository {
    /// The repository of a reference, asked as somebody.
    ///
    /// # Errors
    /// 500 when the machine's certificates cannot be read.
    pub(crate) fn of(reference: Reference, credentials: Credentials) -> Result<Self> {
        let registry = Registry::new(&reference, credentials)?;
        Ok(Self {
            registry,
            reference,
        })
    }

    /// What the name stands for now.
    ///
    /// # Errors
    /// As of [`Repository::manifest`].
    pub(crate) async fn find(&self) -> Result<Found> {
        let text = self.manifest(self.tag()).await?;
        let manifest = self.parsed(&text)?;
        let platforms = match manifest["manifests"].as_array() {
            Some(parts) => {
                let platforms = parts.iter().map(|part| part["platform"].clone());
                platforms.filter(Value::is_object).collect()
            }
            None => vec![self.platform(&manifest["config"]).await?],
        };
        Ok(Found {
            media_type: manifest["mediaType"]
                .as_str()
                .unwrap_or(MANIFEST)
                .to_owned(),
            digest: digest(&text),
            size: text.len(),
            platforms,
        })
    }

    /// The platform that an image's configuration is for.
    async fn platform(&self, config: &Value) -> Result<Value> {
        let document = self.parsed(&self.blob(digest_of(config)?).await?)?;
        let mut platform = json!({});
        for key in ["architecture", "os", "variant"] {
            if let Some(value) = document[key].as_str() {
                platform[key] = value.into();
            }
        }
        Ok(platform)
    }

    fn parsed(&self, text: &[u8]) -> Result<Value> {
        serde_json::from_slice(text)
            .map_err(|error| Error::bad_request(format!("a manifest of {}: {error}", self.name())))
    }

    /// The repository of a name such as `registry:5000/path:tag`; without a tag `latest` is meant. `credentials` is the JSON
    /// object that `X-Registry-Auth` has in the Docker Engine API, `{}` where there are none; `tls: false` asks a registry
    /// on another machine in the clear too.
    ///
    /// # Errors
    /// 400 when the name or the credentials cannot be read, 500 when the machine's certificates cannot.
    pub fn open(name: &str, credentials: &str, tls: bool) -> Result<Self> {
        let reference = Reference::parse(name)?.tagged();
        let credentials: Credentials =
            serde_json::from_str(credentials).map_err(Error::bad_request)?;
        let registry = Registry::new(&reference, credentials)?;
        Ok(Self {
            registry: if tls {
                registry
            } else {
                registry.in_the_clear()
            },
            reference,
        })
    }

    /// The name in full, `docker.io/library/app:latest`.
    #[must_use]
    pub fn name(&self) -> String {
        self.reference.to_string()
    }

    /// The tag or the digest of the name.
    #[must_use]
    pub fn tag(&self) -> &str {
        let tag = self.reference.digest.as_deref();
        tag.or(self.reference.tag.as_deref()).unwrap_or("latest")
    }

    /// The bytes of a manifest or of a list of them, by tag or digest; of a digest they are checked.
    ///
    /// # Errors
    /// 404 when there is none, 403 when it may not be seen, 400 when it has another digest, 500 when the registry does not
    /// answer.
    pub async fn manifest(&self, tag_or_digest: &str) -> Result<Vec<u8>> {
        let text = self.registry.manifest(tag_or_digest, ACCEPT).await?;
        check(tag_or_digest, &text)?;
        Ok(text)
    }

    /// The bytes of a blob of at most 16 MiB, checked.
    ///
    /// # Errors
    /// As of [`Repository::manifest`]; 400 when it is larger.
    pub async fn blob(&self, digest: &str) -> Result<Vec<u8>> {
        if !is_digest(digest) {
            return Err(Error::bad_request(format!("{digest:?} is no digest")));
        }
        let body = self.registry.blob(digest).await?;
        let bytes = to_bytes(body, LARGEST_BLOB).await.map_err(|error| {
            Error::bad_request(format!("blob {digest} cannot be read: {error}"))
        })?;
        check(digest, &bytes)?;
        Ok(bytes.to_vec())
    }

    /// Stores a blob, unless the repository has it, and gives its digest.
    ///
    /// # Errors
    /// 403 when the registry refuses, 400 when it does not take it, 500 when it does not answer.
    pub async fn push_blob(&self, content: Vec<u8>) -> Result<String> {
        let digest = digest(&content);
        if !self.registry.has_blob(&digest).await? {
            let size = content.len() as u64;
            let pieces = stream::once(async { Ok(Bytes::from(content)) });
            self.registry.upload(&digest, size, pieces).await?;
        }
        Ok(digest)
    }

    /// Stores a manifest of a media type under a tag or its digest, and gives its digest.
    ///
    /// # Errors
    /// As of [`Repository::push_blob`].
    pub async fn push_manifest(&self, tag: &str, kind: &str, text: Vec<u8>) -> Result<String> {
        let digest = digest(&text);
        self.registry.put_manifest(tag, kind, text).await?;
        Ok(digest)
    }

    /// Copies an image, for all platforms that it has, from another repository. Its manifest, which is stored by its digest,
    /// is given as `(media type, bytes)`.
    ///
    /// # Errors
    /// As of [`Repository::manifest`] and [`Repository::push_blob`].
    pub async fn copy_image(&self, from: &Self) -> Result<(String, Vec<u8>)> {
        let text = from.manifest(from.tag()).await?;
        let kind = self.copy_manifest(from, &text, 0).await?;
        Ok((kind, text))
    }

    async fn copy_manifest(&self, from: &Self, text: &[u8], depth: usize) -> Result<String> {
        let manifest = from.parsed(text)?;
        if let Some(parts) = manifest["manifests"].as_array() {
            if depth == DEEPEST {
                return Err(Error::bad_request(format!(
                    "the lists of manifests of {} nest too deep",
                    from.name()
                )));
            }
            for part in parts {
                let text = from.manifest(digest_of(part)?).await?;
                Box::pin(self.copy_manifest(from, &text, depth + 1)).await?;
            }
        } else {
            let layers = manifest["layers"].as_array().into_iter().flatten();
            for blob in std::iter::once(&manifest["config"]).chain(layers) {
                self.copy_blob(from, blob).await?;
            }
        }
        let kind = manifest["mediaType"]
            .as_str()
            .unwrap_or(MANIFEST)
            .to_owned();
        self.push_manifest(&digest(text), &kind, text.to_vec())
            .await?;
        Ok(kind)
    }

    async fn copy_blob(&self, from: &Self, descriptor: &Value) -> Result<()> {
        let digest = digest_of(descriptor)?;
        if self.registry.has_blob(digest).await? {
            return Ok(());
        }
        let size = descriptor["size"].as_u64();
        let size = size.ok_or_else(|| Error::bad_request(format!("blob {digest} has no size")))?;
        let pieces = from.registry.blob(digest).await?.into_data_stream();
        let pieces = pieces.map(|piece| piece.map_err(std::io::Error::other));
        self.registry.upload(digest, size, pieces).await
    }
}

fn digest_of(descriptor: &Value) -> Result<&str> {
    let digest = descriptor["digest"].as_str().unwrap_or_default();
    if is_digest(digest) {
        return Ok(digest);
    }
    Err(Error::bad_request(format!("{digest:?} is no digest")))
}

/// Whether bytes that were asked for by digest have it.
fn check(asked: &str, bytes: &[u8]) -> Result<()> {
    let found = digest(bytes);
    if asked.contains(':') && asked != found {
        return Err(Error::bad_request(format!(
            "what the registry has for {asked} has the digest {found}"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_full() {
        let repository = Repository::open("localhost:1/a/b", "{}", true).unwrap();
        assert_eq!(repository.name(), "localhost:1/a/b:latest");
        assert_eq!(repository.tag(), "latest");
        let digest = digest(b"x");
        let repository = Repository::open(&format!("a:1@{digest}"), "{}", true).unwrap();
        assert_eq!(repository.tag(), digest);
        assert!(Repository::open("a b", "{}", true).is_err());
        assert!(Repository::open("a", "", true).is_err());
    }

    #[test]
    fn what_comes_has_the_digest_asked_for() {
        assert!(check("latest", b"x").is_ok());
        assert!(check(&digest(b"x"), b"x").is_ok());
        assert!(check(&digest(b"y"), b"x").is_err());
    }
}
