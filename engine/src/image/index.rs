//! The index of the OCI layout, which says what images there are, and manifests.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::content::{Lease, digest};
use super::reference::is_digest;
use super::{Document, Images, Reference, State, Stored};
use crate::{Error, Result, store};

/// Annotation of the index: the full reference of an image.
const NAME: &str = "org.opencontainers.image.ref.name";
/// Media type of a manifest.
pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// Media type of a configuration.
pub(crate) const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// Media type of a layer without compression.
pub(crate) const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

/// Where a blob is and what it is.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Descriptor {
    /// What it is.
    #[serde(default)]
    pub(crate) media_type: String,
    /// `sha256:…`.
    pub(crate) digest: String,
    /// Bytes.
    #[serde(default)]
    pub(crate) size: u64,
    /// Remarks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) annotations: Option<BTreeMap<String, String>>,
    /// For what machine it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) platform: Option<Platform>,
}

/// A kind of machine.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Platform {
    /// `amd64`.
    #[serde(default)]
    pub(crate) architecture: String,
    /// `linux`.
    #[serde(default)]
    pub(crate) os: String,
    /// `v8`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) variant: Option<String>,
}

/// What an image consists of.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Manifest {
    /// 2.
    pub(crate) schema_version: u32,
    /// What it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) media_type: Option<String>,
    /// Its configuration.
    pub(crate) config: Descriptor,
    /// Its layers, lowest first.
    pub(crate) layers: Vec<Descriptor>,
}

/// A list of manifests: of the layout, or of one image for several machines.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Index {
    /// 2.
    pub(crate) schema_version: u32,
    /// The manifests.
    pub(crate) manifests: Vec<Descriptor>,
}

impl Descriptor {
    /// Of something whose media type is known.
    pub(crate) fn new(media_type: &str, digest: &str, size: u64) -> Self {
        Self {
            media_type: media_type.to_owned(),
            digest: digest.to_owned(),
            size,
            ..Self::default()
        }
    }

    /// The full reference that an index gives.
    pub(crate) fn name(&self) -> Option<&str> {
        let annotations = self.annotations.as_ref()?;
        let name = annotations
            .get("io.containerd.image.name")
            .or_else(|| annotations.get(NAME));
        name.map(String::as_str)
    }

    /// Whether a machine like this one can run it, as far as it says.
    pub(crate) fn fits(&self, architecture: &str) -> bool {
        let platform = self.platform.as_ref();
        platform
            .is_none_or(|platform| platform.os == "linux" && platform.architecture == architecture)
    }
}

/// An image whose blobs are all in the store and whose layers are unpacked.
#[derive(Debug)]
pub(crate) struct Complete {
    /// Its manifest.
    pub(crate) descriptor: Descriptor,
    pub(crate) manifest: Manifest,
    pub(crate) document: Document,
}

impl Images {
    pub(super) fn load_index(&self) -> Result<()> {
        let path = self.layout.images().join("index.json");
        let Some(index) = store::read::<Index>(&path)? else {
            return Ok(());
        };
        let mut state = self.state();
        for descriptor in index.manifests {
            let name = descriptor.name().map(str::to_owned);
            match self.complete(descriptor) {
                Ok(complete) => {
                    let id = complete.manifest.config.digest.clone();
                    let stored = self.stored(complete);
                    state.images.insert(id.clone(), stored);
                    if let Some(name) = name {
                        state.references.insert(name, id);
                    }
                }
                Err(error) => tracing::error!("image {}: {error}", name.unwrap_or_default()),
            }
        }
        Ok(())
    }

    /// Reads manifest and configuration.
    pub(super) fn complete(&self, mut descriptor: Descriptor) -> Result<Complete> {
        descriptor.annotations = None;
        let broken = |error| Error::bad_request(format!("manifest {}: {error}", descriptor.digest));
        let manifest: Manifest =
            serde_json::from_slice(&self.content.read(&descriptor.digest)?).map_err(broken)?;
        let blobs = || manifest.layers.iter().chain([&manifest.config]);
        if !blobs().all(|blob| is_digest(&blob.digest)) {
            return Err(Error::bad_request("a digest is not one of SHA-256"));
        }
        let document: Document =
            serde_json::from_slice(&self.content.read(&manifest.config.digest)?).map_err(broken)?;
        if document.rootfs.diff_ids.len() != manifest.layers.len() {
            return Err(Error::bad_request(
                "manifest and configuration have different layers",
            ));
        }
        if !document.rootfs.diff_ids.iter().all(|id| is_digest(id)) {
            return Err(Error::bad_request("a digest is not one of SHA-256"));
        }
        Ok(Complete {
            descriptor,
            manifest,
            document,
        })
    }

