//! What a build context holds, found out without reading its files, from what the file system says of them: a stamp for each
//! path, and a name for all of them together.

use std::time::Duration;

use sha2::Digest as _;

use super::archive::Archive;
use super::ignore::clean;
use super::walk::Entry;
use crate::run::{Error, hex};

/// Two changes this near to each other may have the same time.
const TICK: Duration = Duration::from_millis(20);

/// What a context held at a moment at which none of its files was being changed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Manifest {
    /// A name for all of it: another one as soon as something is another.
    pub(super) fingerprint: String,
    /// Paths in the archive, in its order, each with its stamp.
    stamps: Vec<(String, String)>,
}

/// What a context holds.
pub(super) struct Scan {
    /// What goes into the archive.
    pub(super) entries: Vec<Entry>,
    /// The names of all that. None where files could change without their stamps' changing: on other systems than Unix, and
    /// while one is being written.
    pub(super) manifest: Option<Manifest>,
}

impl Manifest {
    /// As the engine takes it.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub(super) fn to_json(&self) -> Result<Vec<u8>, Error> {
        serde_json::to_vec(&self.stamps).map_err(|error| Error::new(error.to_string()))
    }
}

/// Looks through the context that is sent for `service` with this name of the Dockerfile. Where something has just been
/// written, it waits until another change would show, for some milliseconds.
///
/// # Errors
/// When a folder cannot be read.
pub(super) fn scan(archive: &Archive, service: &str, dockerfile: &str) -> Result<Scan, Error> {
    let entries = archive.entries()?;
    if archive.root.is_none() {
        let manifest = None;
        return Ok(Scan { entries, manifest });
    }
    let Some(wait) = time::until_settled(&entries) else {
        let manifest = manifest(&entries, service, dockerfile);
        return Ok(Scan { entries, manifest });
    };
    // A second look cannot help where times are coarse or far ahead.
    if wait > TICK {
        let manifest = None;
        return Ok(Scan { entries, manifest });
    }
    std::thread::sleep(wait);
    let entries = archive.entries()?;
    let manifest = match time::until_settled(&entries) {
        None => manifest(&entries, service, dockerfile),
        Some(_) => None,
    };
    Ok(Scan { entries, manifest })
}

/// A name for the place of a context, whatever it holds there.
pub(super) fn place(archive: &Archive, service: &str, dockerfile: &str) -> String {
    let mut hash = Hash::default();
    hash.add(service.as_bytes());
    hash.add(dockerfile.as_bytes());
    let root = archive.root.as_deref().unwrap_or(std::path::Path::new(""));
    hash.add(root.as_os_str().as_encoded_bytes());
    hex(&hash.0.finalize()[..16])
}

fn manifest(entries: &[Entry], service: &str, dockerfile: &str) -> Option<Manifest> {
    let mut all = Hash::default();
    all.add(service.as_bytes());
    all.add(dockerfile.as_bytes());
    let mut stamps = Vec::with_capacity(entries.len());
    for entry in entries {
        let stamp = hex(&stamp(entry)?);
        let path = clean(&entry.path);
        all.add(path.as_bytes());
        all.add(stamp.as_bytes());
        stamps.push((path, stamp));
    }
    let fingerprint = hex(&all.0.finalize());
    Some(Manifest {
        fingerprint,
        stamps,
    })
}

/// Everything that the file system says of an entry and that changes with it.
#[cfg(unix)]
fn stamp(entry: &Entry) -> Option<[u8; 16]> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = &entry.metadata;
    let mut hash = sha2::Sha256::new();
    for number in [
        u64::from(metadata.mode()),
        metadata.size(),
        metadata.ino(),
        metadata.dev(),
    ] {
        hash.update(number.to_le_bytes());
    }
    for number in [
        metadata.mtime(),
        metadata.mtime_nsec(),
        metadata.ctime(),
        metadata.ctime_nsec(),
    ] {
        hash.update(number.to_le_bytes());
    }
    hash.finalize()[..16].try_into().ok()
}

/// None: nothing tells there whether a file was changed.
#[cfg(not(unix))]
fn stamp(_entry: &Entry) -> Option<[u8; 16]> {
    None
}

/// When files were changed.
#[cfg(unix)]
mod time {
    use std::os::unix::fs::MetadataExt as _;
    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    use super::{Entry, TICK};

    /// The same as [`TICK`] on file systems that know nothing smaller than seconds, some of them only every other one.
    const COARSE_TICK: Duration = Duration::from_secs(2);

