//! Changed files as a layer.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::builder::Builder;
use super::stage::Stage;
use crate::archive::{Pack, Root, is_untouched, names, packed};
use crate::container::blocking;
use crate::engine::Engine;
use crate::image::{Descriptor, Images, Lease};
use crate::{Error, Result};

/// An archive without anything in it.
const EMPTY: &[u8] = &[0; 1024];

/// A layer as a manifest names it, and the digest of its tar stream.
pub(super) type Layer = (Descriptor, String);

impl Builder<'_> {
    /// Mounts layers with a writable one on top; under what name, and where.
    pub(super) async fn mounted(&self, layers: &[String]) -> Result<(String, PathBuf)> {
        let name = Images::passing_name();
        self.engine.images.prepare_layers(&name, "", layers)?;
        match self.engine.images.mount(&name).await {
            Ok(path) => Ok((name, path)),
            Err(error) => {
                let _ = self.engine.images.discard(&name).await;
                Err(error)
            }
        }
    }

    /// What `change` does to the stage's files, as a layer.
    pub(super) async fn layer(
        &self,
        stage: &Stage,
        change: impl FnOnce(&Root) -> Result<(), String> + Send + 'static,
    ) -> Result<Layer> {
        let (name, path) = self.mounted(&stage.document.rootfs.diff_ids).await?;
        let changed = blocking(move || {
            let root = Root::open(&path).map_err(|error| Error::io("open", &path, error))?;
            change(&root).map_err(Error::bad_request)
        })
        .await;
        let layer = match changed {
            Ok(()) => {
                self.engine.images.unmount(&name).await?;
                self.committed(&name, false).await
            }
            Err(error) => Err(error),
        };
        self.engine.images.discard(&name).await?;
        layer
    }

    /// What a snapshot has written, as a layer; `by_container`: what the runtime puts into every
    /// container is left out.
    pub(super) async fn committed(&self, name: &str, by_container: bool) -> Result<Layer> {
        let upper = self.engine.images.upper(name);
        let (engine, lease) = (Arc::clone(self.engine), Arc::clone(&self.lease));
        let epoch = self.epoch;
        blocking(move || {
            let layer = commit_upper(&engine, &upper, (by_container, epoch), &lease)?;
            // What changes nothing has a layer too, of an archive without anything in it.
            layer.map_or_else(|| engine.images.new_layer(EMPTY, &lease), Ok)
        })
        .await
    }
}

/// The upper folder of an overlay as a layer, without what a runtime puts into every container
/// and with no time later than `latest`; none when it is empty. The folder may be the layer's
/// afterwards: nothing is mounted on it any more, and nothing will be. Blocks.
///
/// # Errors
/// 500 when it cannot be read or stored.
pub(super) fn commit_upper(
    engine: &Engine,
    upper: &Path,
    (by_container, latest): (bool, Option<i64>),
    lease: &Lease,
) -> Result<Option<Layer>> {
    let options = Pack {
        overlay: true,
        by_container,
        latest,
        ..Pack::default()
    };
    let root = Root::open(upper).map_err(|error| Error::io("open", upper, error))?;
    let is_empty = if by_container {
        is_untouched(&root)
    } else {
        names(root.fd()).map(|names| names.is_empty())
    };
    if is_empty.map_err(|error| Error::io("read", upper, error))? {
        return Ok(None);
    }
    let content = (OsStr::new("."), Path::new(""));
    let blob = packed(root.fd(), content, options, |reader| {
        Ok(engine.images.store_layer(reader, lease))
    });
    let (blob, size) = blob.map_err(|error| Error::io("pack", upper, error))?;
    let blob = blob?;
    // What has other times on disk than in the archive, or more than it, is unpacked of it.
    let layer = if by_container || latest.is_some() {
        engine.images.unpack_layer_of(blob)
    } else {
        engine.images.adopt_layer(blob, upper, size)
    };
    layer.map(Some)
}
