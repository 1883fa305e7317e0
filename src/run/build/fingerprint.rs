//! A name for what a build context holds, found out without reading its files: from what the file system says of them.

use sha2::Digest as _;

use super::archive::Archive;
use crate::run::Error;

/// The fingerprint of a context that is sent for `service` with this name of the Dockerfile. None where files could change
/// without its changing: on other systems than Unix, and when one has just been written.
///
/// # Errors
/// When the folder cannot be read.
#[cfg(unix)]
pub(super) fn fingerprint(
    archive: &Archive,
    service: &str,
    dockerfile: &str,
) -> Result<Option<String>, Error> {
    use std::os::unix::fs::MetadataExt as _;
    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    /// Two changes this near to each other may have the same time.
    const TICK: Duration = Duration::from_millis(20);

    if archive.root.is_none() {
        return Ok(None);
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let quiet = now.unwrap_or_default().saturating_sub(TICK).as_nanos() as i128;
    let mut hash = sha2::Sha256::new();
    let mut add = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    add(service.as_bytes());
    add(dockerfile.as_bytes());
    for entry in archive.entries()? {
        let metadata = &entry.metadata;
        let changed =
            i128::from(metadata.ctime()) * 1_000_000_000 + i128::from(metadata.ctime_nsec());
        if changed > quiet {
            return Ok(None);
        }
        add(entry.path.as_bytes());
        for number in [
            u64::from(metadata.mode()),
            metadata.size(),
            metadata.ino(),
            metadata.dev(),
        ] {
            add(&number.to_le_bytes());
        }
        let modified =
            i128::from(metadata.mtime()) * 1_000_000_000 + i128::from(metadata.mtime_nsec());
        add(&modified.to_le_bytes());
        add(&changed.to_le_bytes());
    }
    Ok(Some(crate::run::hex(&hash.finalize())))
}

/// None: nothing tells there whether a file was changed.
#[cfg(not(unix))]
pub(super) fn fingerprint(
    _archive: &Archive,
    _service: &str,
    _dockerfile: &str,
) -> Result<Option<String>, Error> {
    Ok(None)
}

#[cfg(all(test, unix))]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::run::build::ignore::Ignore;

    fn of(folder: &std::path::Path) -> Option<String> {
        let archive = Archive {
            root: Some(folder.to_owned()),
            ignore: Ignore::parse("hidden", "t").unwrap_or_default(),
            always: None,
            extras: Vec::new(),
        };
        fingerprint(&archive, "web", "Dockerfile").unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn it_changes_with_what_is_sent() {
        let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
        let write = |name: &str, text: &str| {
            std::fs::write(folder.path().join(name), text).unwrap_or_else(|e| panic!("{e}"));
        };
        let settle = || std::thread::sleep(Duration::from_millis(40));
        write("a", "1");
        assert_eq!(
            of(folder.path()),
            None,
            "it may be written again at the same time"
        );
        settle();
        let first = of(folder.path());
        assert!(first.is_some());
        assert_eq!(of(folder.path()), first);
        write("hidden", "1");
        settle();
        assert_eq!(of(folder.path()), first);
        write("a", "2");
        settle();
        assert_ne!(of(folder.path()), first);
    }
}
