//! The shim's life: one loop over everything that can happen.

use std::fs;
use std::io::Write as _;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::ExitCode;

use libcontainer::container::Container;
use nix::errno::Errno;
use nix::sys::prctl;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::connection::{Connection, Role};
use super::create::{self, Failure};
use super::early;
use super::groups;
use super::log_file::LogFile;
use super::protocol::{ExecRequest, Notice, Reply, Stream};
use super::stdio::Stdio;
use super::{ExitRecord, Launch, socket};
use crate::{footprint, memory, store, time};

/// Number of the container's own process among a shim's processes.
pub(super) const FIRST: usize = 0;

/// The shim's process: `launch` is the file with its `Launch`.
///
/// On standard output goes one line, a `Reply`: the container runs, or why not. On standard input comes one when it
/// may be started.
pub(super) fn main(launch: &Path) -> ExitCode {
    let _ = prctl::set_name(c"rcompose-shim");
    match Shim::start(launch) {
        Ok(mut shim) => {
            report(&Reply::Done {
                pid: Some(shim.processes[FIRST].pid.as_raw()),
            });
            footprint::give_back();
            shim.run();
            ExitCode::SUCCESS
        }
        Err(failure) => {
            report(&Reply::from(failure));
            ExitCode::FAILURE
        }
    }
}

/// Answers the daemon, and closes the line to it, so that it sees the end.
fn report(reply: &Reply) {
    let mut output = std::io::stdout();
    if let Ok(line) = serde_json::to_string(reply) {
        let _ = writeln!(output, "{line}");
    }
    let mut both = fs::OpenOptions::new();
    if let Ok(null) = both.read(true).write(true).open("/dev/null") {
        let _ = nix::unistd::dup2_stdin(&null);
        let _ = nix::unistd::dup2_stdout(null);
    }
}

/// A process that the shim started.
pub(super) struct Process {
    /// Exec instance; none for the container's own process.
    pub(super) exec: Option<ExecRequest>,
    /// As the host numbers it.
    pub(super) pid: Pid,
    /// Our ends of its streams.
    pub(super) stdio: Stdio,
    /// Exit code, once it has ended.
    pub(super) ended: Option<i64>,
}

/// The state of a shim.
pub(super) struct Shim {
    /// What the daemon said.
    pub(super) launch: Launch,
    /// The container.
    pub(super) container: Container,
    /// Where clients connect.
    pub(super) listener: UnixListener,
    /// Where SIGCHLD arrives.
    pub(super) signals: SignalFd,
    /// The log, where one is kept.
    pub(super) log: Option<LogFile>,
    /// The container's own first, then exec instances; none is taken out, so numbers stay.
    pub(super) processes: Vec<Process>,
    /// The clients.
    pub(super) connections: Vec<Connection>,
}

impl Shim {
    fn start(path: &Path) -> Result<Self, Failure> {
        let failed = |error: Errno| Failure::new(error);
        let missing = || Failure {
            message: format!("there is no {}", path.display()),
            code: None,
        };
        let launch: Launch = store::read(path)
            .map_err(Failure::new)?
            .ok_or_else(missing)?;
        // No terminal's end is ours.
        let _ = nix::unistd::setsid();
        prctl::set_child_subreaper(true).map_err(failed)?;
        let log = launch.log.as_deref();
        let log = log.map(|log| LogFile::open(log, launch.limits));
        let log = log.transpose().map_err(Failure::new)?;
        let socket = Launch::socket(&launch.run);
        let _ = fs::remove_file(&socket);
        let listener = socket::listen(&socket).map_err(Failure::new)?;
        listener.set_nonblocking(true).map_err(Failure::new)?;
        let connections = early::clients(&listener, launch.attached);
        let created = create::container(&launch);
        if created.is_err() {
            let _ = fs::remove_file(&socket);
        }
        let (container, pid, stdio) = created?;
        // After the container was made: its processes must not inherit a blocked SIGCHLD.
        let mut mask = SigSet::empty();
        mask.add(Signal::SIGCHLD);
        mask.thread_block().map_err(failed)?;
        let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
        let signals = SignalFd::with_flags(&mask, flags).map_err(failed)?;
        let process = Process {
            exec: None,
            pid,
            stdio,
            ended: None,
        };
        Ok(Self {
            launch,
            container,
            listener,
            signals,
            log,
            processes: vec![process],
            connections,
        })
    }

    fn run(&mut self) {
        // It may have ended before SIGCHLD was watched.
        self.reap();
        while self.processes[FIRST].ended.is_none() {
            for source in self.wait() {
                self.handle(source);
            }
            self.connections.retain(|connection| !connection.is_over());
        }
        self.end();
    }

    /// Takes note of every process that has ended.
    pub(super) fn reap(&mut self) {
        loop {
            let (pid, code) = match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::Exited(pid, code)) => (pid, i64::from(code)),
                Ok(WaitStatus::Signaled(pid, signal, _)) => (pid, 128 + signal as i64),
                Ok(WaitStatus::StillAlive) | Err(_) => return,
                Ok(_) => continue,
            };
            let ended = |process: &Process| process.ended.is_none() && process.pid == pid;
            if let Some(number) = self.processes.iter().position(ended) {
                self.processes[number].ended = Some(code);
                if number != FIRST {
                    self.finish_exec(number, code);
                }
            }
        }
    }

    /// What an exec instance wrote last is in its pipes still; then its clients get its code.
    fn finish_exec(&mut self, number: usize, code: i64) {
        self.drain(number);
        self.processes[number].stdio = Stdio::default();
        for connection in &mut self.connections {
            if connection.role == Role::Attached(number) {
                connection.frame(Stream::Exit, code.to_string().as_bytes());
                connection.finish();
            }
        }
    }

    fn drain(&mut self, number: usize) {
        while self.output(number, Stream::Stdout) {}
        while self.output(number, Stream::Stderr) {}
    }

    /// The container has ended: writes everything down, tells everybody.
    fn end(&mut self) {
        let code = self.processes[FIRST].ended.unwrap_or_default();
        let oom = memory::was_exceeded(&self.launch.groups);
        // The other processes of the container have no right to outlive it.
        let state = self.launch.state().join(&self.launch.id);
        if let Err(error) =
            groups::remove(&self.launch.groups).and_then(|()| fs::remove_dir_all(state))
        {
            tracing::error!("remove the container's runtime state: {error}");
        }
        self.reap();
        for number in 0..self.processes.len() {
            self.drain(number);
        }
        self.write_log(LogFile::finish);
        let record = ExitRecord {
            code,
            oom,
            finished_at: time::now(),
        };
        if let Err(error) = store::write_volatile(&Launch::exit(&self.launch.run), &record) {
            tracing::error!("{error}");
        }
        let _ = fs::remove_file(Launch::socket(&self.launch.run));
        for connection in &mut self.connections {
            match connection.role {
                Role::Watching => connection.line(&Notice::Exited),
                Role::Attached(FIRST) => {
                    connection.frame(Stream::Exit, code.to_string().as_bytes());
                }
                // Exec instances that were killed with the container.
                Role::Attached(number) if self.processes[number].ended.is_none() => {
                    connection.frame(Stream::Exit, b"137");
                }
                Role::New | Role::Answered | Role::Attached(_) => {}
            }
            connection.flush();
        }
    }
}
