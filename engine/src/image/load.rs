//! Archives of images: as `docker save` writes them, and OCI layouts.

use std::collections::HashMap;
use std::ffi::OsString;
use std::io::{self, Read};
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Component, Path, PathBuf};

use serde::Deserialize;
use tar::{Archive, EntryType};

use super::content::{Blob, Lease};
use super::index::{Complete, Descriptor, Index, LAYER};
use super::reference::is_digest;
use super::{Document, Images, Reference};
use crate::archive::decompress;
use crate::{Error, Result};

/// An image that an archive had.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// Its id.
    pub(crate) id: String,
    /// The names it has by the archive, as people write them.
    pub(crate) names: Vec<String>,
}

/// One image of `manifest.json`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Saved {
    config: PathBuf,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    #[serde(default)]
    layers: Option<Vec<PathBuf>>,
}

/// The files of an archive, stored as blobs, and its links, by path.
#[derive(Debug, Default)]
struct Files {
    blobs: HashMap<PathBuf, Blob>,
    links: HashMap<PathBuf, PathBuf>,
}

impl Images {
    /// Loads an archive that may be compressed; answers its images. Blocks.
    ///
    /// # Errors
    /// 400 when it is no archive of images, 500 when it cannot be stored.
    pub(crate) fn load(&self, reader: impl Read + Send) -> Result<Vec<Loaded>> {
        let lease = self.content.lease();
        let files = self.files(reader, &lease)?;
        let loaded = if files.get(Path::new("manifest.json")).is_some() {
            self.load_saved(&files, &lease)
        } else if files.get(Path::new("index.json")).is_some() {
            self.load_layout(&files, &lease)
        } else {
            Err(Error::bad_request(
                "the archive has neither manifest.json nor index.json",
            ))
        };
        drop(lease);
        self.forget(files.blobs.values().map(|blob| blob.digest.as_str()));
        loaded
    }

    fn files(&self, reader: impl Read + Send, lease: &Lease) -> Result<Files> {
        let broken = |error: io::Error| Error::bad_request(format!("archive: {error}"));
        let mut archive = Archive::new(decompress(reader).map_err(broken)?);
        let mut files = Files::default();
        for entry in archive.entries().map_err(broken)? {
            let mut entry = entry.map_err(broken)?;
            let path = PathBuf::from(OsString::from_vec(entry.path_bytes().into_owned()));
            let path = joined(Path::new(""), &path);
            match entry.header().entry_type() {
                EntryType::Regular | EntryType::Continuous => {
                    let blob = self.content.store(&mut entry, None, lease)?;
                    files.blobs.insert(path, blob);
                }
                kind @ (EntryType::Symlink | EntryType::Link) => {
                    let target = entry.link_name_bytes().unwrap_or_default().into_owned();
                    let target = PathBuf::from(OsString::from_vec(target));
                    let above = if kind == EntryType::Link {
                        None
                    } else {
                        path.parent()
                    };
                    let target = joined(above.unwrap_or(Path::new("")), &target);
                    files.links.insert(path, target);
                }
                _ => {}
            }
        }
        Ok(files)
    }

    fn load_saved(&self, files: &Files, lease: &Lease) -> Result<Vec<Loaded>> {
        let saved: Vec<Saved> = self.json(files, Path::new("manifest.json"))?;
        let mut loaded = Vec::new();
        for image in saved {
            let config = self.content.read(&files.need(&image.config)?.digest)?;
            let document: Document = serde_json::from_slice(&config).map_err(|error| {
                Error::bad_request(format!("{}: {error}", image.config.display()))
            })?;
            let paths = image.layers.unwrap_or_default();
            let diff_ids = &document.rootfs.diff_ids;
            if diff_ids.len() != paths.len() || !diff_ids.iter().all(|id| is_digest(id)) {
                return Err(Error::bad_request(
                    "manifest and configuration have different layers",
                ));
            }
            let mut layers = Vec::new();
            for (path, diff_id) in paths.iter().zip(diff_ids) {
                let blob = files.need(path)?;
                self.unpack_layer(&blob.digest, diff_id, lease)?;
                let media_type = self.layer_type(&blob.digest)?;
                layers.push(Descriptor::new(&media_type, &blob.digest, blob.size));
            }
            let complete = self.assemble_with(&config, layers, lease)?;
            loaded.push(self.add_loaded(complete, &image.repo_tags.unwrap_or_default())?);
        }
        Ok(loaded)
    }

