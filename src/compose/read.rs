//! Reading a file that may be anything: huge, endless, a pipe, a folder.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::Path;

/// Longest file that is read, in bytes.
pub(crate) const MAX_BYTES: usize = 8 << 20;

/// Why a file gives no text.
#[derive(Debug)]
pub(crate) enum ReadError {
    /// It cannot be opened or read.
    Io(io::Error),
    /// It is longer than [`MAX_BYTES`], or never ends.
    TooLarge,
    /// It is not UTF-8.
    NotText {
        /// Its text with a replacement character for what is none.
        text: String,
        /// Where the first of them is, in bytes.
        at: usize,
    },
    /// It is a pipe that nobody writes to.
    Idle,
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Reads the text of a file of at most [`MAX_BYTES`].
///
/// # Errors
/// Whatever the file is instead. Of a file that is too long, no more than the limit is read.
pub(crate) fn text(path: &Path) -> Result<String, ReadError> {
    let metadata = path.metadata()?;
    if metadata.len() > MAX_BYTES as u64 {
        return Err(ReadError::TooLarge);
    }
    let mut bytes = Vec::with_capacity(metadata.len() as usize + 1);
    let mut file = open(path, &metadata, &mut bytes)?;
    // One byte more tells a file that is too long from one of just that length.
    let left = MAX_BYTES + 1 - bytes.len();
    Read::by_ref(&mut file)
        .take(left as u64)
        .read_to_end(&mut bytes)?;
    if bytes.len() > MAX_BYTES {
        return Err(ReadError::TooLarge);
    }
    String::from_utf8(bytes).map_err(|error| ReadError::NotText {
        at: error.utf8_error().valid_up_to(),
        text: String::from_utf8_lossy(error.as_bytes()).into_owned(),
    })
}

#[cfg(not(unix))]
fn open(path: &Path, _: &Metadata, _: &mut Vec<u8>) -> Result<File, ReadError> {
    Ok(File::open(path)?)
}

/// Opens a file; of a pipe, the first bytes may have been read into `bytes`.
#[cfg(unix)]
fn open(path: &Path, metadata: &Metadata, bytes: &mut Vec<u8>) -> Result<File, ReadError> {
    use std::os::unix::fs::FileTypeExt;

    if metadata.file_type().is_fifo() {
        pipe::open(path, bytes)
    } else {
        Ok(File::open(path)?)
    }
}

/// Named pipes: to open one is to wait for a writer, for ever where there is none.
#[cfg(unix)]
mod pipe {
    use std::fs::{File, OpenOptions};
    use std::io::{self, ErrorKind, Read};
    use std::os::fd::AsFd;
    use std::os::unix::fs::OpenOptionsExt;
    use std::path::Path;

    use nix::fcntl::{FcntlArg, OFlag, fcntl};
    use nix::poll::{PollFd, PollFlags, poll};

    use super::ReadError;

    /// How long a writer may take to come, in milliseconds.
    const PATIENCE: u16 = 5000;

    pub(super) fn open(path: &Path, bytes: &mut Vec<u8>) -> Result<File, ReadError> {
        let mut file = OpenOptions::new()
            .read(true)
            .custom_flags(OFlag::O_NONBLOCK.bits())
            .open(path)?;
        if !is_ready(&file)? && !has_writer(&mut file, bytes)? {
            return Err(ReadError::Idle);
        }
        // Whoever has it open may take its time.
        fcntl(&file, FcntlArg::F_SETFL(OFlag::empty())).map_err(io::Error::from)?;
        Ok(file)
    }

    /// Whether something, or the end, can be read from the pipe now or soon.
    fn is_ready(file: &File) -> Result<bool, ReadError> {
        let mut files = [PollFd::new(file.as_fd(), PollFlags::POLLIN)];
        let ready = poll(&mut files, PATIENCE).map_err(io::Error::from)?;
        Ok(ready > 0)
    }

    /// A pipe without writers is at its end; one whose writers are silent would have to be
    /// waited for.
    fn has_writer(file: &mut File, bytes: &mut Vec<u8>) -> Result<bool, ReadError> {
        let mut byte = [0];
        match file.read(&mut byte) {
            Ok(count) => {
                bytes.extend_from_slice(&byte[..count]);
                Ok(count > 0)
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(true),
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(bytes: &[u8]) -> Result<String, ReadError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        text(file.path())
    }

    #[test]
    fn text_up_to_the_limit_is_read() {
        assert_eq!(written(b"a: 1\n").unwrap(), "a: 1\n");
        assert_eq!(written(b"").unwrap(), "");
        assert_eq!(written(&vec![b'x'; MAX_BYTES]).unwrap().len(), MAX_BYTES);
        assert!(matches!(
            written(&vec![b'x'; MAX_BYTES + 1]),
            Err(ReadError::TooLarge)
        ));
        assert!(matches!(
            written(b"ab\xff"),
            Err(ReadError::NotText { at: 2, .. })
        ));
    }

    #[test]
    #[cfg(unix)]
    fn what_never_ends_is_too_large() {
        assert!(matches!(
            text(Path::new("/dev/zero")),
            Err(ReadError::TooLarge)
        ));
        assert_eq!(text(Path::new("/dev/null")).unwrap(), "");
    }

    #[test]
    #[cfg(unix)]
    fn a_pipe_is_read_once_somebody_writes_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert!(matches!(text(&path), Err(ReadError::Idle)));
        let name = path.clone();
        let writer = std::thread::spawn(move || std::fs::write(name, "a: 1\n"));
        assert_eq!(text(&path).unwrap(), "a: 1\n");
        writer.join().unwrap().unwrap();
    }
}
