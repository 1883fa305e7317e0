//! What is mounted over in every container.
//!
//! One folder with all of it is the lowest layer of every container that runs. Otherwise the runtime would
//! make them anew in each writable layer, where they cost the disk more than anything else of a
//! start, and would be taken for changes that the container has made.

use std::fs::{self, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::{Error, Result};

/// Bytes that the names of layers may have: options of a mount are a page at most.
const OPTIONS: usize = 3800;
/// Folders.
const FOLDERS: [&str; 4] = ["dev", "etc", "proc", "sys"];
/// Files in `etc`.
const FILES: [&str; 3] = ["hosts", "hostname", "resolv.conf"];

/// Makes the folder; nothing where it is.
///
/// # Errors
/// 500 when the disk does not take it.
pub(super) fn make(folder: &Path) -> Result<()> {
    try_make(folder).map_err(|error| Error::io("create", folder, error))
}

fn try_make(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    fs::set_permissions(folder, Permissions::from_mode(0o755))?;
    for name in FOLDERS {
        let path = folder.join(name);
        fs::create_dir_all(&path)?;
        fs::set_permissions(&path, Permissions::from_mode(0o755))?;
    }
    for name in FILES {
        let path = folder.join("etc").join(name);
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        file.set_permissions(Permissions::from_mode(0o644))?;
    }
    Ok(())
}

/// The folder as the name of one more layer; none where it cannot be said in an option beside
/// those of the others.
pub(super) fn as_layer(folder: &Path, others: &[String]) -> Option<String> {
    let path = folder.to_str()?;
    let length: usize = others.iter().map(|name| name.len() + 1).sum();
    let fits = length + path.len() < OPTIONS && !path.contains([':', ',', '\\']);
    fits.then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        make(folder.path()).unwrap();
        make(folder.path()).unwrap();
        assert!(folder.path().join("etc/resolv.conf").is_file());
        assert!(folder.path().join("proc").is_dir());
    }

    #[test]
    fn names_that_options_do_not_take_are_left_out() {
        let others = ["0".to_owned()];
        let plain = Path::new("/var/lib/rcompose/images/mount-points");
        assert!(as_layer(plain, &others).is_some());
        assert!(as_layer(Path::new("/a:b"), &others).is_none());
        assert!(as_layer(plain, &["long".repeat(1000)]).is_none());
    }
}