    fn load_layout(&self, files: &Files, lease: &Lease) -> Result<Vec<Loaded>> {
        let index: Index = self.json(files, Path::new("index.json"))?;
        let mut loaded = Vec::new();
        for descriptor in index.manifests {
            let names: Vec<String> = descriptor
                .name()
                // A bare tag says nothing of the repository.
                .filter(|name| name.contains(['/', ':']))
                .map(str::to_owned)
                .into_iter()
                .collect();
            let Some(descriptor) = self.choose(descriptor)? else {
                continue;
            };
            let complete = self.complete(descriptor)?;
            for (layer, diff_id) in complete
                .manifest
                .layers
                .iter()
                .zip(&complete.document.rootfs.diff_ids)
            {
                self.unpack_layer(&layer.digest, diff_id, lease)?;
            }
            loaded.push(self.add_loaded(complete, &names)?);
        }
        Ok(loaded)
    }

    /// The manifest of this machine, where a descriptor is of a list of them; `None` where it is
    /// for other machines or of no image.
    fn choose(&self, descriptor: Descriptor) -> Result<Option<Descriptor>> {
        let own = crate::api::architecture();
        if !is_digest(&descriptor.digest) {
            return Err(Error::bad_request("a digest is not one of SHA-256"));
        }
        if !descriptor.media_type.contains("index")
            && !descriptor.media_type.contains("manifest.list")
        {
            return Ok(Some(descriptor).filter(|descriptor| descriptor.fits(own)));
        }
        let list: Index = serde_json::from_slice(&self.content.read(&descriptor.digest)?)
            .map_err(|error| Error::bad_request(format!("{}: {error}", descriptor.digest)))?;
        let fitting = list.manifests.into_iter().find(|manifest| {
            manifest.fits(own) && is_digest(&manifest.digest) && self.content.has(&manifest.digest)
        });
        Ok(fitting)
    }

    /// Unpacks a layer whose blob is in the store, unless it is.
    pub(super) fn unpack_layer(&self, blob: &str, diff_id: &str, lease: &Lease) -> Result<()> {
        lease.take(diff_id);
        if !self.layers.has(diff_id) {
            self.layers
                .unpack(self.content.open_blob(blob)?, Some(diff_id))?;
        }
        Ok(())
    }

    fn layer_type(&self, blob: &str) -> Result<String> {
        let mut magic = Vec::new();
        let read = self
            .content
            .open_blob(blob)?
            .take(4)
            .read_to_end(&mut magic);
        read.map_err(Error::internal)?;
        Ok(match magic.as_slice() {
            [0x1f, 0x8b, ..] => format!("{LAYER}+gzip"),
            [0x28, 0xb5, 0x2f, 0xfd] => format!("{LAYER}+zstd"),
            _ => LAYER.to_owned(),
        })
    }

    fn add_loaded(&self, complete: Complete, names: &[String]) -> Result<Loaded> {
        let parsed = names
            .iter()
            .map(|name| Ok(Reference::parse(name)?.tagged()));
        let parsed: Vec<Reference> = parsed.collect::<Result<_>>()?;
        let full: Vec<String> = parsed.iter().map(Reference::to_string).collect();
        let id = self.add(complete, &full)?;
        Ok(Loaded {
            id,
            names: parsed.iter().map(Reference::familiar).collect(),
        })
    }

    fn json<T: serde::de::DeserializeOwned>(&self, files: &Files, path: &Path) -> Result<T> {
        let text = self.content.read(&files.need(path)?.digest)?;
        let broken = |error| Error::bad_request(format!("{}: {error}", path.display()));
        serde_json::from_slice(&text).map_err(broken)
    }

    /// Removes blobs that no image has.
    pub(super) fn forget<'a>(&self, digests: impl Iterator<Item = &'a str>) {
        let state = self.state();
        let (blobs, _) = state.contents();
        for digest in digests.filter(|digest| !blobs.contains(*digest)) {
            if !self.content.is_leased(digest) {
                self.content.remove(digest);
            }
        }
    }
}

impl Files {
    fn get(&self, path: &Path) -> Option<&Blob> {
        let mut path = joined(Path::new(""), path);
        for _ in 0..8 {
            if let Some(blob) = self.blobs.get(&path) {
                return Some(blob);
            }
            path = self.links.get(&path)?.clone();
        }
        None
    }

    fn need(&self, path: &Path) -> Result<&Blob> {
        let missing = || Error::bad_request(format!("the archive has no {}", path.display()));
        self.get(path).ok_or_else(missing)
    }
}

/// `path` from `folder` on, without `.` and `..`.
fn joined(folder: &Path, path: &Path) -> PathBuf {
    let mut joined = PathBuf::new();
    for component in folder.join(path).components() {
        match component {
            Component::Normal(name) => joined.push(name),
            Component::ParentDir => {
                joined.pop();
            }
            _ => {}
        }
    }
    joined
}
