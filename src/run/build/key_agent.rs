//! An ssh agent of our own, for a private key that the builder may use without ever seeing it.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::process::{Child, Command};

/// How long the agent may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often it is asked.
const PAUSE: Duration = Duration::from_millis(5);

/// An agent that has one key; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct KeyAgent {
    folder: PathBuf,
    _agent: Child,
}

impl KeyAgent {
    /// Starts an agent and gives it the key in a file.
    ///
    /// # Errors
    /// In words, when there is no OpenSSH here, or the key cannot be read or has a passphrase.
    pub(super) async fn start(key: &Path) -> Result<Self, String> {
        let id = crate::run::hex(&rand::random::<[u8; 8]>());
        let folder = std::env::temp_dir().join(format!("rcompose-ssh-{id}"));
        create(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let socket = socket(&folder);
        let agent = Command::new("ssh-agent")
            .arg("-D")
            .arg("-a")
            .arg(&socket)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn();
        let agent = match agent {
            Ok(agent) => agent,
            Err(error) => {
                let _ = std::fs::remove_dir_all(&folder);
                return Err(format!("needs ssh-agent of OpenSSH: {error}"));
            }
        };
        let started = Self {
            folder,
            _agent: agent,
        };
        let begun = Instant::now();
        while !socket.exists() {
            if begun.elapsed() > PATIENCE {
                return Err("needs ssh-agent, which does not answer".to_owned());
            }
            tokio::time::sleep(PAUSE).await;
        }
        started.add(key).await?;
        Ok(started)
    }

    async fn add(&self, key: &Path) -> Result<(), String> {
        let output = Command::new("ssh-add")
            .arg("-q")
            .arg(key)
            .env("SSH_AUTH_SOCK", self.socket())
            // A passphrase cannot be asked for below the progress of a build.
            .env("SSH_ASKPASS_REQUIRE", "never")
            .env_remove("DISPLAY")
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .map_err(|error| format!("needs ssh-add of OpenSSH: {error}"))?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.trim().lines().last().unwrap_or_default();
        Err(format!(
            "cannot be read without asking for a passphrase: {said}"
        ))
    }

    /// Where it listens.
    pub(super) fn socket(&self) -> PathBuf {
        socket(&self.folder)
    }
}

impl Drop for KeyAgent {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn socket(folder: &Path) -> PathBuf {
    folder.join("agent")
}

/// A folder that nobody else can enter.
fn create(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}
