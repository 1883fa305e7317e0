//! Images: an OCI layout with their blobs, their layers unpacked, and the writable layers of
//! containers on top of them.

mod cache;
mod content;
mod credentials;
mod document;
mod import;
mod index;
#[cfg(test)]
mod layer_tests;
mod layers;
mod list;
mod load;
mod mount_points;
mod pull;
#[cfg(test)]
mod pull_tests;
mod push;
mod reference;
mod registry;
mod remove;
mod repository;
mod save;
mod snapshot;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::{Error, Layout, Result};
use cache::Steps;

pub(crate) use cache::Step;
pub(crate) use content::{Content, Hashed, Lease, digest, hexadecimal};
pub(crate) use credentials::{Credentials, url_safe};
pub(crate) use document::{Document, History};
pub(crate) use import::Import;
pub(crate) use index::{Descriptor, Manifest};
pub(crate) use layers::Layers;
pub(crate) use list::{FILTERS, created, glob};
pub(crate) use pull::{Tell, pull};
pub(crate) use push::push;
pub(crate) use reference::{Reference, registry_of};
pub(crate) use remove::Removed;
pub(crate) use repository::Found;
pub use repository::Repository;
pub(crate) use snapshot::is_mounted;

/// An image as others see it.
#[derive(Debug, Clone)]
pub(crate) struct Image {
    /// Digest of its configuration, `sha256:…`.
    pub(crate) id: String,
    /// Its configuration.
    pub(crate) document: Arc<Document>,
    /// Its names as people write them, `alpine:3.20`.
    pub(crate) tags: Vec<String>,
    /// Its names by digest, `alpine@sha256:…`.
    pub(crate) digests: Vec<String>,
    /// Bytes of the files of all its layers.
    pub(crate) size: u64,
}

/// The images of one engine.
#[derive(Debug)]
pub(crate) struct Images {
    layout: Layout,
    content: Content,
    layers: Layers,
    steps: Steps,
    state: Mutex<State>,
}

/// What is in the index.
#[derive(Debug, Default)]
struct State {
    /// By id.
    images: BTreeMap<String, Stored>,
    /// Ids by full reference: `docker.io/library/alpine:3.20`, or with `@sha256:…`.
    references: BTreeMap<String, String>,
    /// What the steps of builds have come to, by their keys.
    steps: BTreeMap<String, Step>,
    /// Images that only builds need, and how many do; the index does not have them.
    intermediates: BTreeMap<String, usize>,
}

/// One image of the index.
#[derive(Debug, Clone)]
struct Stored {
    document: Arc<Document>,
    /// Its manifest, as the index names it.
    descriptor: Descriptor,
    manifest: Arc<Manifest>,
    size: u64,
}

impl Images {
    /// Loads the index, and removes blobs and layers that belong to no image.
    ///
    /// # Errors
    /// 500 when a folder cannot be made or the index cannot be read.
    pub(crate) fn open(layout: &Layout) -> Result<Self> {
        let images = Self {
            layout: layout.clone(),
            content: Content::open(&layout.images())?,
            layers: Layers::open(&layout.images().join("layers"))?,
            steps: Steps::open(layout)?,
            state: Mutex::default(),
        };
        mount_points::make(&layout.mount_points())?;
        images.state().steps = images.steps.load()?;
        images.load_index()?;
        images.sweep();
        Ok(images)
    }

    /// A path for something that comes in; what is there goes when the daemon starts again.
    pub(crate) fn temporary(&self) -> PathBuf {
        self.content.temporary()
    }

    /// The image of a name, a digest, an id or the beginning of an id.
    ///
    /// # Errors
    /// 404 when there is none, 400 when several ids begin so.
    pub(crate) fn resolve(&self, reference: &str) -> Result<Image> {
        let state = self.state();
        let id = state.find(reference)?;
        state.image(&id).ok_or_else(|| no_such_image(reference))
    }

    /// All images, in the order of their ids.
    pub(crate) fn all(&self) -> Vec<Image> {
        let state = self.state();
        state
            .images
            .keys()
            .filter(|id| !state.intermediates.contains_key(*id))
            .filter_map(|id| state.image(id))
            .collect()
    }

    /// Bytes of the files of an image's layers, lowest first.
    pub(crate) fn layer_sizes(&self, image: &Image) -> Vec<u64> {
        image
            .document
            .rootfs
            .diff_ids
            .iter()
            .map(|layer| self.layers.size(layer))
            .collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The id that a reference means.
    fn find(&self, reference: &str) -> Result<String> {
        let hex = reference.strip_prefix("sha256:").unwrap_or(reference);
        let is_full = hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
        let id = format!("sha256:{hex}");
        if is_full && self.images.contains_key(&id) {
            return Ok(id);
        }
        if let Ok(parsed) = Reference::parse(reference) {
            let full = parsed.tagged().to_string();
            if let Some(id) = self.references.get(&full) {
                return Ok(id.clone());
            }
        }
        let ids = self.images.keys().map(String::as_str);
        if hex.is_empty() || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(no_such_image(reference));
        }
        let found = crate::identifier::complete(&id, ids)?;
        found
            .map(str::to_owned)
            .ok_or_else(|| no_such_image(reference))
    }

    fn image(&self, id: &str) -> Option<Image> {
        let stored = self.images.get(id)?;
        let mut tags = Vec::new();
        let mut digests = Vec::new();
        for name in self.names(id) {
            let Ok(reference) = Reference::parse(name) else {
                continue;
            };
            let list = if reference.digest.is_some() {
                &mut digests
            } else {
                &mut tags
            };
            list.push(reference.familiar());
        }
        Some(Image {
            id: id.to_owned(),
            document: Arc::clone(&stored.document),
            tags,
            digests,
            size: stored.size,
        })
    }

    /// The full references of an image.
    fn names(&self, id: &str) -> impl Iterator<Item = &str> {
        let names = self.references.iter().filter(move |(_, of)| *of == id);
        names.map(|(name, _)| name.as_str())
    }
}

fn no_such_image(reference: &str) -> Error {
    let name = match Reference::parse(reference) {
        // An id or the beginning of one is shown as it is.
        Ok(name) if !reference.starts_with("sha256:") => name.tagged().familiar(),
        _ => reference.to_owned(),
    };
    Error::not_found(format!("No such image: {name}"))
}
