//! Sockets whose paths may be longer than the system takes.

use std::fs::File;
use std::io::{self, IoSliceMut};
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd, RawFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use nix::cmsg_space;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg};

use super::Launch;

/// Whether a shim answers in the run folder of a container: the container runs.
pub(crate) fn is_alive(run: &Path) -> bool {
    connect(&Launch::socket(run)).is_ok()
}

/// Listens at a path.
///
/// # Errors
/// The system's.
pub(super) fn listen(path: &Path) -> io::Result<UnixListener> {
    let short = Short::new(path)?;
    UnixListener::bind(&short.path)
}

/// Connects to who listens at a path.
///
/// # Errors
/// The system's.
pub(super) fn connect(path: &Path) -> io::Result<UnixStream> {
    let short = Short::new(path)?;
    UnixStream::connect(&short.path)
}

/// Receives a message and the descriptor that comes with it; the length of the message is 0 when there will be no more.
///
/// # Errors
/// The system's.
pub(super) fn receive(socket: RawFd, bytes: &mut [u8]) -> nix::Result<(usize, Option<OwnedFd>)> {
    let mut data = [IoSliceMut::new(bytes)];
    let mut space = cmsg_space!([RawFd; 1]);
    let flags = MsgFlags::MSG_CMSG_CLOEXEC;
    let message = recvmsg::<()>(socket, &mut data, Some(&mut space), flags)?;
    let mut received = None;
    for control in message.cmsgs()? {
        if let ControlMessageOwned::ScmRights(descriptors) = control
            && let Some(descriptor) = descriptors.first()
        {
            #[expect(unsafe_code, reason = "received descriptors come as numbers")]
            // SAFETY: the kernel has just made this descriptor for us; nothing else owns it.
            let descriptor = unsafe { OwnedFd::from_raw_fd(*descriptor) };
            received = Some(descriptor);
        }
    }
    Ok((message.bytes, received))
}

/// A short path of the same socket, as long as it lives.
pub(super) struct Short {
    /// The path.
    pub(super) path: PathBuf,
    _folder: File,
}

impl Short {
    /// Goes by a descriptor of the folder.
    ///
    /// # Errors
    /// When the folder cannot be opened.
    pub(super) fn new(path: &Path) -> io::Result<Self> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        let folder = File::open(parent)?;
        let path = PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd())).join(name);
        Ok(Self {
            path,
            _folder: folder,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_paths() {
        let folder = tempfile::tempdir().unwrap();
        let long = folder.path().join("long".repeat(40));
        std::fs::create_dir(&long).unwrap();
        let path = long.join("a.sock");
        assert!(UnixListener::bind(&path).is_err());
        let _listener = listen(&path).unwrap();
        UnixStream::connect(Short::new(&path).unwrap().path).unwrap();
    }
}
