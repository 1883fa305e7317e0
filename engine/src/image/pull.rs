//! Images from registries.

use std::io::Read;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::{Value, json};

use super::content::{Lease, digest};
use super::index::{Descriptor, Index, MANIFEST, Manifest};
use super::reference::is_digest;
use super::registry::Registry;
use super::{Credentials, Document, Reference};
use crate::archive::body_reader;
use crate::container::blocking;
use crate::engine::Engine;
use crate::{Error, Result};

/// Layers that come at the same time.
const AT_ONCE: usize = 4;
/// How often a blob is asked for before the pull fails.
const ATTEMPTS: u32 = 3;
/// How often progress is told.
const PACE: Duration = Duration::from_millis(100);
/// What is taken for a manifest.
const ACCEPT: &str = "application/vnd.oci.image.index.v1+json, \
     application/vnd.docker.distribution.manifest.list.v2+json, \
     application/vnd.oci.image.manifest.v1+json, \
     application/vnd.docker.distribution.manifest.v2+json";

/// Where progress is told, as the API's lines.
pub(crate) type Tell = Arc<dyn Fn(Value) + Send + Sync>;

/// One pull.
struct Pull {
    engine: Arc<Engine>,
    registry: Registry,
    lease: Arc<Lease>,
    tell: Tell,
}

/// Pulls an image and tells the progress as Docker does.
///
/// # Errors
/// 404 when there is no such image or nobody may know, 400 when a digest is not that of what
/// came, 500 when the registry does not answer.
pub(crate) async fn pull(
    engine: &Arc<Engine>,
    reference: &Reference,
    credentials: Credentials,
    tell: Tell,
) -> Result<()> {
    let pull = Pull {
        engine: Arc::clone(engine),
        registry: Registry::new(reference, credentials)?,
        lease: Arc::new(engine.images.lease()),
        tell,
    };
    let pulled = pull.image(reference).await;
    pulled.map_err(|error| explained(error, reference))
}

/// Docker's words for what a registry refuses.
fn explained(error: Error, reference: &Reference) -> Error {
    let name = reference.familiar_name();
    match error.status {
        404 => Error::not_found(format!(
            "manifest for {} not found: manifest unknown: {}",
            reference.familiar(),
            error.message
        )),
        403 => Error::not_found(format!("pull access denied for {name}, {}", error.message)),
        _ => error,
    }
}

impl Pull {
    async fn image(&self, reference: &Reference) -> Result<()> {
        let asked = reference.digest.as_deref().or(reference.tag.as_deref());
        let asked = asked.unwrap_or("latest");
        let text = self.manifest(asked).await?;
        let whole = digest(&text);
        (self.tell)(json!({
            "status": format!("Pulling from {}", reference.repository),
            "id": asked,
        }));
        let text = self.own(text).await?;
        let manifest = read(&text)?;
        let document = self.config(&manifest).await?;
        self.layers(&manifest, &document).await?;
        let is_new = self.add(reference, &whole, text).await?;
        (self.tell)(json!({ "status": format!("Digest: {whole}") }));
        let outcome = if is_new {
            "Downloaded newer image for"
        } else {
            "Image is up to date for"
        };
        let name = reference.familiar();
        (self.tell)(json!({ "status": format!("Status: {outcome} {name}") }));
        Ok(())
    }

    /// A manifest, which has the digest that it is asked for by.
    async fn manifest(&self, asked: &str) -> Result<Vec<u8>> {
        let text = self.registry.manifest(asked, ACCEPT).await?;
        let digest = digest(&text);
        if asked.contains(':') && asked != digest {
            return Err(Error::bad_request(format!(
                "manifest verification failed for digest {asked}: it has the digest {digest}"
            )));
        }
        Ok(text)
    }

    /// The manifest for this machine, where the text is that of a list.
    async fn own(&self, text: Vec<u8>) -> Result<Vec<u8>> {
        let value: Value = serde_json::from_slice(&text).map_err(broken)?;
        if !value["manifests"].is_array() {
            return Ok(text);
        }
        let list: Index = serde_json::from_value(value).map_err(broken)?;
        let own = crate::api::architecture();
        let fitting = list.manifests.into_iter().find(|manifest| {
            manifest.platform.is_some() && manifest.fits(own) && is_digest(&manifest.digest)
        });
        let fitting = fitting.ok_or_else(|| {
            Error::bad_request(format!(
                "no matching manifest for linux/{own} in the manifest list entries"
            ))
        })?;
        self.manifest(&fitting.digest).await
    }

    async fn config(&self, manifest: &Manifest) -> Result<Document> {
        let digest = &manifest.config.digest;
        self.blob(&manifest.config, None).await?;
        let document: Document =
            serde_json::from_slice(&self.engine.images.content.read(digest)?).map_err(broken)?;
        let diff_ids = &document.rootfs.diff_ids;
        if diff_ids.len() != manifest.layers.len() || !diff_ids.iter().all(|id| is_digest(id)) {
            return Err(Error::bad_request(
                "manifest and configuration have different layers",
            ));
        }
        Ok(document)
    }

