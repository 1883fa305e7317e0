//! Files that have several names.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use rustix::fs::Stat;

/// Where each file that has several names was met first, by device and inode.
#[derive(Debug, Default)]
pub(crate) struct HardLinks(HashMap<(u64, u64), PathBuf>);

impl HardLinks {
    /// The name under which a file was met before; `None` when it was not, and from then on this one is its first.
    pub(crate) fn first_name(&mut self, stat: &Stat, path: &Path) -> Option<PathBuf> {
        if stat.st_nlink < 2 {
            return None;
        }
        let key = (stat.st_dev, stat.st_ino);
        let first = self.0.get(&key).cloned();
        if first.is_none() {
            self.0.insert(key, path.to_owned());
        }
        first
    }

    /// Forgets all that was met.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}
