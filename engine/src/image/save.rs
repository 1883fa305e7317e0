//! Images as an archive that every engine loads: an OCI layout with `manifest.json` beside.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::sync::Arc;

use serde_json::json;
use tar::{Builder, EntryType, Header};

use super::index::{Descriptor, Manifest};
use super::{Images, Reference};
use crate::{Error, Result};

/// What to save: found out before the answer begins, so that what is missing is a 404.
#[derive(Debug)]
pub(crate) struct Save {
    images: Vec<(Descriptor, Arc<Manifest>, Vec<String>)>,
}

impl Images {
    /// Looks up what to save. An id saves the image without names, a name with that name, and
    /// a repository without tag with all its names.
    ///
    /// # Errors
    /// 404 when there is no such image.
    pub(crate) fn to_save(&self, names: &[String]) -> Result<Save> {
        let state = self.state();
        let mut by_id: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for name in names {
            let id = state.find(name)?;
            let reference = Reference::parse(name).ok().map(Reference::tagged);
            let full = reference.map(|reference| reference.to_string());
            let full = full.filter(|full| state.references.get(full) == Some(&id));
            by_id
                .entry(id)
                .or_default()
                .extend(full.filter(|full| !full.contains('@')));
        }
        let image = |(id, names): (String, Vec<String>)| {
            let stored = state.images.get(&id)?;
            Some((
                stored.descriptor.clone(),
                Arc::clone(&stored.manifest),
                names,
            ))
        };
        Ok(Save {
            images: by_id.into_iter().filter_map(image).collect(),
        })
    }

    /// The manifest of an image and where it is stored.
    ///
    /// # Errors
    /// 404 when there is no such image.
    pub(crate) fn manifest(&self, name: &str) -> Result<(Descriptor, Arc<Manifest>)> {
        let state = self.state();
        let id = state.find(name)?;
        let stored = state.images.get(&id);
        let stored = stored.ok_or_else(|| Error::not_found(format!("No such image: {name}")))?;
        Ok((stored.descriptor.clone(), Arc::clone(&stored.manifest)))
    }

    /// Writes the archive. Blocks.
    ///
    /// # Errors
    /// When it cannot be written or a blob cannot be read.
    pub(crate) fn save(&self, save: &Save, writer: &mut dyn Write) -> io::Result<()> {
        let mut builder = Builder::new(writer);
        let mut written = BTreeSet::new();
        for (descriptor, manifest, _) in &save.images {
            let blobs = manifest.layers.iter().chain([&manifest.config, descriptor]);
            for blob in blobs.filter(|blob| written.insert(blob.digest.clone())) {
                self.save_blob(&mut builder, &blob.digest)?;
            }
        }
        let mut index = Vec::new();
        let mut manifests = Vec::new();
        for (descriptor, manifest, names) in &save.images {
            let familiar = |name: &String| Reference::parse(name).map(|name| name.familiar()).ok();
            manifests.push(json!({
                "Config": path(&manifest.config.digest),
                "RepoTags": names.iter().filter_map(familiar).collect::<Vec<_>>(),
                "Layers": manifest.layers.iter().map(|layer| path(&layer.digest)).collect::<Vec<_>>(),
            }));
            if names.is_empty() {
                index.push(json!(descriptor));
            }
            for name in names {
                let tag = name.rsplit(':').next().unwrap_or_default();
                let annotations = BTreeMap::from([
                    ("io.containerd.image.name".to_owned(), name.clone()),
                    (
                        "org.opencontainers.image.ref.name".to_owned(),
                        tag.to_owned(),
                    ),
                ]);
                index.push(json!(Descriptor {
                    annotations: Some(annotations),
                    ..descriptor.clone()
                }));
            }
        }
        let index = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": index,
        });
        file(&mut builder, "index.json", &index)?;
        file(&mut builder, "manifest.json", &json!(manifests))?;
        file(
            &mut builder,
            "oci-layout",
            &json!({ "imageLayoutVersion": "1.0.0" }),
        )?;
        builder.finish()
    }

    fn save_blob(&self, builder: &mut Builder<&mut dyn Write>, digest: &str) -> io::Result<()> {
        let blob = self
            .content
            .open_blob(digest)
            .map_err(|error: Error| io::Error::other(error.message))?;
        let mut header = header(blob.metadata()?.len());
        builder.append_data(&mut header, path(digest), blob)
    }
}

fn path(digest: &str) -> String {
    format!("blobs/{}", digest.replacen(':', "/", 1))
}

fn header(size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::Regular);
    header.set_size(size);
    header.set_mode(0o644);
    header
}

fn file(
    builder: &mut Builder<&mut dyn Write>,
    name: &str,
    value: &serde_json::Value,
) -> io::Result<()> {
    let text = serde_json::to_vec(value)?;
    builder.append_data(&mut header(text.len() as u64), name, text.as_slice())
}