    async fn layers(&self, manifest: &Manifest, document: &Document) -> Result<()> {
        let pairs = || manifest.layers.iter().zip(&document.rootfs.diff_ids);
        for (layer, _) in pairs() {
            self.say(&layer.digest, "Pulling fs layer");
        }
        let layers = pairs().map(|(layer, diff_id)| self.layer(layer, diff_id));
        // Collected first: the closures borrow what the stream would need to own.
        let layers: Vec<_> = layers.collect();
        stream::iter(layers)
            .buffer_unordered(AT_ONCE)
            .try_collect::<()>()
            .await
    }

    async fn layer(&self, layer: &Descriptor, diff_id: &str) -> Result<()> {
        self.lease.take(diff_id);
        let images = &self.engine.images;
        if images.layers.has(diff_id) && images.content.has(&layer.digest) {
            self.lease.take(&layer.digest);
            self.say(&layer.digest, "Already exists");
            return Ok(());
        }
        let short = short(&layer.digest);
        self.blob(layer, Some(&short)).await?;
        self.say(&layer.digest, "Download complete");
        self.say(&layer.digest, "Extracting");
        let (engine, lease) = (Arc::clone(&self.engine), Arc::clone(&self.lease));
        let (blob, id) = (layer.digest.clone(), diff_id.to_owned());
        blocking(move || engine.images.unpack_layer(&blob, &id, &lease)).await?;
        self.say(&layer.digest, "Pull complete");
        Ok(())
    }

    /// Gets a blob into the store, unless it is there; `shown`: how its progress is told.
    async fn blob(&self, blob: &Descriptor, shown: Option<&str>) -> Result<()> {
        self.lease.take(&blob.digest);
        if self.engine.images.content.has(&blob.digest) {
            return Ok(());
        }
        let mut attempt = 1;
        loop {
            match self.attempt(blob, shown).await {
                Err(error) if error.status == 500 && attempt < ATTEMPTS => {
                    tracing::debug!("blob {}: {error}", blob.digest);
                    tokio::time::sleep(Duration::from_secs(attempt.into())).await;
                    attempt += 1;
                }
                result => return result,
            }
        }
    }

    async fn attempt(&self, blob: &Descriptor, shown: Option<&str>) -> Result<()> {
        let body = self.registry.blob(&blob.digest).await?;
        let counted = Counted {
            // One byte more shows that there is more than there should be.
            inner: body_reader(body).take(blob.size.saturating_add(1)),
            shown: shown.map(str::to_owned),
            tell: Arc::clone(&self.tell),
            total: blob.size,
            current: 0,
            told: Instant::now(),
        };
        let (engine, lease) = (Arc::clone(&self.engine), Arc::clone(&self.lease));
        let digest = blob.digest.clone();
        let stored = blocking(move || engine.images.content.store(counted, Some(&digest), &lease));
        stored.await.map(|_| ())
    }

    /// Adds the image under its names; whether it was not there before.
    async fn add(&self, reference: &Reference, whole: &str, text: Vec<u8>) -> Result<bool> {
        let names = [reference.clone(), reference.with_digest(whole)];
        let names: Vec<String> = names.iter().map(Reference::to_string).collect();
        let (engine, lease) = (Arc::clone(&self.engine), Arc::clone(&self.lease));
        blocking(move || {
            let images = &engine.images;
            let blob = images.content.store(text.as_slice(), None, &lease)?;
            let media: Value = serde_json::from_slice(&text).map_err(broken)?;
            let media = media["mediaType"].as_str().unwrap_or(MANIFEST);
            let complete = images.complete(Descriptor::new(media, &blob.digest, blob.size))?;
            let id = &complete.manifest.config.digest;
            let is_known = {
                let state = images.state();
                names
                    .iter()
                    .all(|name| state.references.get(name) == Some(id))
            };
            images.add(complete, &names)?;
            Ok(!is_known)
        })
        .await
    }

    fn say(&self, digest: &str, status: &str) {
        (self.tell)(json!({ "status": status, "progressDetail": {}, "id": short(digest) }));
    }
}

/// A manifest of one image, all of whose digests can be checked.
fn read(text: &[u8]) -> Result<Manifest> {
    let manifest: Manifest = serde_json::from_slice(text).map_err(broken)?;
    if manifest.schema_version != 2 {
        return Err(Error::not_supported(format!(
            "a manifest of version {}",
            manifest.schema_version
        )));
    }
    let blobs = || manifest.layers.iter().chain([&manifest.config]);
    if !blobs().all(|blob| is_digest(&blob.digest)) {
        return Err(Error::bad_request("a digest is not one of SHA-256"));
    }
    Ok(manifest)
}

fn broken(error: serde_json::Error) -> Error {
    Error::bad_request(format!("manifest: {error}"))
}

/// The beginning of a digest, as progress names a layer.
pub(super) fn short(digest: &str) -> String {
    let hex = digest.strip_prefix("sha256:").unwrap_or(digest);
    hex.get(..12).unwrap_or(hex).to_owned()
}

/// Tells how much has been read, from time to time.
struct Counted<R> {
    inner: R,
    shown: Option<String>,
    tell: Tell,
    total: u64,
    current: u64,
    told: Instant,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        let is_first = self.current == 0;
        self.current += count as u64;
        if let Some(id) = &self.shown
            && count > 0
            && (is_first || self.current == self.total || self.told.elapsed() >= PACE)
        {
            self.told = Instant::now();
            (self.tell)(json!({
                "status": "Downloading",
                "progressDetail": { "current": self.current, "total": self.total },
                "id": id,
            }));
        }
        Ok(count)
    }
}
