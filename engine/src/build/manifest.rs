//! What a client's context has, by paths and stamps: of what an earlier build has left the client sends only the rest.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::Path;

use serde::Deserialize;

use super::contexts::Context;
use crate::archive::{Root, Unpacked, remove_all};
use crate::{Error, Result};

/// More than this many paths are refused.
const MOST: usize = 1_000_000;

/// Bytes of a path.
const LONGEST_PATH: usize = 4096;

/// Bytes of a stamp.
const LONGEST_STAMP: usize = 128;

/// Paths of a context, and for each a stamp: any text that is another one when the file is another one. Folders come before
/// what is in them.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Manifest(Vec<(String, String)>);

/// What a context has of a path.
#[derive(Debug)]
pub(super) struct Held {
    stamp: String,
    /// Bytes of its content.
    size: u64,
}

/// What a context has, by path.
pub(super) type HeldPaths = HashMap<String, Held>;

impl Manifest {
    /// Reads the JSON of one.
    ///
    /// # Errors
    /// 400 for paths that are not relative, that have `..` or an empty part or come twice, and for more or longer ones than
    /// there can be.
    pub(crate) fn parse(json: &[u8]) -> Result<Self> {
        let wrong = |error| Error::bad_request(format!("the context's manifest: {error}"));
        let manifest: Self = serde_json::from_slice(json).map_err(wrong)?;
        let entries = &manifest.0;
        if entries.len() > MOST {
            return Err(Error::bad_request(format!(
                "the context's manifest has more than {MOST} paths"
            )));
        }
        let mut seen = HashSet::with_capacity(entries.len());
        for (path, stamp) in entries {
            if !is_inside(path) || stamp.len() > LONGEST_STAMP || !seen.insert(path.as_str()) {
                return Err(Error::bad_request(format!(
                    "the context's manifest has a path or a stamp that cannot be: {path:?}"
                )));
            }
        }
        Ok(manifest)
    }
}

/// Whether a path is relative and leads down at each step.
fn is_inside(path: &str) -> bool {
    path.len() <= LONGEST_PATH
        && !path.contains('\0')
        && path.split('/').all(|name| !matches!(name, "" | "." | ".."))
}

fn parent(path: &str) -> Option<&str> {
    path.rsplit_once('/').map(|(parent, _)| parent)
}

impl Context {
    /// A context of which everything is still to come.
    pub(crate) fn awaited(folder: std::path::PathBuf, place: String, manifest: Manifest) -> Self {
        let mut context = Self::new(folder, 0);
        context.place = place;
        context.held = manifest.0.into_iter().map(pending).collect();
        context
    }

    /// Takes away what the manifest does not have; answers the numbers of its paths that have to come, in order: what is other
    /// than it was, and the folders whose time that changes. None, with nothing done, when that is most of it. Blocks.
    ///
    /// # Errors
    /// When files cannot be removed; the context is good for nothing then.
    pub(crate) fn turn_into(&mut self, manifest: &mut Manifest) -> io::Result<Option<Vec<usize>>> {
        let paths = &manifest.0;
        let is_same = |(path, stamp): &(String, String)| {
            let held = self.held.get(path);
            held.is_some_and(|held| held.stamp == *stamp)
        };
        let numbers: HashMap<&str, usize> = paths
            .iter()
            .enumerate()
            .map(|(number, (path, _))| (path.as_str(), number))
            .collect();
        let mut gone: Vec<&str> = self
            .held
            .keys()
            .map(String::as_str)
            .filter(|path| !numbers.contains_key(path))
            .collect();
        gone.sort_unstable();
        let mut wanted: Vec<bool> = paths.iter().map(|entry| !is_same(entry)).collect();
        let coming = wanted.iter().filter(|wanted| **wanted).count();
        if coming * 2 > paths.len() {
            return Ok(None);
        }
        let changed = paths.iter().zip(wanted.clone());
        let changed = changed.filter_map(|((path, _), is_wanted)| is_wanted.then_some(&**path));
        for path in changed.chain(gone.iter().copied()) {
            if let Some(folder) = parent(path).and_then(|parent| numbers.get(parent)) {
                wanted[*folder] = true;
            }
        }
        remove(&self.folder, &gone)?;
        let wanted: Vec<usize> = (0..paths.len()).filter(|number| wanted[*number]).collect();
        if !wanted.is_empty() || !gone.is_empty() {
            self.digests.changing(paths.len());
        }
        self.replace_held(std::mem::take(&mut manifest.0), &wanted);
        Ok(Some(wanted))
    }

    fn replace_held(&mut self, entries: Vec<(String, String)>, wanted: &[usize]) {
        let mut before = std::mem::take(&mut self.held);
        let mut wanted = wanted.iter().copied().peekable();
        let entries = entries.into_iter().enumerate();
        self.held = entries
            .map(|(number, entry)| {
                if wanted.next_if_eq(&number).is_some() {
                    return pending(entry);
                }
                match before.remove(&entry.0) {
                    Some(held) => (entry.0, held),
                    None => pending(entry),
                }
            })
            .collect();
    }

    /// Takes in what has come: it has what was announced, or it is asked for again by the next build.
    pub(crate) fn receive(&mut self, mut unpacked: Unpacked, bytes: u64) {
        self.digests.note(&mut unpacked);
        for (path, size) in &unpacked.paths {
            if let Some(held) = path.to_str().and_then(|path| self.held.get_mut(path)) {
                held.size = *size;
            }
        }
        self.held.retain(|_, held| held.size != PENDING);
        self.size = if self.held.is_empty() {
            self.size.max(bytes)
        } else {
            let sizes = self.held.values();
            sizes.map(|held| held.size.saturating_add(ENTRY)).sum()
        };
    }
}

