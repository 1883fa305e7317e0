//! The way of commands to an ssh agent: a socket of their own, with the mode and the owner that the Dockerfile asks for. The agent
//! itself may be reached by its user alone.

use std::fs;
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _, lchown};
use std::path::{Path, PathBuf};

use tokio::io::copy_bidirectional;
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinHandle;

/// A socket that leads to an agent; it goes with this.
#[derive(Debug)]
pub(super) struct AgentSocket {
    path: PathBuf,
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
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true).mode(0o700).create(folder)?;
        let name = crate::identifier::new();
        // The whole path may be longer than sockets have room for.
        let opened = fs::File::open(folder)?;
        let short = format!("/proc/self/fd/{}/{name}", opened.as_raw_fd());
        let listener = UnixListener::bind(short)?;
        let path = folder.join(name);
        let serving = tokio::spawn(serve(listener, agent));
        let socket = Self { path, serving };
        lchown(&socket.path, Some(user), Some(group))?;
        let permissions = fs::Permissions::from_mode(mode & 0o777);
        fs::set_permissions(&socket.path, permissions)?;
        Ok(socket)
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for AgentSocket {
    fn drop(&mut self) {
        self.serving.abort();
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::error!("remove {}: {error}", self.path.display());
        }
        // With the last one.
        if let Some(folder) = self.path.parent() {
            let _ = fs::remove_dir(folder);
        }
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
