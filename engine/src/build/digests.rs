//! Digests of what a context holds, so that none of it is read twice.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use rustix::fs::Stat;

use crate::archive::Unpacked;

/// SHA-256 of a file's content.
pub(crate) type Content = [u8; 32];

/// What is known of a context that nobody but its builds changes.
#[derive(Debug, Default)]
pub(crate) struct Digests(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// Of what patterns mean.
    patterns: HashMap<Vec<String>, String>,
    /// Of files without extended attributes, by inode: with the time of the inode's last change, which tells it from another
    /// file that got the same number later.
    files: HashMap<u64, (Changed, Content)>,
    /// Whether it has less than its client believes.
    is_incomplete: bool,
}

/// Seconds and nanoseconds of an inode's last change.
type Changed = (i64, u64);

impl Digests {
    /// What is known of these patterns.
    pub(super) fn get(&self, patterns: &[String]) -> Option<String> {
        self.known(|known| known.patterns.get(patterns).cloned())
    }

    /// Keeps what was found out.
    pub(super) fn keep(&self, patterns: Vec<String>, digest: String) {
        self.known(|known| known.patterns.insert(patterns, digest));
    }

    /// The digest of a file's content, where it is known and the file has no extended attributes.
    pub(super) fn file(&self, stat: &Stat) -> Option<Content> {
        let (changed, content) = self.known(|known| known.files.get(&stat.st_ino).copied())?;
        (changed == changed_at(stat)).then_some(content)
    }

    /// Forgets what patterns mean: files of the context change. Of files that are replaced the digests are of no use any more;
    /// all are forgotten when there are far more of them than the context has `files`.
    pub(super) fn changing(&self, files: usize) {
        self.known(|known| {
            known.patterns.clear();
            if known.files.len() > files.saturating_mul(2).saturating_add(1000) {
                known.files.clear();
            }
        });
    }

    /// Something was taken away that the context's client believes to be there.
    pub(super) fn miss(&self) {
        self.known(|known| known.is_incomplete = true);
    }

    /// Whether everything is there that the context's client believes to be.
    pub(crate) fn are_of_a_whole(&self) -> bool {
        self.known(|known| !known.is_incomplete)
    }

    /// Keeps what was found out while files were written.
    pub(crate) fn note(&self, unpacked: &mut Unpacked) {
        let files = std::mem::take(&mut unpacked.files);
        self.known(|known| {
            let files = files.into_iter();
            known
                .files
                .extend(files.map(|(stat, content)| (stat.st_ino, (changed_at(&stat), content))));
        });
    }

    fn known<T>(&self, with: impl FnOnce(&mut Known) -> T) -> T {
        with(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn changed_at(stat: &Stat) -> Changed {
    (stat.st_ctime, stat.st_ctime_nsec)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn digests_are_of_patterns() {
        let digests = Digests::default();
        let patterns = vec!["a".to_owned()];
        digests.keep(patterns.clone(), "x".to_owned());
        assert_eq!(digests.get(&patterns).as_deref(), Some("x"));
        assert_eq!(digests.get(&[]), None);
        digests.changing(1);
        assert_eq!(digests.get(&patterns), None);
    }

    #[test]
    fn digests_of_files_end_with_the_files() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let stat = || rustix::fs::stat(&path).unwrap();
        fs::write(&path, "1").unwrap();
        let digests = Digests::default();
        let mut unpacked = Unpacked::default();
        unpacked.files.push((stat(), [1; 32]));
        digests.note(&mut unpacked);
        assert_eq!(digests.file(&stat()), Some([1; 32]));
        // The same inode, later.
        std::thread::sleep(std::time::Duration::from_millis(20));
        fs::write(&path, "2").unwrap();
        assert_eq!(digests.file(&stat()), None);
    }
}
