//! Taking names and images away.

use super::{Images, Reference, State, no_such_image};
use crate::filters::Filters;
use crate::{Error, Result};

/// What a removal took away, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Removed {
    /// A name, as people write it, of the image with this id.
    Untagged(String, String),
    /// An image or a layer.
    Deleted(String),
}

impl Images {
    /// Takes a name away, and the image with its last name; an id takes all.
    ///
    /// # Errors
    /// 404 when there is no such image, 409 when it is in use or has names in several
    /// repositories, unless `force`; a running container keeps its image always.
    pub(crate) fn remove(&self, reference: &str, force: bool) -> Result<Vec<Removed>> {
        let mut state = self.state();
        let id = state.find(reference)?;
        let name = Reference::parse(reference)
            .ok()
            .map(|name| name.tagged().to_string());
        let name = name.filter(|name| state.references.get(name) == Some(&id));
        let mut removed = Vec::new();
        if let Some(name) = name {
            if !state.is_last(&id, &name) {
                state.untag(&name, &mut removed);
                self.write_index(&state)?;
                return Ok(removed);
            }
            self.check_named(&id, reference, force)?;
        } else {
            self.check_id(&state, &id, force)?;
        }
        let names: Vec<String> = state.names(&id).map(str::to_owned).collect();
        for name in &names {
            state.untag(name, &mut removed);
        }
        self.delete(&mut state, &id, &mut removed)?;
        Ok(removed)
    }

    /// Removes the images that pass and that no container has: those without a name, or with
    /// `dangling=false` all. Answers what was removed and the bytes.
    pub(crate) fn prune(&self, filters: &Filters) -> Result<(Vec<Removed>, u64)> {
        let all = filters
            .values("dangling")
            .iter()
            .any(|value| matches!(value.as_str(), "false" | "0"));
        let until = filters
            .values("until")
            .first()
            .map(|text| super::list::time(text))
            .transpose()?;
        let mut removed = Vec::new();
        let mut bytes = 0;
        for image in self.all() {
            let passes = (all || image.tags.is_empty())
                && until.is_none_or(|until| super::list::created(&image) < until)
                && filters.labels(&super::list::labels(&image))
                && self.in_use(&image.id).is_empty();
            if passes && let Ok(more) = self.remove(&image.id, true) {
                removed.extend(more);
                bytes += image.size;
            }
        }
        Ok((removed, bytes))
    }

    /// The last name goes, and the image with it.
    fn check_named(&self, id: &str, reference: &str, force: bool) -> Result<()> {
        let containers = self.in_use(id);
        let Some(container) = containers.first().filter(|_| !force) else {
            return Ok(());
        };
        Err(Error::conflict(format!(
            "conflict: unable to remove repository reference \"{reference}\" (must force) - \
             container {} is using its referenced image {}",
            short(container),
            short(id)
        )))
    }

    fn check_id(&self, state: &State, id: &str, force: bool) -> Result<()> {
        let conflict = |how: &str, why: String| {
            let id = short(id);
            Err(Error::conflict(format!(
                "conflict: unable to delete {id} ({how}) - {why}"
            )))
        };
        let containers = self.in_use(id);
        if let Some(running) = containers
            .iter()
            .find(|container| self.is_mounted(container))
        {
            let why = format!(
                "image is being used by running container {}",
                short(running)
            );
            return conflict("cannot be forced", why);
        }
        if force {
            return Ok(());
        }
        if let Some(container) = containers.first() {
            let why = format!(
                "image is being used by stopped container {}",
                short(container)
            );
            return conflict("must be forced", why);
        }
        let names = state
            .names(id)
            .filter_map(|name| Reference::parse(name).ok());
        let mut repositories: Vec<_> = names.map(|name| (name.registry, name.repository)).collect();
        repositories.sort();
        repositories.dedup();
        if repositories.len() > 1 {
            let why = "image is referenced in multiple repositories".to_owned();
            return conflict("must be forced", why);
        }
        Ok(())
    }

    fn delete(&self, state: &mut State, id: &str, removed: &mut Vec<Removed>) -> Result<()> {
        let stored = state.images.remove(id).ok_or_else(|| no_such_image(id))?;
        removed.push(Removed::Deleted(id.to_owned()));
        // The index first: a daemon that ends here leaves nothing but what a sweep removes.
        self.write_index(state)?;
        let (blobs, mut layers) = state.contents();
        layers.extend(self.snapshot_layers());
        let own = stored.manifest.layers.iter().map(|layer| &layer.digest);
        for digest in own.chain([&stored.manifest.config.digest, &stored.descriptor.digest]) {
            if !blobs.contains(digest) && !self.content.is_leased(digest) {
                self.content.remove(digest);
            }
        }
        for layer in stored.document.rootfs.diff_ids.iter().rev() {
            if !layers.contains(layer) && !self.content.is_leased(layer) {
                self.layers.remove(layer);
                removed.push(Removed::Deleted(layer.clone()));
            }
        }
        Ok(())
    }
}

impl State {
    /// Whether an image has no name by tag but this one.
    fn is_last(&self, id: &str, name: &str) -> bool {
        let mut others = self
            .names(id)
            .filter(|other| *other != name && !other.contains('@'));
        others.next().is_none()
    }

    fn untag(&mut self, name: &str, removed: &mut Vec<Removed>) {
        if let Some(id) = self.references.remove(name) {
            let familiar =
                Reference::parse(name).map_or_else(|_| name.to_owned(), |name| name.familiar());
            removed.push(Removed::Untagged(familiar, id));
        }
    }
}

/// The first twelve digits.
fn short(id: &str) -> &str {
    let hex = id.strip_prefix("sha256:").unwrap_or(id);
    hex.get(..12).unwrap_or(hex)
}
