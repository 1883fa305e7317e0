//! Calls into the container library.

use std::fs;
use std::io::Read as _;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use libcontainer::container::Container;
use libcontainer::container::builder::ContainerBuilder;
use libcontainer::oci_spec::runtime::{Process, Spec};
use libcontainer::syscall::syscall::SyscallType;
use nix::unistd::Pid;

use super::Launch;
use super::control_groups::ControlGroups;
use super::executor::{Exec, Seal};
use super::filter::Filter;
use super::first::Inside;
use super::launch::Confinement;
use super::membership::Membership;
use super::protocol::{ExecRequest, Reply};
use super::stdio::{Ends, Stdio};
use super::{first, socket};
use crate::store;

/// What went wrong, and what a shell would exit with where the command is to blame.
#[derive(Debug)]
pub(super) struct Failure {
    /// In Docker's words where the command is to blame.
    pub(super) message: String,
    /// 126 or 127.
    pub(super) code: Option<i64>,
}

impl Failure {
    /// From the library's error, whose interesting part is far down its chain.
    pub(super) fn new(error: impl std::error::Error) -> Self {
        let mut message = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            let cause_text = cause.to_string();
            if !message.contains(&cause_text) {
                message = format!("{message}: {cause_text}");
            }
            source = cause.source();
        }
        let Some(start) = message.find("exec: ") else {
            return Self {
                message,
                code: None,
            };
        };
        let message = message[start..]
            .trim_end_matches(['"', ')'])
            .replace("\\\"", "\"");
        let code = if message.contains("permission denied") {
            126
        } else {
            127
        };
        Self {
            message,
            code: Some(code),
        }
    }
}

impl From<Failure> for Reply {
    fn from(failure: Failure) -> Self {
        Self::Failed {
            message: failure.message,
            code: failure.code,
        }
    }
}

/// Creates the container and starts its first process.
///
/// # Errors
/// The library's, and those of pipes and sockets.
pub(super) fn container(launch: &Launch) -> Result<(Container, Pid, Stdio), Failure> {
    let state = launch.state();
    fs::create_dir_all(&state).map_err(Failure::new)?;
    let console = Console::open(launch.tty, &launch.run, "console.sock")?;
    let ends = Ends::new(launch.tty, launch.open_stdin).map_err(Failure::new)?;
    let confinement = confinement(launch)?;
    let spec = Rc::new(spec(launch)?);
    let mut seal = own_seal(&confinement)?;
    let theirs = console.as_ref().map(Console::connect).transpose()?;
    // From here on there is something to undo.
    let views = confinement.control_groups;
    let membership = Membership::new(&spec, &launch.groups, views.is_none());
    let membership = membership.map_err(|error| undone(launch, error))?;
    let opened = views.map(|view| ControlGroups::open(&launch.groups, view).map(Arc::new));
    seal.control_groups = opened.transpose().map_err(|error| undone(launch, error))?;
    let inside = Inside {
        executor: Exec {
            init: launch.init,
            size: launch.size,
            seal,
        },
        ends: ends.as_ref(),
        console: theirs.as_ref(),
    };
    let first = first::make(launch, &spec, &membership, inside);
    let first = first.inspect_err(|_| first::undo(launch))?;
    drop(theirs);
    let stdio = match (console, ends) {
        (Some(console), _) => console.receive().map(Stdio::terminal),
        (None, ends) => Ok(ends.map(|ends| ends.ours).unwrap_or_default()),
    };
    match stdio.and_then(|stdio| wait_for_word().map(|()| stdio)) {
        Ok(stdio) => first
            .begin()
            .map(|(container, pid)| (container, pid, stdio)),
        Err(failure) => {
            first.undo();
            Err(failure)
        }
    }
}

/// Waits until the daemon has made everything that the container needs from outside. Without a daemon, nobody knows of
/// the container, and it must not begin.
fn wait_for_word() -> Result<(), Failure> {
    let mut word = [0];
    match std::io::stdin().read(&mut word) {
        Ok(1) => Ok(()),
        _ => Err(Failure {
            message: "the daemon has given up".to_owned(),
            code: None,
        }),
    }
}

/// Starts another process in the container.
///
/// # Errors
/// As of [`container`].
pub(super) fn process(launch: &Launch, exec: &ExecRequest) -> Result<(Pid, Stdio), Failure> {
    let name = format!("{}.sock", &exec.id[..exec.id.len().min(12)]);
    let console = Console::open(exec.tty, &launch.run, &name)?;
    let ends = Ends::new(exec.tty, exec.streams.stdin).map_err(Failure::new)?;
    let seal = seal(launch, exec)?;
    let executor = Exec {
        init: false,
        size: exec.size,
        seal,
    };
    let (builder, stdio) = with_ends(builder(launch, executor, console.as_ref())?, ends);
    let score = OwnScore::read();
    let built = builder
        .as_tenant()
        .with_process(Some(&exec.process))
        .with_detach(true)
        .build();
    score.restore();
    let pid = built.map_err(Failure::new)?;
    let stdio = match console {
        Some(console) => Stdio::terminal(console.receive()?),
        None => stdio,
    };
    Ok((Pid::from_raw(pid.as_raw()), stdio))
}

