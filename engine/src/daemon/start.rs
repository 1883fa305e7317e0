//! Bringing the daemon up in the background, and making it leave.

use std::ffi::OsString;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::process::Command;
use tokio::time::timeout;

use super::{Place, Running, lock, log};
use crate::{Error, Result};

/// How long the daemon may take until it answers: it looks after what runs already first.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long it may take to leave.
const FAREWELL: Duration = Duration::from_secs(30);

/// What the daemon writes to its standard output once it answers.
pub const READY: &str = "ready\n";

/// Variables that concern the daemon; it gets no other from whoever happens to start it.
const ENVIRONMENT: [&str; 14] = [
    "HOME",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "RCOMPOSE_COMPAT",
    "RCOMPOSE_ENGINE_LOG",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "TMPDIR",
    "TZ",
    "all_proxy",
    "http_proxy",
    "https_proxy",
    "no_proxy",
];

/// How [`start`] found the daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Started {
    /// It ran already.
    Before,
    /// It has been started.
    Now,
}

/// Brings the daemon up unless it runs, and returns when it answers. The program of this process
/// is executed again as `engine serve`. `idle` is how long it stays when nobody needs it, as
/// `engine serve --idle` takes it; without one it stays.
///
/// # Errors
/// 403 without root, 409 when the root's daemon listens elsewhere, 500 when it does not come up:
/// the message has its words.
pub async fn start(place: &Place, idle: Option<&str>) -> Result<Started> {
    if place.is_listening() {
        return Ok(Started::Before);
    }
    if !nix::unistd::geteuid().is_root() {
        return Err(Error::forbidden("the bundled engine needs root to start"));
    }
    make_folder(place.layout.root(), 0o711)?;
    // Whoever comes second waits here until the first one's daemon answers.
    let path = place.layout.root().join("start.lock");
    let turn = tokio::task::spawn_blocking(move || lock::take(&path));
    let _turn = turn.await.map_err(Error::internal)??;
    if place.is_listening() {
        return Ok(Started::Before);
    }
    if let Some(other) = Running::find(place)?
        && other.socket != place.socket
    {
        let (root, socket) = (place.layout.root().display(), other.socket.display());
        let message = format!("the engine with the root {root} listens on {socket}");
        return Err(Error::conflict(message));
    }
    spawn(place, idle).await
}

async fn spawn(place: &Place, idle: Option<&str>) -> Result<Started> {
    let path = place.log();
    let log = log::rotate(&path).map_err(|error| Error::io("open", &path, error))?;
    let before = log.metadata().map_or(0, |metadata| metadata.len());
    let mut command = command(place, idle)?;
    let spawned = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn();
    let mut child =
        spawned.map_err(|error| Error::internal(format!("start the engine: {error}")))?;
    let mut said = String::new();
    let reading = async {
        match child.stdout.take() {
            Some(mut output) => output.read_to_string(&mut said).await,
            None => Ok(0),
        }
    };
    let outcome = timeout(PATIENCE, reading).await;
    if said == READY || place.is_listening() {
        return Ok(Started::Now);
    }
    let why = match outcome {
        Ok(_) => "the bundled engine did not start".to_owned(),
        Err(_) => format!(
            "the bundled engine does not answer within {} s",
            PATIENCE.as_secs()
        ),
    };
    let (words, log) = (log::tail(&path, before), path.display());
    if words.is_empty() {
        return Err(Error::internal(format!("{why} (its log is {log})")));
    }
    Err(Error::internal(format!(
        "{why}; its log {log} says:\n{words}"
    )))
}

fn command(place: &Place, idle: Option<&str>) -> Result<Command> {
    let name = std::env::current_exe().map_err(Error::internal)?;
    let mut command = Command::new("/proc/self/exe");
    std::os::unix::process::CommandExt::arg0(command.as_std_mut(), name);
    command
        .args(["engine", "serve", "--background", "--socket"])
        .arg(&place.socket)
        .arg("--root")
        .arg(place.layout.root())
        .arg("--run")
        .arg(place.layout.run())
        .env_clear()
        .env("PATH", search_path())
        .current_dir("/");
    if let Some(idle) = idle {
        command.args(["--idle", idle]);
    }
    for name in ENVIRONMENT {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    Ok(command)
}

/// Where the tools of the firewall are found, too.
fn search_path() -> OsString {
    let mut path =
        std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
    path.push(":/usr/local/sbin:/usr/sbin:/sbin");
    path
}

/// Makes a folder, and those above it; one that is there keeps its mode.
pub(super) fn make_folder(folder: &Path, mode: u32) -> Result<()> {
    let made = DirBuilder::new().recursive(true).mode(mode).create(folder);
    made.map_err(|error| Error::io("create", folder, error))
}

/// Makes the daemon leave and returns when it has; containers go on. Tells whether one ran.
///
/// # Errors
/// 403 when it is another user's, 500 when it does not leave.
pub fn stop(place: &Place) -> Result<bool> {
    let Some(running) = Running::find(place)? else {
        return Ok(false);
    };
    running.end(FAREWELL)?;
    Ok(true)
}
