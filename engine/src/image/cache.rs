//! What the steps of builds have come to, so that none is done twice.
//!
//! A step's key is made of the image before it and of what it does. Its layers stay until the
//! cache is pruned, whether an image has them or not.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::content::Lease;
use super::index::Descriptor;
use super::{Document, Images, State};
use crate::Result;
use crate::store::Documents;

/// An image as a step left it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Step {
    /// Its configuration.
    pub(crate) document: Document,
    /// Its layers, lowest first.
    pub(crate) layers: Vec<Descriptor>,
}

/// The steps, on disk and in memory.
#[derive(Debug)]
pub(super) struct Steps(Documents<Step>);

impl Steps {
    /// Opens the cache in its folder.
    pub(super) fn open(layout: &crate::Layout) -> Result<Self> {
        Documents::open(layout.build_cache(), "step").map(Self)
    }

    /// Every step by its key.
    pub(super) fn load(&self) -> Result<BTreeMap<String, Step>> {
        Ok(self.0.load()?.into_iter().collect())
    }
}

impl Images {
    /// What a step has come to, if its layers are here still; they are leased.
    pub(crate) fn cached(&self, key: &str, lease: &Lease) -> Option<Step> {
        let state = self.state();
        let step = state.steps.get(key)?;
        let diff_ids = &step.document.rootfs.diff_ids;
        let is_whole = diff_ids.iter().all(|layer| self.layers.has(layer))
            && step
                .layers
                .iter()
                .all(|layer| self.content.has(&layer.digest));
        if !is_whole {
            return None;
        }
        for digest in step
            .layers
            .iter()
            .map(|layer| &layer.digest)
            .chain(diff_ids)
        {
            lease.take(digest);
        }
        Some(step.clone())
    }

    /// Remembers what a step has come to.
    ///
    /// # Errors
    /// 500 when the disk does not take it.
    pub(crate) fn remember(&self, key: &str, step: Step) -> Result<()> {
        self.steps.0.put(key, &step)?;
        self.state().steps.insert(key.to_owned(), step);
        Ok(())
    }

    /// Forgets all steps and removes what only they had. Answers their keys and the bytes that
    /// are free now. Blocks.
    ///
    /// # Errors
    /// 500 when a document cannot be removed.
    pub(crate) fn prune_steps(&self) -> Result<(Vec<String>, u64)> {
        let mut state = self.state();
        let (_, before) = state.contents();
        let steps = std::mem::take(&mut state.steps);
        for key in steps.keys() {
            self.steps.0.remove(key)?;
        }
        let (blobs, mut layers) = state.contents();
        layers.extend(self.snapshot_layers());
        let mut bytes = 0;
        for layer in before.iter().filter(|layer| !layers.contains(*layer)) {
            if !self.content.is_leased(layer) {
                bytes += self.layers.size(layer);
                self.layers.remove(layer);
            }
        }
        for layer in steps.values().flat_map(|step| &step.layers) {
            if !blobs.contains(&layer.digest) && !self.content.is_leased(&layer.digest) {
                self.content.remove(&layer.digest);
            }
        }
        Ok((steps.into_keys().collect(), bytes))
    }

    /// Takes an image in that only builds need, as long as they run a command: it is in no list
    /// and not in the index. Answers its id; [`Self::drop_intermediate`] is called once for it.
    ///
    /// # Errors
    /// 500 when it cannot be stored.
    pub(crate) fn intermediate(
        &self,
        document: &Document,
        layers: Vec<Descriptor>,
        lease: &Lease,
    ) -> Result<String> {
        let complete = self.assemble(document, layers, lease)?;
        let id = complete.manifest.config.digest.clone();
        let stored = self.stored(complete);
        let mut state = self.state();
        if let Some(count) = state.intermediates.get_mut(&id) {
            *count += 1;
        } else if !state.images.contains_key(&id) {
            state.images.insert(id.clone(), stored);
            state.intermediates.insert(id.clone(), 1);
        }
        Ok(id)
    }

    /// A build needs an image no more. It is forgotten with the last, unless it has become one
    /// of its own meanwhile.
    pub(crate) fn drop_intermediate(&self, id: &str) {
        let mut state = self.state();
        let Some(count) = state.intermediates.get_mut(id) else {
            return;
        };
        *count -= 1;
        if *count > 0 {
            return;
        }
        state.intermediates.remove(id);
        let Some(stored) = state.images.remove(id) else {
            return;
        };
        let (blobs, _) = state.contents();
        for digest in [&stored.manifest.config.digest, &stored.descriptor.digest] {
            if !blobs.contains(digest) {
                self.content.remove(digest);
            }
        }
    }
}

impl State {
    /// Adds the contents of the cached steps to those of images.
    pub(super) fn extend_with_steps(
        &self,
        blobs: &mut std::collections::BTreeSet<String>,
        layers: &mut std::collections::BTreeSet<String>,
    ) {
        for step in self.steps.values() {
            blobs.extend(step.layers.iter().map(|layer| layer.digest.clone()));
            layers.extend(step.document.rootfs.diff_ids.iter().cloned());
        }
    }
}
