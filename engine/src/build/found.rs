//! What the paths and patterns of `COPY` and `ADD` mean, and a digest of it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{AtFlags, FileType, OFlags, statat};

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
    /// How many names of it are before `/./`: parents above are not kept. Where it has no more names it is the folder that
    /// others are below of, and only its time counts.
    pub(super) pivot: usize,
}

/// What a pattern means, in order. It may mean nothing, a path may not. With `keeps_parents` it may have a `/./`, `**` stands for
/// any number of folders, and links are not followed below the `/./`.
///
/// # Errors
/// For paths that are not there and those that lead out, in words.
pub(super) fn found(
    from: &Root,
    pattern: &str,
    keeps_parents: bool,
) -> std::result::Result<Vec<Found>, String> {
    let failed = |error: io::Error| format!("{pattern}: {error}");
    let (tops, below) = match pattern.split_once("/./").filter(|_| keeps_parents) {
        Some((top, below)) => {
            let tops = matching(from, PathBuf::new(), top, false).map_err(failed)?;
            (Some(tops), below)
        }
        None => (None, pattern),
    };
    let mut all = Vec::new();
    for top in tops.clone().unwrap_or_else(|| vec![PathBuf::new()]) {
        let pivot = top.components().count();
        let paths = matching(from, top.clone(), below, keeps_parents).map_err(failed)?;
        let paths = paths
            .into_iter()
            .filter(|path| !keeps_parents || *path != top);
        all.extend(paths.map(|path| Found { path, pivot }));
        if tops.is_some() {
            all.push(Found { path: top, pivot });
        }
    }
    // What is only behind a link is there, but not copied with its parents.
    let is_there = || keeps_parents && from.open_at(Path::new(pattern), OFlags::PATH).is_ok();
    if !all.iter().any(|found| !keeps_parents || !found.is_top())
        && !is_pattern(pattern)
        && !is_there()
    {
        return Err(format!(
            "file not found in build context or excluded by .dockerignore: stat {pattern}: file does not exist"
        ));
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
    keeps_parents: bool,
    known: Option<&Digests>,
) -> std::result::Result<String, String> {
    let mut summary = Summary::new(known);
    for pattern in patterns {
        for found in found(from, pattern, keeps_parents)? {
            let failed = |error: io::Error| format!("{}: {error}", found.path.display());
            if keeps_parents {
                add_parents(from, &found, &mut summary).map_err(failed)?;
            }
            if !keeps_parents || !found.is_top() {
                add(from, &found.path, &mut summary).map_err(failed)?;
            }
        }
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

/// Adds names and modes of the folders that are made above what is copied.
fn add_parents(from: &Root, found: &Found, summary: &mut Summary<'_>) -> io::Result<()> {
    let above = found.path.ancestors().skip(1);
    for folder in above.take_while(|folder| folder.components().count() > found.pivot) {
        let mode = rustix::fs::fstat(from.folder(folder)?)?.st_mode;
        summary.name(folder, mode);
    }
    Ok(())
}

impl Found {
    /// Whether it is the folder that others are below of.
    fn is_top(&self) -> bool {
        self.path.components().count() == self.pivot
    }
}

impl Builder<'_> {
    /// The digest of what patterns mean in a folder; known already where it is the context and was asked for before.
    ///
    /// # Errors
    /// 400 as of [`digest`].
    pub(super) async fn digest(
        &self,
        folder: &Path,
        patterns: &[String],
        keeps_parents: bool,
    ) -> Result<String> {
        let is_context = folder == self.build.context;
        let mut asked = patterns.to_vec();
        if keeps_parents {
            // No path has such a byte.
            asked.push("\0parents".to_owned());
        }
        if is_context && let Some(known) = self.build.digests.get(&asked) {
            return Ok(known);
        }
        let (folder, sources) = (folder.to_owned(), patterns.to_vec());
        let known = is_context.then(|| Arc::clone(&self.build.digests));
        let found = blocking(move || {
            let root = Root::open(&folder).map_err(|error| Error::io("open", &folder, error))?;
            digest(&root, &sources, keeps_parents, known.as_deref()).map_err(Error::bad_request)
        });
        let found = found.await?;
        if is_context {
            self.build.digests.keep(asked, found.clone());
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

/// The folders that are in a folder of the root, at any depth, and itself; links are not followed.
fn folders(from: &Root, top: PathBuf) -> io::Result<Vec<PathBuf>> {
    let mut found = vec![top];
    let mut at = 0;
    while let Some(path) = found.get(at).cloned() {
        at += 1;
        let Ok(opened) = from.folder(&path) else {
            continue;
        };
        for name in names(&opened)? {
            let stat = statat(&opened, &name, AtFlags::SYMLINK_NOFOLLOW)?;
            if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
                found.push(path.join(name));
            }
        }
    }
    Ok(found)
}

/// The paths that a pattern means from a folder on, in order. A path without pattern that is not there is none. With
/// `keeps_parents`, `**` stands for any number of folders, and links are not followed.
fn matching(
    from: &Root,
    start: PathBuf,
    pattern: &str,
    keeps_parents: bool,
) -> io::Result<Vec<PathBuf>> {
    let mut found = vec![start];
    for part in pattern.split('/').filter(is_name) {
        if part == ".." {
            let message = "forbidden path outside the build context";
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, message));
        }
        let mut next = Vec::new();
        for folder in found {
            if keeps_parents && is_link(from, &folder)? {
                continue;
            }
            if keeps_parents && part == "**" {
                next.extend(folders(from, folder)?);
                continue;
            }
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

fn is_link(from: &Root, path: &Path) -> io::Result<bool> {
    let Some((folder, name)) = from.entry(path)? else {
        return Ok(false);
    };
    let stat = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)?;
    Ok(FileType::from_raw_mode(stat.st_mode) == FileType::Symlink)
}
