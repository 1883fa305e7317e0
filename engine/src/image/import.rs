//! A tar archive as an image of one layer.

use std::io::Read;
use std::path::Path;

use super::content::{Blob, Lease};
use super::index::{Descriptor, LAYER};
use super::{Document, History, Images, Reference};
use crate::archive::decompress;
use crate::{Error, Result};

/// What an import makes beside the layer.
#[derive(Debug, Default)]
pub(crate) struct Import {
    /// The new image's name.
    pub(crate) name: Option<Reference>,
    /// A remark for its history.
    pub(crate) message: String,
    /// Its configuration.
    pub(crate) config: bollard_stubs::models::ImageConfig,
}

impl Images {
    /// Makes an image of one layer; answers its id. Blocks.
    ///
    /// # Errors
    /// 400 when the archive is broken, 500 when it cannot be stored.
    pub(crate) fn import(&self, reader: impl Read + Send, import: Import) -> Result<String> {
        let lease = self.content.lease();
        let (layer, diff_id) = self.new_layer(reader, &lease)?;
        let mut document = Document::new();
        document.rootfs.diff_ids.push(diff_id);
        document.config = Some(import.config);
        document.history.push(History {
            created: document.created.clone(),
            comment: Some(import.message),
            ..History::default()
        });
        let name: Vec<_> = import
            .name
            .map(|name| name.tagged().to_string())
            .into_iter()
            .collect();
        self.make(&document, vec![layer], &name, &lease)
    }

    /// Stores and unpacks a layer that comes as a tar stream, compressed or not.
    pub(crate) fn new_layer(
        &self,
        reader: impl Read + Send,
        lease: &Lease,
    ) -> Result<(Descriptor, String)> {
        self.unpack_layer_of(self.store_layer(reader, lease)?)
    }

    /// Unpacks a stored tar stream as a layer.
    pub(crate) fn unpack_layer_of(&self, blob: Blob) -> Result<(Descriptor, String)> {
        if !self.layers.has(&blob.digest) {
            self.layers
                .unpack(self.content.open_blob(&blob.digest)?, Some(&blob.digest))?;
        }
        Ok((Descriptor::new(LAYER, &blob.digest, blob.size), blob.digest))
    }

    /// Stores the tar stream of a layer, compressed or not, without unpacking it.
    pub(crate) fn store_layer(&self, reader: impl Read + Send, lease: &Lease) -> Result<Blob> {
        let broken = |error| Error::bad_request(format!("layer: {error}"));
        let reader = decompress(reader).map_err(broken)?;
        self.content.store(reader, None, lease)
    }

    /// Makes a layer of a stored tar stream and of the folder that was packed into it, which is the layer's from now on; its
    /// files have `size` bytes.
    pub(crate) fn adopt_layer(
        &self,
        blob: Blob,
        tree: &Path,
        size: u64,
    ) -> Result<(Descriptor, String)> {
        if !self.layers.has(&blob.digest) {
            self.layers.adopt(tree, &blob.digest, size)?;
        }
        Ok((Descriptor::new(LAYER, &blob.digest, blob.size), blob.digest))
    }

    /// Adds an image of a configuration and layers; answers its id.
    pub(crate) fn make(
        &self,
        document: &Document,
        layers: Vec<Descriptor>,
        names: &[String],
        lease: &Lease,
    ) -> Result<String> {
        let complete = self.assemble(document, layers, lease)?;
        self.add(complete, names)
    }

    /// Holds blobs and layers while an image is being made.
    pub(crate) fn lease(&self) -> Lease {
        self.content.lease()
    }

    /// The layers of an image as its manifest names them.
    pub(crate) fn layer_descriptors(&self, id: &str) -> Vec<Descriptor> {
        let state = self.state();
        state
            .images
            .get(id)
            .map(|stored| stored.manifest.layers.clone())
            .unwrap_or_default()
    }
}
