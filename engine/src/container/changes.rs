//! `GET /containers/{id}/changes`: what a container has done to the files of its image.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::handle::{Handle, blocking};
use crate::archive::is_of_runtime;
use crate::engine::Engine;
use crate::image::Images;
use crate::{Error, Result};

const MODIFIED: u8 = 0;
const ADDED: u8 = 1;
const DELETED: u8 = 2;

/// The paths with the kind of each change (API: `ContainerChangeResponseItem`), in order.
///
/// # Errors
/// 500 when its layers cannot be read.
pub(crate) async fn changes(engine: &Engine, handle: &Handle) -> Result<Vec<Value>> {
    let layers = engine.images.layers_of_snapshot(&handle.id)?;
    let upper = engine.images.upper(&handle.id);
    // The image's files as the container saw them at first.
    let name = Images::passing_name();
    engine.images.prepare_layers(&name, "", &layers)?;
    let found = match engine.images.mount(&name).await {
        Ok(below) => blocking(move || compared(&upper, &below)).await,
        Err(error) => Err(error),
    };
    engine.images.discard(&name).await?;
    let found = found?.into_iter();
    Ok(found
        .map(|(path, kind)| json!({ "Path": path, "Kind": kind }))
        .collect())
}

fn compared(upper: &Path, below: &Path) -> Result<Vec<(PathBuf, u8)>> {
    let mut found = Vec::new();
    walk(upper, below, Path::new(""), &mut found)
        .map_err(|error| Error::io("read", upper, error))?;
    Ok(found)
}

fn walk(
    upper: &Path,
    below: &Path,
    folder: &Path,
    found: &mut Vec<(PathBuf, u8)>,
) -> io::Result<()> {
    let mut entries: Vec<_> = fs::read_dir(upper.join(folder))?.collect::<io::Result<_>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = folder.join(entry.file_name());
        let metadata = entry.metadata()?;
        if is_of_runtime(&path, metadata.mode(), metadata.len()) {
            continue;
        }
        let was_there = fs::symlink_metadata(below.join(&path)).is_ok();
        let is_whiteout = metadata.file_type().is_char_device() && metadata.rdev() == 0;
        let kind = match (is_whiteout, was_there) {
            (true, true) => DELETED,
            (true, false) => continue,
            (false, true) => MODIFIED,
            (false, false) => ADDED,
        };
        let at = found.len();
        found.push((Path::new("/").join(&path), kind));
        if metadata.is_dir() {
            walk(upper, below, &path, found)?;
            // Only the runtime's mount points are in it.
            if kind == MODIFIED && found.len() == at + 1 && is_same(below, &path, &metadata) {
                found.truncate(at);
            }
        }
    }
    Ok(())
}

fn is_same(below: &Path, path: &Path, metadata: &fs::Metadata) -> bool {
    let facts = |data: &fs::Metadata| (data.mode(), data.uid(), data.gid());
    fs::symlink_metadata(below.join(path)).is_ok_and(|before| facts(&before) == facts(metadata))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_changes() {
        let folder = tempfile::tempdir().unwrap();
        let (upper, below) = (folder.path().join("upper"), folder.path().join("below"));
        for path in ["etc", "same/in"] {
            fs::create_dir_all(upper.join(path)).unwrap();
            fs::create_dir_all(below.join(path)).unwrap();
        }
        for path in ["etc/passwd", "etc/hosts", "new"] {
            fs::write(upper.join(path), if path == "etc/hosts" { "" } else { "x" }).unwrap();
        }
        fs::write(below.join("etc/passwd"), "y").unwrap();
        let found = compared(&upper, &below).unwrap();
        let found: Vec<_> = found
            .iter()
            .map(|(path, kind)| (path.to_str().unwrap(), *kind))
            .collect();
        assert_eq!(
            found,
            [
                ("/etc", MODIFIED),
                ("/etc/passwd", MODIFIED),
                ("/new", ADDED)
            ]
        );
    }
}
