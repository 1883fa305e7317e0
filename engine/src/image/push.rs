//! Images to registries.

use std::sync::Arc;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::json;
use tokio::io::BufReader;
use tokio_util::io::ReaderStream;

use super::content::Lease;
use super::index::{Descriptor, Manifest};
use super::pull::{Tell, short};
use super::registry::Registry;
use super::{Credentials, Reference};
use crate::engine::Engine;
use crate::{Error, Result};

/// Layers that go at the same time.
const AT_ONCE: usize = 4;
/// Bytes that are read of a layer at once.
const PIECE: usize = 1 << 16;

/// One push.
struct Push {
    engine: Arc<Engine>,
    registry: Registry,
    manifest: Arc<Manifest>,
    /// Keeps the blobs while they are read.
    lease: Lease,
    tell: Tell,
}

/// Pushes an image under a name that has a tag, and tells the progress as Docker does.
///
/// # Errors
/// 404 when there is no image of that name, 403 when the registry refuses, 500 when it does not answer.
pub(crate) async fn push(
    engine: &Arc<Engine>,
    reference: &Reference,
    credentials: Credentials,
    tell: Tell,
) -> Result<()> {
    let images = &engine.images;
    let missing = |_| {
        Error::not_found(format!(
            "An image does not exist locally with the tag: {}",
            reference.familiar_name()
        ))
    };
    let (descriptor, manifest) = images.manifest(&reference.to_string()).map_err(missing)?;
    let push = Push {
        engine: Arc::clone(engine),
        registry: Registry::new(reference, credentials)?,
        manifest,
        lease: images.lease(),
        tell,
    };
    let pushed = push.image(reference, &descriptor).await;
    pushed.map_err(|error| match error.status {
        403 => Error::forbidden("denied: requested access to the resource is denied"),
        _ => error,
    })
}

impl Push {
    async fn image(&self, reference: &Reference, descriptor: &Descriptor) -> Result<()> {
        let tag = reference.tag.as_deref().unwrap_or("latest");
        let name = reference.familiar_name();
        let status = format!("The push refers to repository [{name}]");
        (self.tell)(json!({ "status": status }));
        self.lease.take(&descriptor.digest);
        for layer in &self.manifest.layers {
            self.say(layer, "Preparing");
        }
        let layers: Vec<_> = self
            .manifest
            .layers
            .iter()
            .map(|it| self.layer(it))
            .collect();
        stream::iter(layers)
            .buffer_unordered(AT_ONCE)
            .try_collect::<()>()
            .await?;
        self.blob(&self.manifest.config).await?;
        let text = self.engine.images.content.read(&descriptor.digest)?;
        let size = text.len();
        let kind = &descriptor.media_type;
        self.registry.put_manifest(tag, kind, text).await?;
        let digest = &descriptor.digest;
        (self.tell)(json!({ "status": format!("{tag}: digest: {digest} size: {size}") }));
        let aux = json!({ "Tag": tag, "Digest": digest, "Size": size });
        (self.tell)(json!({ "progressDetail": {}, "aux": aux }));
        Ok(())
    }

    async fn layer(&self, layer: &Descriptor) -> Result<()> {
        let was_new = self.blob(layer).await?;
        let outcome = if was_new {
            "Pushed"
        } else {
            "Layer already exists"
        };
        self.say(layer, outcome);
        Ok(())
    }

    /// Uploads a blob unless the registry has it; whether it did not.
    async fn blob(&self, blob: &Descriptor) -> Result<bool> {
        self.lease.take(&blob.digest);
        if self.registry.has_blob(&blob.digest).await? {
            return Ok(false);
        }
        let file = self.engine.images.content.open_blob(&blob.digest)?;
        let file = BufReader::with_capacity(PIECE, tokio::fs::File::from_std(file));
        let mut sent: u64 = 0;
        let (tell, id, total) = (Arc::clone(&self.tell), short(&blob.digest), blob.size);
        let pieces = ReaderStream::with_capacity(file, PIECE).inspect_ok(move |piece| {
            sent += piece.len() as u64;
            let detail = json!({ "current": sent, "total": total });
            tell(json!({ "status": "Pushing", "progressDetail": detail, "id": id }));
        });
        self.registry.upload(&blob.digest, total, pieces).await?;
        Ok(true)
    }

    fn say(&self, layer: &Descriptor, status: &str) {
        let id = short(&layer.digest);
        (self.tell)(json!({ "status": status, "progressDetail": {}, "id": id }));
    }
}
