//! The way of commands to an ssh agent: a socket of their own, with the mode and the owner that the Dockerfile asks for. The agent
//! itself may be reached by its user alone.

use std::fs;
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{PermissionsExt as _, lchown};
use std::path::{Path, PathBuf};

use tokio::io::copy_bidirectional;
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinHandle;

use crate::build::secrets::PrivateFile;

/// A socket that leads to an agent; it goes with this.
#[derive(Debug)]
pub(super) struct AgentSocket {
    file: PrivateFile,
    serving: JoinHandle<()>,
}

impl AgentSocket {
    /// Opens one in `folder`, which only root can enter.
    ///
    /// # Errors
    /// Those of files.
    pub(super) fn open(
        folder: &Path,
        agent: PathBuf,
        mode: u32,
        (user, group): (u32, u32),
    ) -> io::Result<Self> {
        let (file, listener) = PrivateFile::make(folder, |folder, name| {
            // The whole path may be longer than sockets have room for.
            let short = format!("/proc/self/fd/{}/{name}", folder.as_raw_fd());
            UnixListener::bind(short)
        })?;
        lchown(file.path(), Some(user), Some(group))?;
        let permissions = fs::Permissions::from_mode(mode & 0o777);
        fs::set_permissions(file.path(), permissions)?;
        let serving = tokio::spawn(serve(listener, agent));
        Ok(Self { file, serving })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        self.file.path()
    }
}

impl Drop for AgentSocket {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: UnixListener, agent: PathBuf) {
    while let Ok((mut command, _)) = listener.accept().await {
        let agent = agent.clone();
        tokio::spawn(async move {
            let Ok(mut agent) = UnixStream::connect(&agent).await else {
                tracing::warn!("no ssh agent answers at {}", agent.display());
                return;
            };
            if let Err(error) = copy_bidirectional(&mut command, &mut agent).await {
                tracing::debug!("ssh agent: {error}");
            }
        });
    }
}