    pub(super) fn stored(&self, complete: Complete) -> Stored {
        let layers = &complete.document.rootfs.diff_ids;
        Stored {
            size: layers.iter().map(|layer| self.layers.size(layer)).sum(),
            descriptor: complete.descriptor,
            manifest: Arc::new(complete.manifest),
            document: Arc::new(complete.document),
        }
    }

    /// Adds an image to the index under its names; answers its id. What a name meant before
    /// loses it.
    pub(super) fn add(&self, complete: Complete, names: &[String]) -> Result<String> {
        let id = complete.manifest.config.digest.clone();
        // Blobs and layers are on disk before the index says so. Those of an image that it has are: a build that has changed
        // nothing does not wait for what others write to the same disk.
        let is_known = self.state().images.contains_key(&id);
        if !is_known && let Ok(folder) = std::fs::File::open(self.layout.images()) {
            let _ = rustix::fs::syncfs(folder);
        }
        let stored = self.stored(complete);
        let mut state = self.state();
        state.images.insert(id.clone(), stored);
        state.intermediates.remove(&id);
        for name in names {
            state.references.insert(name.clone(), id.clone());
        }
        self.write_index(&state)?;
        Ok(id)
    }

    /// Makes an image of a configuration and layers that are in the store.
    pub(super) fn assemble(
        &self,
        document: &Document,
        layers: Vec<Descriptor>,
        lease: &Lease,
    ) -> Result<Complete> {
        self.assemble_with(&document.to_bytes()?, layers, lease)
    }

    /// The same with the configuration's bytes, whose digest is the image's id.
    pub(super) fn assemble_with(
        &self,
        config: &[u8],
        layers: Vec<Descriptor>,
        lease: &Lease,
    ) -> Result<Complete> {
        let config_blob = self.content.store(config, None, lease)?;
        let manifest = Manifest {
            schema_version: 2,
            media_type: Some(MANIFEST.to_owned()),
            config: Descriptor::new(CONFIG, &config_blob.digest, config_blob.size),
            layers,
        };
        let text = serde_json::to_vec(&manifest).map_err(Error::internal)?;
        let size = text.len() as u64;
        let digest = digest(&text);
        self.content.store(text.as_slice(), Some(&digest), lease)?;
        self.complete(Descriptor::new(MANIFEST, &digest, size))
    }

    /// Writes the index as `state` has it.
    pub(super) fn write_index(&self, state: &State) -> Result<()> {
        let mut manifests = Vec::new();
        let images = state.images.iter();
        for (id, stored) in images.filter(|(id, _)| !state.intermediates.contains_key(*id)) {
            let mut names = state.names(id).peekable();
            if names.peek().is_none() {
                manifests.push(stored.descriptor.clone());
            }
            for name in names {
                let annotations = BTreeMap::from([(NAME.to_owned(), name.to_owned())]);
                manifests.push(Descriptor {
                    annotations: Some(annotations),
                    ..stored.descriptor.clone()
                });
            }
        }
        let index = Index {
            schema_version: 2,
            manifests,
        };
        store::write(&self.layout.images().join("index.json"), &index)
    }

    /// Gives an image a further name.
    ///
    /// # Errors
    /// 404 when there is no such image, 400 when the name is none or has a digest.
    pub(crate) fn tag(&self, image: &str, name: &str) -> Result<(String, String)> {
        let reference = Reference::parse(name)?;
        if reference.digest.is_some() {
            return Err(Error::bad_request(
                "refusing to create a tag with a digest reference",
            ));
        }
        let reference = reference.tagged();
        let mut state = self.state();
        let id = state.find(image)?;
        state.intermediates.remove(&id);
        state.references.insert(reference.to_string(), id.clone());
        self.write_index(&state)?;
        Ok((id, reference.familiar()))
    }

    /// Removes blobs and layers that belong to no image and no container.
    pub(super) fn sweep(&self) {
        let state = self.state();
        let (blobs, mut layers) = state.contents();
        layers.extend(self.snapshot_layers());
        self.content.sweep(&blobs);
        self.layers.sweep(&layers);
    }
}

impl State {
    /// Digests of all blobs and of all layers of the images.
    pub(super) fn contents(&self) -> (BTreeSet<String>, BTreeSet<String>) {
        let mut blobs = BTreeSet::new();
        let mut layers = BTreeSet::new();
        for stored in self.images.values() {
            blobs.insert(stored.descriptor.digest.clone());
            blobs.insert(stored.manifest.config.digest.clone());
            blobs.extend(
                stored
                    .manifest
                    .layers
                    .iter()
                    .map(|layer| layer.digest.clone()),
            );
            layers.extend(stored.document.rootfs.diff_ids.iter().cloned());
        }
        self.extend_with_steps(&mut blobs, &mut layers);
        (blobs, layers)
    }
}
