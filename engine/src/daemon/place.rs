//! Where one engine is: its socket and its folders.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::Layout;
use crate::shim::is_alive;

/// Where containers, images and volumes are kept unless another folder is given.
pub const DEFAULT_ROOT: &str = "/var/lib/rcompose";
/// Where sockets and mounted root file systems are.
pub(super) const RUN: &str = "/run/rcompose";
/// How the folders of engines with other roots begin there.
pub(super) const OTHER_ROOT: &str = "root-";

/// Socket and folders of one engine.
#[derive(Debug, Clone)]
pub struct Place {
    /// Path of the unix socket; absolute.
    pub socket: PathBuf,
    /// Where everything is on disk.
    pub layout: Layout,
}

impl Place {
    /// The engine that these choose: `socket` and `root` as given by options or
    /// `RCOMPOSE_ENGINE_SOCKET` and `RCOMPOSE_ENGINE_ROOT`. Engines with different roots never
    /// share a socket or a folder by default.
    pub fn new(socket: Option<PathBuf>, root: Option<PathBuf>) -> Self {
        let root = root.map_or_else(|| PathBuf::from(DEFAULT_ROOT), absolute);
        let run = run_folder(&root);
        let socket = socket.map_or_else(|| run.join("engine.sock"), absolute);
        Self {
            socket,
            layout: Layout::new(root, run),
        }
    }

    /// With another folder for what does not outlive a reboot.
    #[must_use]
    pub fn with_run(mut self, run: PathBuf) -> Self {
        self.layout = Layout::new(self.layout.root(), absolute(run));
        self
    }

    /// Whether the engine has been used: there are containers, images or volumes.
    pub fn has_state(&self) -> bool {
        let layout = &self.layout;
        let blobs = layout.images().join("blobs/sha256");
        let folders = [layout.containers(), layout.volumes(), blobs];
        folders
            .iter()
            .any(|folder| fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()))
    }

    /// How many containers run, asked of those beside them, so that it is right without a
    /// daemon too.
    pub fn running_containers(&self) -> usize {
        let Ok(entries) = fs::read_dir(self.layout.containers_run()) else {
            return 0;
        };
        let folders = entries.flatten().map(|entry| entry.path());
        folders.filter(|folder| is_alive(folder)).count()
    }

    /// Whether something listens on the socket.
    pub(super) fn is_listening(&self) -> bool {
        UnixStream::connect(&self.socket).is_ok()
    }

    /// Where the daemon's log is.
    pub fn log(&self) -> PathBuf {
        self.layout.root().join("engine.log")
    }
}

fn absolute(path: PathBuf) -> PathBuf {
    std::path::absolute(&path).unwrap_or(path)
}

/// `/run/rcompose`, and for another root a folder in it that no other root has.
fn run_folder(root: &Path) -> PathBuf {
    if root == Path::new(DEFAULT_ROOT) {
        return PathBuf::from(RUN);
    }
    let mut name = OTHER_ROOT.to_owned();
    for byte in &Sha256::digest(root.as_os_str().as_encoded_bytes())[..6] {
        // Writing to a string cannot fail.
        let _ = write!(name, "{byte:02x}");
    }
    Path::new(RUN).join(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_have_sockets_of_their_own() {
        let usual = Place::new(None, None);
        assert_eq!(usual.socket, Path::new("/run/rcompose/engine.sock"));
        assert_eq!(usual.layout.root(), Path::new("/var/lib/rcompose"));
        let one = Place::new(None, Some("/one".into()));
        let two = Place::new(None, Some("/two".into()));
        assert_ne!(one.socket, two.socket);
        assert!(one.socket.starts_with(one.layout.run()));
        let given = Place::new(Some("/a.sock".into()), Some("/one".into()));
        assert_eq!(given.socket, Path::new("/a.sock"));
        assert_eq!(given.layout.run(), one.layout.run());
    }

    #[test]
    fn an_unused_root_has_no_state() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::new(None, Some(folder.path().to_owned()));
        assert!(!place.has_state());
        fs::create_dir_all(place.layout.containers().join("a")).unwrap();
        assert!(place.has_state());
        assert_eq!(place.running_containers(), 0);
    }
}