/// Bytes that a path is counted as beside its content.
const ENTRY: u64 = 512;

/// The size of what has not come yet.
const PENDING: u64 = u64::MAX;

fn pending((path, stamp): (String, String)) -> (String, Held) {
    let size = PENDING;
    (path, Held { stamp, size })
}

/// Removes paths, sorted, with everything in them. No link is followed.
fn remove(folder: &Path, gone: &[&str]) -> io::Result<()> {
    if gone.is_empty() {
        return Ok(());
    }
    let root = Root::open(folder)?;
    let mut last: Option<&str> = None;
    for path in gone {
        let is_inside_last = last.is_some_and(|last| {
            path.strip_prefix(last)
                .is_some_and(|rest| rest.starts_with('/'))
        });
        if is_inside_last {
            continue;
        }
        let path_in_root = Path::new(path);
        let above = path_in_root.parent().unwrap_or(Path::new(""));
        match root.folder_without_links(above) {
            Ok(above) => remove_all(&above, path_in_root.file_name().unwrap_or_default())?,
            // It went with a folder before it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        last = Some(path);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::{Unpack, unpack_noting};

    fn manifest(entries: &[(&str, &str)]) -> Manifest {
        Manifest::parse(&serde_json::to_vec(entries).unwrap()).unwrap()
    }

    /// Sends these paths: folders end in a slash, links have an arrow.
    fn send(context: &mut Context, paths: &[&str]) {
        std::fs::create_dir_all(&context.folder).unwrap();
        let mut builder = tar::Builder::new(Vec::new());
        for path in paths {
            let mut header = tar::Header::new_gnu();
            header.set_mode(0o755);
            if let Some((path, target)) = path.split_once("->") {
                header.set_entry_type(tar::EntryType::Symlink);
                header.set_size(0);
                builder.append_link(&mut header, path, target).unwrap();
                continue;
            }
            let is_folder = path.ends_with('/');
            let data = if is_folder { "" } else { path };
            let kind = if is_folder {
                tar::EntryType::Directory
            } else {
                tar::EntryType::Regular
            };
            header.set_entry_type(kind);
            header.set_size(data.len() as u64);
            builder
                .append_data(&mut header, path, data.as_bytes())
                .unwrap();
        }
        let archive = builder.into_inner().unwrap();
        let root = Root::open(&context.folder).unwrap();
        let unpacked = unpack_noting(&root, archive.as_slice(), Unpack::default()).unwrap();
        context.receive(unpacked, 0);
    }

    #[test]
    fn only_what_differs_is_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().join("context").join(path);
        let before = manifest(&[
            ("a", "1"),
            ("a-b", "1"),
            ("a/x", "1"),
            ("b", "1"),
            ("b/same", "1"),
            ("c", "1"),
            ("c/changed", "1"),
            ("d", "1"),
            ("d/new", "1"),
            ("e", "1"),
        ]);
        let mut context = Context::awaited(folder.path().join("context"), "p".to_owned(), before);
        let all = [
            "a/",
            "a-b",
            "a/x",
            "b/",
            "b/same",
            "c/",
            "c/changed",
            "d/",
            "d/new",
            "e->b",
        ];
        send(&mut context, &all);
        assert_eq!(context.size, 10 * ENTRY + 26);
        let after = || {
            manifest(&[
                ("b", "1"),
                ("b/same", "1"),
                ("c", "1"),
                ("c/changed", "2"),
                ("d", "1"),
                ("e", "1"),
            ])
        };
        let wanted = context.turn_into(&mut after()).unwrap();
        // Folders in which something is another, for their times.
        assert_eq!(wanted, Some(vec![2, 3, 4]));
        assert!(!at("a").exists() && !at("a-b").exists() && !at("d/new").exists());
        assert!(at("b/same").exists() && at("e").exists());
        // What was announced and did not come is asked for again.
        send(&mut context, &["c/", "d/"]);
        assert_eq!(context.turn_into(&mut after()).unwrap(), Some(vec![2, 3]));
        let mut others = manifest(&[("f", "1"), ("g", "1"), ("e", "1")]);
        assert_eq!(context.turn_into(&mut others).unwrap(), None);
        assert!(at("b/same").exists(), "nothing was done");
    }

    #[test]
    fn nothing_behind_a_link_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().join("context").join(path);
        let entries = [
            ("keep", "1"),
            ("real", "1"),
            ("real/x", "1"),
            ("link", "1"),
            ("link/x", "1"),
        ];
        let mut context = Context::awaited(
            folder.path().join("context"),
            "p".to_owned(),
            manifest(&entries),
        );
        send(
            &mut context,
            &["keep", "real/", "real/x", "link->real", "link/x"],
        );
        let mut after = manifest(&entries[..4]);
        context.turn_into(&mut after).unwrap_err();
        assert!(at("real/x").exists());
    }

    #[test]
    fn paths_that_lead_elsewhere_are_refused() {
        let long = "a".repeat(LONGEST_PATH + 1);
        for path in ["", "/a", "a/", "a//b", ".", "a/..", "../a", "a\0b", &long] {
            let json = serde_json::to_vec(&[(path, "1")]).unwrap();
            assert_eq!(Manifest::parse(&json).unwrap_err().status, 400, "{path:?}");
        }
        let stamp = "1".repeat(LONGEST_STAMP + 1);
        let refused = [
            serde_json::to_vec(&[("a", &stamp)]).unwrap(),
            serde_json::to_vec(&[("a", "1"), ("a", "2")]).unwrap(),
            b"{\"a\":1}".to_vec(),
            b"[".to_vec(),
        ];
        for json in refused {
            assert_eq!(Manifest::parse(&json).unwrap_err().status, 400);
        }
    }
}
