//! One daemon per root folder.

use std::fs::{File, OpenOptions};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

use crate::{Error, Result};

/// A lock on a file, as long as it lives; the kernel lets go of it however the process ends.
#[derive(Debug)]
pub(super) struct Lock(#[expect(dead_code, reason = "held, not read")] Flock<File>);

/// Takes a lock, without waiting; `None` when somebody has it.
///
/// # Errors
/// 500 when the file cannot be opened.
pub(super) fn try_take(path: &Path) -> Result<Option<Lock>> {
    match Flock::lock(open(path)?, FlockArg::LockExclusiveNonblock) {
        Ok(lock) => Ok(Some(Lock(lock))),
        Err((_, Errno::EWOULDBLOCK)) => Ok(None),
        Err((_, error)) => Err(Error::io("lock", path, error)),
    }
}

/// Takes a lock, and waits for it.
///
/// # Errors
/// 500 when the file cannot be opened.
pub(super) fn take(path: &Path) -> Result<Lock> {
    let mut file = open(path)?;
    loop {
        match Flock::lock(file, FlockArg::LockExclusive) {
            Ok(lock) => return Ok(Lock(lock)),
            Err((same, Errno::EINTR)) => file = same,
            Err((_, error)) => return Err(Error::io("lock", path, error)),
        }
    }
}

fn open(path: &Path) -> Result<File> {
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(|error| Error::io("open", path, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let first = try_take(&path).unwrap();
        assert!(first.is_some());
        assert!(try_take(&path).unwrap().is_none());
        drop(first);
        take(&path).unwrap();
    }
}