/// After the container could not be made: its control groups may be there already.
fn undone(launch: &Launch, error: impl std::error::Error) -> Failure {
    first::undo(launch);
    Failure::new(error)
}

/// The container's specification.
fn spec(launch: &Launch) -> Result<Spec, Failure> {
    let bundle = launch.bundle();
    let mut spec = Spec::load(bundle.join("config.json")).map_err(Failure::new)?;
    spec.canonicalize_rootfs(bundle).map_err(Failure::new)?;
    Ok(spec)
}

fn confinement(launch: &Launch) -> Result<Confinement, Failure> {
    let confinement = store::read(&launch.confinement()).map_err(Failure::new)?;
    confinement.ok_or_else(|| Failure {
        message: format!("there is no {}", launch.confinement().display()),
        code: None,
    })
}

/// How the first process is confined: see [`Seal`].
fn own_seal(confinement: &Confinement) -> Result<Seal, Failure> {
    let filter = confinement.filter.as_deref().map(Filter::load);
    Ok(Seal {
        filter: filter.transpose().map_err(Failure::new)?,
        capabilities: confinement.capabilities.clone(),
        no_new_privileges: confinement.no_new_privileges,
        control_groups: None,
    })
}

/// How a further process is confined: by the container's filter, and its own capabilities. The
/// process as the library gets it, without capabilities, takes the place of the daemon's file, which
/// the daemon removes.
fn seal(launch: &Launch, exec: &ExecRequest) -> Result<Seal, Failure> {
    let own = own_seal(&confinement(launch)?)?;
    let wanted: Option<Process> = store::read(&exec.process).map_err(Failure::new)?;
    let mut process = wanted.ok_or_else(|| Failure {
        message: format!("there is no {}", exec.process.display()),
        code: None,
    })?;
    let seal = Seal {
        filter: own.filter,
        control_groups: None,
        capabilities: process.capabilities().clone(),
        no_new_privileges: process.no_new_privileges() == Some(true),
    };
    process.set_capabilities(None);
    store::write(&exec.process, &process).map_err(Failure::new)?;
    Ok(seal)
}

fn builder(
    launch: &Launch,
    executor: Exec,
    console: Option<&Console>,
) -> Result<ContainerBuilder, Failure> {
    let builder = ContainerBuilder::new(launch.id.clone(), SyscallType::default())
        .with_executor(executor)
        .with_root_path(launch.state())
        .map_err(Failure::new)?;
    Ok(builder.with_console_socket(console.map(|console| console.path.clone())))
}

fn with_ends(builder: ContainerBuilder, ends: Option<Ends>) -> (ContainerBuilder, Stdio) {
    let Some(ends) = ends else {
        return (builder, Stdio::default());
    };
    let builder = builder
        .with_stdin(ends.stdin)
        .with_stdout(ends.stdout)
        .with_stderr(ends.stderr);
    (builder, ends.ours)
}

/// How readily the kernel kills the shim for memory. The library gives the container its score by
/// way of the process that calls it.
struct OwnScore(Option<String>);

impl OwnScore {
    const FILE: &str = "/proc/self/oom_score_adj";

    fn read() -> Self {
        Self(fs::read_to_string(Self::FILE).ok())
    }

    fn restore(self) {
        if let Some(score) = self.0 {
            let _ = fs::write(Self::FILE, score);
        }
    }
}

/// Where the library hands over the terminal it made in the container; the socket goes with this.
struct Console {
    path: PathBuf,
    listener: UnixListener,
}

impl Console {
    fn open(tty: bool, folder: &Path, name: &str) -> Result<Option<Self>, Failure> {
        if !tty {
            return Ok(None);
        }
        let path = folder.join(name);
        let _ = fs::remove_file(&path);
        let listener = socket::listen(&path).map_err(Failure::new)?;
        Ok(Some(Self { path, listener }))
    }

    /// An end for the process in the container.
    fn connect(&self) -> Result<OwnedFd, Failure> {
        let end = socket::connect(&self.path).map_err(Failure::new)?;
        Ok(end.into())
    }

    fn receive(self) -> Result<OwnedFd, Failure> {
        let (connection, _) = self.listener.accept().map_err(Failure::new)?;
        let mut bytes = [0; 256];
        let (_, terminal) =
            socket::receive(connection.as_raw_fd(), &mut bytes).map_err(Failure::new)?;
        terminal.ok_or_else(|| Failure {
            message: "the container's terminal did not arrive".to_owned(),
            code: None,
        })
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}
