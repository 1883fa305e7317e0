//! What the steps of builds have come to, so that none is done twice.
//!
//! A step's key is made of the image before it and of what it does. Its layers stay until the
//! cache is pruned, whether an image has them or not.

use std::collections::{BTreeMap, BTreeSet};

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
        self.steps.0.touch(key);
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
        let keys = state.steps.keys().cloned().collect();
        self.forget_steps(&mut state, keys)
    }

    /// Forgets the steps that were of no use for longest, until the layers that no image has are
    /// no more than `most` bytes. Blocks.
    ///
    /// # Errors
    /// 500 when a document cannot be removed.
    pub(crate) fn limit_steps(&self, most: u64) -> Result<()> {
        let mut state = self.state();
        let images = state.images.values();
        let kept: BTreeSet<&String> = images
            .flat_map(|stored| &stored.document.rootfs.diff_ids)
            .collect();
        // How many steps have a layer.
        let mut users: BTreeMap<&String, usize> = BTreeMap::new();
        let layers_of = |step: &'_ Step| step.document.rootfs.diff_ids.clone();
        for step in state.steps.values() {
            for layer in &step.document.rootfs.diff_ids {
                if !kept.contains(layer) {
                    *users.entry(layer).or_default() += 1;
                }
            }
        }
        let mut total: u64 = users.keys().map(|layer| self.layers.size(layer)).sum();
        if total <= most {
            return Ok(());
        }
        let mut oldest: Vec<&String> = state.steps.keys().collect();
        oldest.sort_by_cached_key(|key| self.steps.0.used(key));
        let mut keys = Vec::new();
        for key in oldest {
            if total <= most {
                break;
            }
            keys.push(key.clone());
            for layer in state.steps.get(key).map(layers_of).into_iter().flatten() {
                let Some(count) = users.get_mut(&layer) else {
                    continue;
                };
                *count = count.saturating_sub(1);
                if *count == 0 {
                    total = total.saturating_sub(self.layers.size(&layer));
                }
            }
        }
        self.forget_steps(&mut state, keys).map(drop)
    }

    fn forget_steps(&self, state: &mut State, keys: Vec<String>) -> Result<(Vec<String>, u64)> {
        let (_, before) = state.contents();
        let mut forgotten = Vec::new();
        for key in &keys {
            self.steps.0.remove(key)?;
            forgotten.extend(state.steps.remove(key));
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
        for layer in forgotten.iter().flat_map(|step| &step.layers) {
            if !blobs.contains(&layer.digest) && !self.content.is_leased(&layer.digest) {
                self.content.remove(&layer.digest);
            }
        }
        Ok((keys, bytes))
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

    /// Whether only builds need an image.
    pub(super) fn is_intermediate(&self, id: &str) -> bool {
        self.state().intermediates.contains_key(id)
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
        blobs: &mut BTreeSet<String>,
        layers: &mut BTreeSet<String>,
    ) {
        for step in self.steps.values() {
            blobs.extend(step.layers.iter().map(|layer| layer.digest.clone()));
            layers.extend(step.document.rootfs.diff_ids.iter().cloned());
        }
    }
}
