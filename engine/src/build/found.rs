//! What the paths and patterns of `COPY` and `ADD` mean, and a digest of it.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use super::builder::Builder;
use super::copy::{is_folder, real_path};
use crate::archive::{Pack, Root, names, pack};
use crate::container::blocking;
use crate::image::{Hashed, glob};
use crate::{Error, Result};

/// One thing that a pattern means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// Relative to the root.
    pub(super) path: PathBuf,
    /// How many names of it are before `/./`: parents above are not kept.
    pub(super) pivot: usize,
}

/// What patterns mean, in order. A pattern may mean nothing, a path may not.
///
/// # Errors
/// For paths that are not there and those that lead out, in words.
pub(super) fn found(
    from: &Root,
    patterns: &[String],
    has_pivots: bool,
) -> std::result::Result<Vec<Found>, String> {
    let mut all = Vec::new();
    for pattern in patterns {
        let pivot = match pattern.split_once("/./").filter(|_| has_pivots) {
            Some((before, _)) => before.split('/').filter(is_name).count(),
            None => 0,
        };
        let found = matching(from, pattern).map_err(|error| format!("{pattern}: {error}"))?;
        if found.is_empty() && !is_pattern(pattern) {
            return Err(format!(
                "file not found in build context or excluded by .dockerignore: stat {pattern}: file does not exist"
            ));
        }
        all.extend(found.into_iter().map(|path| Found { path, pivot }));
    }
    Ok(all)
}

/// A digest of names, modes and contents of everything that patterns mean; owners and times do
/// not count.
///
/// # Errors
/// As of [`found`], and those of reading.
pub(super) fn digest(from: &Root, patterns: &[String]) -> std::result::Result<String, String> {
    let mut hashed = Hashed::new(io::sink());
    for Found { path, .. } in found(from, patterns, false)? {
        let failed = |error: io::Error| format!("{}: {error}", path.display());
        let mut builder = tar::Builder::new(&mut hashed);
        let options = Pack {
            owner: Some((0, 0)),
            timeless: true,
            ..Pack::default()
        };
        let opened = from
            .open_at(&path, OFlags::RDONLY | OFlags::NONBLOCK)
            .map_err(failed)?;
        let packed = if is_folder(&opened).map_err(failed)? {
            let content = OsStr::new(".");
            pack(&mut builder, &opened, content, Path::new(""), options)
        } else {
            let name = path.file_name().unwrap_or_default();
            real_path(from, &path).and_then(|real| match from.entry(&real)? {
                Some((folder, real)) => {
                    pack(&mut builder, &folder, &real, Path::new(name), options)
                }
                None => Err(io::Error::other("no file")),
            })
        };
        packed.and_then(|()| builder.finish()).map_err(failed)?;
    }
    Ok(hashed.digest())
}

impl Builder<'_> {
    /// The digest of what patterns mean in a folder; known already where it is the context and was asked for before.
    ///
    /// # Errors
    /// 400 as of [`digest`].
    pub(super) async fn digest(&self, folder: &Path, patterns: &[String]) -> Result<String> {
        let is_context = folder == self.build.context;
        if is_context && let Some(known) = self.build.digests.get(patterns) {
            return Ok(known);
        }
        let (folder, sources) = (folder.to_owned(), patterns.to_vec());
        let found = blocking(move || {
            let root = Root::open(&folder).map_err(|error| Error::io("open", &folder, error))?;
            digest(&root, &sources).map_err(Error::bad_request)
        });
        let found = found.await?;
        if is_context {
            self.build.digests.keep(patterns.to_vec(), found.clone());
        }
        Ok(found)
    }
}

fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

fn is_name(part: &&str) -> bool {
    !matches!(*part, "" | ".")
}

/// The paths that a pattern means, in order. A path without pattern that is not there is none.
fn matching(from: &Root, pattern: &str) -> io::Result<Vec<PathBuf>> {
    let mut found = vec![PathBuf::new()];
    for part in pattern.split('/').filter(is_name) {
        if part == ".." {
            let message = "forbidden path outside the build context";
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, message));
        }
        let mut next = Vec::new();
        for folder in found {
            if !part.contains(['*', '?', '[', '\\']) {
                let path = folder.join(part);
                if from.open_at(&path, OFlags::PATH | OFlags::NOFOLLOW).is_ok() {
                    next.push(path);
                }
                continue;
            }
            let Ok(opened) = from.folder(&folder) else {
                continue;
            };
            let names = names(&opened)?.into_iter();
            let names = names.filter(|name| glob(part.as_bytes(), name.as_encoded_bytes()));
            next.extend(names.map(|name| folder.join(name)));
        }
        found = next;
    }
    Ok(found)
}
