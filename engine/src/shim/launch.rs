//! Starting a shim, and what it leaves behind.

use std::fs;
use std::path::{Path, PathBuf};

use libcontainer::oci_spec::runtime::{LinuxCapabilities, Spec};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;

use super::control_groups::View;
use super::filter;
use super::fork_server::ForkServer;
use super::protocol::Reply;
use crate::container::Machine;
use crate::{Error, Result, store};

/// How Docker begins its message about a command that cannot be executed.
const CREATE_FAILED: &str = "failed to create task for container: OCI runtime create failed: unable to start container process";

/// The daemon's word that a container may begin.
const GO: &[u8] = b"\n";

/// What a shim has to know of its container.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Launch {
    /// Id of the container.
    pub(crate) id: String,
    /// What this run of the container keeps in memory: bundle (`config.json`), sockets.
    pub(crate) run: PathBuf,
    /// The json-file log; none where the log driver is `none`.
    pub(crate) log: Option<PathBuf>,
    /// When to rotate it.
    pub(crate) limits: LogLimits,
    /// Whether the container has a terminal.
    pub(crate) tty: bool,
    /// Columns and rows of the terminal.
    pub(crate) size: Option<(u16, u16)>,
    /// Whether standard input is kept open for clients; otherwise it is empty.
    pub(crate) open_stdin: bool,
    /// Whether standard input ends with the first client that was attached to it.
    pub(crate) stdin_once: bool,
    /// Whether a first process of the engine's forwards signals and reaps.
    pub(crate) init: bool,
    /// Its control group in every hierarchy that is mounted.
    pub(crate) groups: Vec<PathBuf>,
    /// How many clients are to be attached before the container is started, so that they see
    /// its output from the beginning.
    #[serde(default)]
    pub(crate) attached: usize,
}

/// How a container's first process is confined, kept beside the bundle's `config.json`, which has
/// neither of this: the shim does it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Confinement {
    /// The file with the compiled filter of system calls; none for a container without one.
    pub(crate) filter: Option<PathBuf>,
    /// Capabilities of the first process.
    pub(crate) capabilities: Option<LinuxCapabilities>,
    /// Whether nothing that it executes gets more rights.
    pub(crate) no_new_privileges: bool,
    /// How it sees its control groups; none where the library mounts them.
    #[serde(default)]
    pub(super) control_groups: Option<View>,
}

impl Confinement {
    /// Takes from a specification what the library is not to do; `filters` is the folder of
    /// compiled filters. Blocks where the filter has to be compiled.
    ///
    /// # Errors
    /// 500 when the filter cannot be compiled or written.
    pub(crate) fn take(spec: &mut Spec, filters: &Path) -> Result<Self> {
        let mut confinement = Self::default();
        if !Machine::is_unified() {
            confinement.control_groups = View::take(spec);
        }
        if let Some(linux) = spec.linux_mut() {
            let seccomp = linux.seccomp().as_ref();
            let file = seccomp.map(|seccomp| filter::compiled(seccomp, filters));
            confinement.filter = file.transpose()?;
            linux.set_seccomp(None);
        }
        if let Some(process) = spec.process_mut() {
            confinement.capabilities.clone_from(process.capabilities());
            confinement.no_new_privileges = process.no_new_privileges() == Some(true);
            process.set_capabilities(None);
        }
        Ok(confinement)
    }

    /// Writes it beside the bundle in a container's run folder.
    ///
    /// # Errors
    /// 500 when it cannot be written.
    pub(crate) fn save(&self, run: &Path) -> Result<()> {
        store::write_volatile(&Self::path(run), self)
    }

    fn path(run: &Path) -> PathBuf {
        run.join("bundle/confinement.json")
    }
}

/// The json-file log's `max-size` and `max-file`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LogLimits {
    /// Bytes after which a new file is begun.
    pub(crate) max_size: Option<u64>,
    /// How many files are kept, at least 1.
    pub(crate) max_file: u32,
}

/// A container that runs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Running {
    /// Its first process, as the host numbers it.
    pub(crate) pid: i32,
}

/// How a container ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ExitRecord {
    /// Exit code; 128 and the signal's number where a signal ended it.
    pub(crate) code: i64,
    /// Whether the kernel killed a process for memory.
    pub(crate) oom: bool,
    /// RFC 3339.
    pub(crate) finished_at: String,
}

impl Launch {
    /// The OCI bundle, with `config.json` and `rootfs`.
    pub(crate) fn bundle(&self) -> PathBuf {
        self.run.join("bundle")
    }

    /// The shim's socket in the run folder of a container.
    pub(crate) fn socket(run: &Path) -> PathBuf {
        run.join("shim.sock")
    }

    /// What the shim of a run folder says that is not for the daemon.
    pub(super) fn shim_log(run: &Path) -> PathBuf {
        run.join("shim.log")
    }

    /// The [`Confinement`].
    pub(crate) fn confinement(&self) -> PathBuf {
        Confinement::path(&self.run)
    }

    /// The exit record in the run folder of a container, which stays there until the next start:
    /// a reboot ends every container in a way that nobody can tell.
    pub(super) fn exit(run: &Path) -> PathBuf {
        run.join("exit.json")
    }

    /// The container library's folder.
    pub(crate) fn state(&self) -> PathBuf {
        self.run.join("state")
    }
}

/// How the container ended; `None` while its shim has not said so. `run` is its run folder.
///
/// # Errors
/// 500 when the record is there and cannot be read.
pub(crate) fn exit_record(run: &Path) -> Result<Option<ExitRecord>> {
    store::read(&Launch::exit(run))
}

/// Has a shim forked and waits until its container runs. The shim makes the container, and starts it when `ready` is
/// through.
///
/// # Errors
/// That of `ready`, and what kept the container from starting: 400 with the words of the container library where the
/// command cannot be executed, 500 for everything else.
pub(crate) async fn launch(
    shims: &ForkServer,
    launch: &Launch,
    ready: impl Future<Output = Result<()>>,
) -> Result<Running> {
    let file = launch.run.join("launch.json");
    store::write_volatile(&file, launch)?;
    let _ = fs::remove_file(Launch::exit(&launch.run));
    let line = shims.fork(&file, launch.run.parent().unwrap_or(&launch.run))?;
    let line = UnixStream::from_std(line).map_err(Error::internal)?;
    let (report, mut word) = line.into_split();
    ready.await?;
    // One that has failed already does not listen, and says so.
    let _ = word.write_all(GO).await;
    let mut line = String::new();
    let read = BufReader::new(report).read_line(&mut line).await;
    read.map_err(|error| Error::internal(format!("the shim's report: {error}")))?;
    reported(&line, &Launch::shim_log(&launch.run))
}

fn reported(line: &str, log: &Path) -> Result<Running> {
    match serde_json::from_str(line) {
        Ok(Reply::Done { pid: Some(pid) }) => Ok(Running { pid }),
        Ok(Reply::Failed {
            message,
            code: Some(_),
        }) => Err(Error::bad_request(format!("{CREATE_FAILED}: {message}"))),
        Ok(Reply::Failed { message, .. }) => Err(Error::internal(message)),
        Ok(Reply::Done { pid: None }) | Err(_) => {
            let said = fs::read_to_string(log).unwrap_or_default();
            let said = said.lines().last().unwrap_or("it said nothing").to_owned();
            Err(Error::internal(format!("the shim ended early: {said}")))
        }
    }
}
