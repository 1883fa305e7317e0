//! The daemon's log file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};

use crate::{Error, Result};

/// Bytes after which a new file is begun; one former file is kept.
const LONGEST: u64 = 4 * 1024 * 1024;
/// How many lines of it are shown with a failure.
const TAIL: usize = 5;

/// Standard error of the daemon, which is its log file, begun anew when it is long.
#[derive(Debug)]
pub struct LogWriter {
    path: PathBuf,
    length: u64,
}

impl LogWriter {
    /// For a standard error that [`super::start()`] has opened at `path`.
    pub fn new(path: PathBuf) -> Self {
        let length = fs::metadata(&path).map_or(0, |metadata| metadata.len());
        Self { path, length }
    }
}

impl Write for LogWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.length > LONGEST {
            let file = rotate(&self.path)?;
            nix::unistd::dup2_stderr(file)?;
            self.length = 0;
        }
        let written = io::stderr().write(bytes)?;
        self.length += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// Opens the log for the daemon; a long one is put aside as `engine.log.1`.
///
/// # Errors
/// The system's.
pub fn rotate(path: &Path) -> io::Result<File> {
    if fs::metadata(path).is_ok_and(|metadata| metadata.len() > LONGEST) {
        fs::rename(path, path.with_extension("log.1"))?;
    }
    OpenOptions::new().create(true).append(true).open(path)
}

/// The last lines of the log, for a message about a daemon that did not come up.
pub(super) fn tail(path: &Path, from: u64) -> String {
    let text = fs::read(path).unwrap_or_default();
    let new = text.get(from as usize..).unwrap_or(&text);
    let text = String::from_utf8_lossy(new);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL)..].join("\n")
}

/// Writes what is appended to the log from `position` on, for ever.
///
/// # Errors
/// When the log or `output` fails.
pub fn follow(path: &Path, mut position: u64, output: &mut impl Write) -> Result<()> {
    let failed = |error: io::Error| Error::io("read", path, error);
    let folder = path.parent().unwrap_or(path);
    let inotify = Inotify::init(InitFlags::IN_CLOEXEC).map_err(|error| failed(error.into()))?;
    let changes = AddWatchFlags::IN_MODIFY | AddWatchFlags::IN_CREATE | AddWatchFlags::IN_MOVED_TO;
    inotify
        .add_watch(folder, changes)
        .map_err(|error| failed(error.into()))?;
    let mut file = File::open(path).map_err(failed)?;
    io::Seek::seek(&mut file, io::SeekFrom::Start(position)).map_err(failed)?;
    loop {
        position += copy(&mut file, output).map_err(failed)?;
        if let Some(next) = successor(&file, path, position) {
            copy(&mut file, output).map_err(failed)?;
            (file, position) = (next, 0);
            continue;
        }
        inotify
            .read_events()
            .map_err(|error| failed(error.into()))?;
    }
}

fn copy(file: &mut File, output: &mut impl Write) -> io::Result<u64> {
    let mut buffer = Vec::new();
    file.read_to_end(&mut buffer)?;
    output.write_all(&buffer)?;
    output.flush()?;
    Ok(buffer.len() as u64)
}

/// The file that is now at the path, when it is another one, or has been emptied.
fn successor(file: &File, path: &Path, position: u64) -> Option<File> {
    let next = File::open(path).ok()?;
    let (old, new) = (file.metadata().ok()?, next.metadata().ok()?);
    (old.ino() != new.ino() || new.len() < position).then_some(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_log_is_put_aside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("engine.log");
        let mut file = rotate(&path).unwrap();
        file.write_all(b"one\n").unwrap();
        rotate(&path).unwrap().write_all(b"two\n").unwrap();
        assert_eq!(tail(&path, 0), "one\ntwo");
        assert_eq!(tail(&path, 4), "two");
        file.set_len(LONGEST + 1).unwrap();
        rotate(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().len(), 0);
        assert!(folder.path().join("engine.log.1").exists());
    }
}
