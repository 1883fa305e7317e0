//! What the paths and patterns of `COPY` and `ADD` mean, and a digest of it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::OFlags;

use super::builder::Builder;
use super::copy::{is_folder, real_path};
use super::digests::Digests;
use super::summary::Summary;
use crate::archive::{Root, names};
use crate::container::blocking;
use crate::image::glob;
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
/// not count. `known` has digests of files in that root.
///
/// # Errors
/// As of [`found`], and those of reading.
pub(super) fn digest(
    from: &Root,
    patterns: &[String],
    known: Option<&Digests>,
) -> std::result::Result<String, String> {
    let mut summary = Summary::new(known);
    for Found { path, .. } in found(from, patterns, false)? {
        let added = add(from, &path, &mut summary);
        added.map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(summary.digest())
}

fn add(from: &Root, path: &Path, summary: &mut Summary<'_>) -> io::Result<()> {
    summary.source();
    let opened = from.open_at(path, OFlags::RDONLY | OFlags::NONBLOCK)?;
    if is_folder(&opened)? {
        return summary.contents(&opened, Path::new(""));
    }
    let name = path.file_name().unwrap_or_default();
    let Some((folder, real)) = from.entry(&real_path(from, path)?)? else {
        return Err(io::Error::other("no file"));
    };
    summary.entry(&folder, &real, Path::new(name))
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
        let known = is_context.then(|| Arc::clone(&self.build.digests));
        let found = blocking(move || {
            let root = Root::open(&folder).map_err(|error| Error::io("open", &folder, error))?;
            digest(&root, &sources, known.as_deref()).map_err(Error::bad_request)
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
