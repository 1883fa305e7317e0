//! A digest of files that says whether two trees are equal.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use rustix::fs::{AtFlags, FileType, Mode, Stat, openat, readlinkat, statat};
use sha2::{Digest as _, Sha256};

use super::digests::{Content, Digests};
use crate::archive::{HardLinks, NO_FOLLOW_FILE, NO_FOLLOW_FOLDER, attribute, attributes, names};

/// Bytes that are read at once.
const CHUNK: usize = 1 << 17;

/// Counts names, modes, contents and extended attributes; neither owners nor times.
pub(super) struct Summary<'a> {
    hash: Sha256,
    /// What is known of contents.
    known: Option<&'a Digests>,
    /// Of the source that is being added.
    links: HardLinks,
    buffer: Vec<u8>,
}

impl<'a> Summary<'a> {
    /// Of nothing yet; `known` has digests of files that are in it.
    pub(super) fn new(known: Option<&'a Digests>) -> Self {
        Self {
            hash: Sha256::new(),
            known,
            links: HardLinks::default(),
            buffer: vec![0; CHUNK],
        }
    }

    /// The digest of all that was added.
    pub(super) fn digest(self) -> String {
        crate::image::hexadecimal(&self.hash.finalize())
    }

    /// Begins with another source: what it has is no link to what others have.
    pub(super) fn source(&mut self) {
        self.links.clear();
        self.part(b"source");
    }

    /// Adds what a name is in a folder, with everything in it. Links are not followed.
    ///
    /// # Errors
    /// When something cannot be read.
    pub(super) fn entry(
        &mut self,
        folder: &impl AsFd,
        name: &OsStr,
        path: &Path,
    ) -> io::Result<()> {
        let stat = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)?;
        let kind = FileType::from_raw_mode(stat.st_mode);
        if kind == FileType::Socket {
            return Ok(());
        }
        self.name(path, stat.st_mode);
        match kind {
            FileType::Directory => {
                let folder = openat(folder, name, NO_FOLLOW_FOLDER, Mode::empty())?;
                self.extended(&folder)?;
                self.contents(&folder, path)
            }
            FileType::RegularFile => match self.links.first_name(&stat, path) {
                Some(first) => {
                    self.part(b"link");
                    self.part(first.as_os_str().as_bytes());
                    Ok(())
                }
                None => self.file(folder, name, &stat),
            },
            FileType::Symlink => {
                let target = readlinkat(folder, name, Vec::new())?;
                self.part(target.as_bytes());
                Ok(())
            }
            _ => {
                self.part(&stat.st_rdev.to_le_bytes());
                Ok(())
            }
        }
    }

    /// Adds a path and its mode.
    pub(super) fn name(&mut self, path: &Path, mode: u32) {
        self.part(path.as_os_str().as_bytes());
        self.part(&mode.to_le_bytes());
    }

    /// Adds what is in a folder.
    ///
    /// # Errors
    /// When something cannot be read.
    pub(super) fn contents(&mut self, folder: &OwnedFd, path: &Path) -> io::Result<()> {
        for name in names(folder)? {
            self.entry(folder, &name, &path.join(&name))?;
        }
        self.part(b"end");
        Ok(())
    }

    fn file(&mut self, folder: &impl AsFd, name: &OsStr, stat: &Stat) -> io::Result<()> {
        if let Some(content) = self.known.and_then(|known| known.file(stat)) {
            self.part(&content);
            return Ok(());
        }
        let mut file = File::from(openat(folder, name, NO_FOLLOW_FILE, Mode::empty())?);
        let content = self.content(&mut file)?;
        self.part(&content);
        self.extended(&file)
    }

    fn content(&mut self, file: &mut File) -> io::Result<Content> {
        let mut hash = Sha256::new();
        loop {
            match file.read(&mut self.buffer) {
                Ok(0) => return Ok(hash.finalize().into()),
                Ok(count) => hash.update(&self.buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn extended(&mut self, file: &impl AsFd) -> io::Result<()> {
        for name in attributes(file)? {
            let Ok(text) = name.to_str() else { continue };
            // Labels belong to the machine.
            if text == "security.selinux" {
                continue;
            }
            if let Some(value) = attribute(file, text)? {
                self.part(b"attribute");
                self.part(text.as_bytes());
                self.part(&value);
            }
        }
        Ok(())
    }

    /// A part that cannot be mistaken for two, nor two for one.
    fn part(&mut self, bytes: &[u8]) {
        self.hash.update((bytes.len() as u64).to_le_bytes());
        self.hash.update(bytes);
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;
    use crate::archive::{Root, Unpack, unpack_noting};

    fn digest(folder: &Path, known: Option<&Digests>) -> String {
        let root = Root::open(folder).unwrap();
        let opened = root.folder(Path::new("")).unwrap();
        let mut summary = Summary::new(known);
        summary.contents(&opened, Path::new("")).unwrap();
        summary.digest()
    }

    #[test]
    fn it_is_the_same_for_equal_files_whether_they_are_known_or_read() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let mut builder = tar::Builder::new(Vec::new());
        let large = vec![7; 300_000];
        for (name, data) in [("d/a", &b"1"[..]), ("d/b", large.as_slice())] {
            let mut header = tar::Header::new_gnu();
            header.set_mode(0o644);
            header.set_size(data.len() as u64);
            builder.append_data(&mut header, name, data).unwrap();
        }
        let archive = builder.into_inner().unwrap();
        fs::create_dir(at("one")).unwrap();
        let root = Root::open(&at("one")).unwrap();
        let mut unpacked = unpack_noting(&root, archive.as_slice(), Unpack::default()).unwrap();
        assert_eq!(unpacked.files.len(), 2);
        let known = Digests::default();
        known.note(&mut unpacked);
        fs::create_dir_all(at("other/d")).unwrap();
        fs::write(at("other/d/a"), "1").unwrap();
        fs::write(at("other/d/b"), &large).unwrap();
        let mode = |path: &str, mode: u32| {
            fs::set_permissions(at(path), fs::Permissions::from_mode(mode)).unwrap();
        };
        for (path, bits) in [
            ("other/d", 0o755),
            ("other/d/a", 0o644),
            ("other/d/b", 0o644),
        ] {
            mode(path, bits);
        }
        let same = digest(&at("one"), Some(&known));
        assert_eq!(digest(&at("one"), None), same);
        assert_eq!(digest(&at("other"), Some(&known)), same);
        let mut seen = vec![same];
        let mut changed = |change: &dyn Fn()| {
            // In the same tick of the clock a change would not show; a context's files are replaced, never written to.
            std::thread::sleep(std::time::Duration::from_millis(20));
            change();
            let now = digest(&at("one"), Some(&known));
            assert_eq!(now, digest(&at("one"), None));
            assert!(!seen.contains(&now));
            seen.push(now);
        };
        changed(&|| fs::write(at("one/d/a"), "2").unwrap());
        changed(&|| mode("one/d/b", 0o600));
        changed(&|| mode("one/d", 0o700));
        changed(&|| fs::rename(at("one/d/b"), at("one/d/c")).unwrap());
        changed(&|| fs::rename(at("one/d/c"), at("one/c")).unwrap());
        changed(&|| symlink("x", at("one/l")).unwrap());
        changed(&|| {
            fs::remove_file(at("one/l")).unwrap();
            symlink("y", at("one/l")).unwrap();
        });
        changed(&|| fs::create_dir(at("one/empty")).unwrap());
    }
}
