//! Contexts of builds that are over, for the next build of the same one: a client names what it would send by a fingerprint,
//! and need not send it again.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// How many are kept.
const MOST: usize = 16;

/// How many bytes they may have together.
const LARGEST: u64 = 1 << 30;

/// Digests of what patterns mean in a context that does not change.
#[derive(Debug, Default)]
pub(crate) struct Digests(Mutex<HashMap<Vec<String>, String>>);

/// A context in a folder of its own, which goes with this.
#[derive(Debug)]
pub(crate) struct Context {
    folder: PathBuf,
    /// Bytes that were sent for it.
    size: u64,
    /// What is known of it.
    pub(crate) digests: Arc<Digests>,
}

/// Contexts by their fingerprints, the one that was used last at the end.
#[derive(Debug, Default)]
pub(crate) struct Contexts(Mutex<Vec<(String, Context)>>);

impl Digests {
    /// What is known of these patterns.
    pub(super) fn get(&self, patterns: &[String]) -> Option<String> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(patterns).cloned()
    }

    /// Keeps what was found out.
    pub(super) fn keep(&self, patterns: Vec<String>, digest: String) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(patterns, digest);
    }
}

impl Context {
    /// A context for which `size` bytes were sent.
    pub(crate) fn new(folder: PathBuf, size: u64) -> Self {
        Self {
            folder,
            size,
            digests: Arc::default(),
        }
    }

    /// Bytes that were sent for it.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// The same, for which so many bytes were sent.
    pub(crate) fn of_size(mut self, size: u64) -> Self {
        self.size = size;
        self
    }

    /// Where it is.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.folder) {
            tracing::error!("remove {}: {error}", self.folder.display());
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

    /// Keeps one for the next build; those that there is no room for any more are answered, to be dropped.
    pub(crate) fn keep(&self, fingerprint: String, context: Context) -> Vec<(String, Context)> {
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
        for number in 0..=MOST {
            let name = number.to_string();
            drop(contexts.keep(name.clone(), context(&name, 1)));
        }
        assert!(contexts.take("0").is_none());
        assert_eq!(contexts.clear().len(), MOST);
    }

    #[test]
    fn digests_are_of_patterns() {
        let digests = Digests::default();
        let patterns = vec!["a".to_owned()];
        digests.keep(patterns.clone(), "x".to_owned());
        assert_eq!(digests.get(&patterns).as_deref(), Some("x"));
        assert_eq!(digests.get(&[]), None);
    }
}
