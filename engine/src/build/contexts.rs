//! Contexts of builds that are over, for the next build of the same one: a client names what it would send by a fingerprint,
//! and need not send it again.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::digests::Digests;
use super::manifest::HeldPaths;

/// How many are kept.
const MOST: usize = 16;

/// How many bytes they may have together.
const LARGEST: u64 = 1 << 30;

/// A context in a folder of its own, which goes with this.
#[derive(Debug)]
pub(crate) struct Context {
    pub(super) folder: PathBuf,
    /// Bytes that it is counted as.
    pub(super) size: u64,
    /// What its client calls its place, whatever it holds there.
    pub(super) place: String,
    /// What it has by its client's manifest; nothing without one.
    pub(super) held: HeldPaths,
    /// What is known of it.
    pub(crate) digests: Arc<Digests>,
}

/// Contexts by their fingerprints, the one that was used last at the end.
#[derive(Debug, Default)]
pub(crate) struct Contexts(Mutex<Vec<(String, Context)>>);

impl Context {
    /// A context that is counted as `size` bytes.
    pub(crate) fn new(folder: PathBuf, size: u64) -> Self {
        Self {
            folder,
            size,
            place: String::new(),
            held: HeldPaths::new(),
            digests: Arc::default(),
        }
    }

    /// Where it is.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        match std::fs::remove_dir_all(&self.folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                tracing::error!("remove {}: {error}", self.folder.display());
            }
            _ => {}
        }
    }
}

impl Contexts {
    /// Takes one out, for one build alone.
    pub(crate) fn take(&self, fingerprint: &str) -> Option<Context> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = kept.iter().position(|(known, _)| known == fingerprint)?;
        Some(kept.remove(at).1)
    }

    /// Takes out the one of a place that was used last, whatever it holds, for one build alone.
    pub(crate) fn take_of(&self, place: &str) -> Option<Context> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = kept
            .iter()
            .rposition(|(_, context)| context.place == place && !place.is_empty())?;
        Some(kept.remove(at).1)
    }

    /// Keeps one for the next build; those that there is no room for any more are answered, to be dropped.
    pub(crate) fn keep(&self, fingerprint: String, context: Context) -> Vec<(String, Context)> {
        if context.size > LARGEST {
            return vec![(fingerprint, context)];
        }
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push((fingerprint, context));
        let mut room = LARGEST;
        let fitting = kept.iter().rev().take(MOST).take_while(|(_, context)| {
            let left = room.checked_sub(context.size);
            room = left.unwrap_or_default();
            left.is_some()
        });
        let surplus = kept.len() - fitting.count();
        kept.drain(..surplus).collect()
    }

    /// Takes all out.
    pub(crate) fn clear(&self) -> Vec<(String, Context)> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_are_kept_and_the_folders_of_others_go() {
        let folder = tempfile::tempdir().unwrap();
        let contexts = Contexts::default();
        let context = |name: &str, size: u64| {
            let folder = folder.path().join(name);
            std::fs::create_dir(&folder).unwrap();
            Context::new(folder, size)
        };
        assert!(contexts.keep("a".to_owned(), context("a", 1)).is_empty());
        let gone = contexts.keep("b".to_owned(), context("b", LARGEST));
        assert_eq!(gone[0].0, "a");
        drop(gone);
        assert!(!folder.path().join("a").exists());
        assert!(contexts.take("a").is_none());
        let taken = contexts.take("b").unwrap();
        assert!(taken.folder().exists());
        assert!(contexts.take("b").is_none());
        assert!(contexts.take_of("").is_none());
        for number in 0..=MOST {
            let name = number.to_string();
            drop(contexts.keep(name.clone(), context(&name, 1)));
        }
        assert!(contexts.take("0").is_none());
        assert_eq!(contexts.clear().len(), MOST);
    }

    #[test]
    fn one_that_there_is_never_room_for_takes_no_place_of_others() {
        let folder = tempfile::tempdir().unwrap();
        let contexts = Contexts::default();
        let context = |name: &str, size: u64| Context::new(folder.path().join(name), size);
        drop(contexts.keep("a".to_owned(), context("a", 1)));
        let gone = contexts.keep("b".to_owned(), context("b", LARGEST + 1));
        let gone: Vec<&str> = gone.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(gone, ["b"]);
        assert!(contexts.take("a").is_some());
    }
}