    /// Nanoseconds of a second.
    const SECOND: i128 = 1_000_000_000;

    /// How long it takes until no change of these can have the time of the one before; none when it is so already.
    pub(super) fn until_settled(entries: &[Entry]) -> Option<Duration> {
        let changed = |entry: &Entry| {
            i128::from(entry.metadata.ctime()) * SECOND + i128::from(entry.metadata.ctime_nsec())
        };
        let last = entries.iter().map(changed).max()?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        until(last, now.unwrap_or_default().as_nanos() as i128)
    }

    /// The same for the last change, in nanoseconds since 1970 as `now`.
    fn until(last: i128, now: i128) -> Option<Duration> {
        let tick = if last % SECOND == 0 {
            COARSE_TICK
        } else {
            TICK
        };
        let left = last + tick.as_nanos() as i128 - now;
        (left > 0).then(|| Duration::from_nanos(u64::try_from(left).unwrap_or(u64::MAX)))
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn times_of_whole_seconds_say_less() {
            let milliseconds = |count: i128| count * SECOND / 1000;
            let fine = milliseconds(5_001);
            assert_eq!(until(fine, fine + milliseconds(21)), None);
            assert_eq!(until(fine, fine + milliseconds(15)), Some(TICK / 4));
            let coarse = milliseconds(5_000);
            let left = until(coarse, coarse + milliseconds(1_500));
            assert_eq!(left, Some(Duration::from_millis(500)));
            assert_eq!(until(coarse, coarse + milliseconds(2_001)), None);
        }
    }
}

/// When files were changed.
#[cfg(not(unix))]
mod time {
    /// Nothing tells.
    pub(super) fn until_settled(_entries: &[super::Entry]) -> Option<std::time::Duration> {
        None
    }
}

#[derive(Default)]
struct Hash(sha2::Sha256);

impl Hash {
    /// A part that cannot be mistaken for two.
    fn add(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::run::build::ignore::Ignore;

    fn of(folder: &std::path::Path) -> Option<Manifest> {
        let archive = Archive {
            root: Some(folder.to_owned()),
            ignore: Ignore::parse("hidden", "t").unwrap_or_default(),
            always: None,
            extras: Vec::new(),
            scanned: None,
        };
        let scan = scan(&archive, "web", "Dockerfile");
        scan.unwrap_or_else(|error| panic!("{error}")).manifest
    }

    #[test]
    fn it_changes_with_what_is_sent() {
        let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
        let write = |name: &str, text: &str| {
            std::fs::write(folder.path().join(name), text).unwrap_or_else(|e| panic!("{e}"));
        };
        write("a", "1");
        write("b", "1");
        let first = of(folder.path());
        assert!(first.is_some(), "it waits until what was written is old");
        assert_eq!(of(folder.path()), first);
        write("hidden", "1");
        assert_eq!(of(folder.path()), first);
        write("a", "2");
        let second = of(folder.path());
        let (first, second) = (first.unwrap_or_else(none), second.unwrap_or_else(none));
        assert_ne!(first.fingerprint, second.fingerprint);
        assert_ne!(first.stamps[0], second.stamps[0]);
        assert_eq!(first.stamps[1], second.stamps[1]);
    }

    fn none() -> Manifest {
        panic!("no manifest")
    }

    #[test]
    fn what_is_written_all_the_time_never_has_one_fingerprint_for_two_contents() {
        let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
        let path = folder.path().join("a");
        let mut seen = std::collections::HashMap::new();
        for number in 0..20 {
            let text = format!("{:02}", number % 10);
            std::fs::write(&path, &text).unwrap_or_else(|error| panic!("{error}"));
            let Some(manifest) = of(folder.path()) else {
                continue;
            };
            if let Some(before) = seen.insert(manifest.fingerprint, text.clone()) {
                assert_eq!(before, text);
            }
        }
        assert!(!seen.is_empty());
    }

    #[test]
    fn a_modification_time_in_the_future_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
        let path = folder.path().join("a");
        std::fs::write(&path, "1").unwrap_or_else(|error| panic!("{error}"));
        // The time of a file's content is nothing that counts here.
        let future = std::time::SystemTime::now() + Duration::from_secs(3600);
        let file = std::fs::File::options().write(true).open(&path);
        let file = file.unwrap_or_else(|error| panic!("{error}"));
        let set = file.set_modified(future);
        set.unwrap_or_else(|error| panic!("{error}"));
        assert!(of(folder.path()).is_some());
    }
}
