//! The process that shims are forked from.
//!
//! To execute this program anew beside each container would take longer than all that a shim does
//! before it makes the container, and each would have its own copy of what the loader and the
//! program's beginning write. So it is executed once, has a single thread, and forks a shim for
//! every file with a [`Launch`](super::Launch) that the daemon names. It ends with the daemon; the
//! shims do not.

use std::env;
use std::fs::OpenOptions;
use std::io::IoSlice;
use std::os::fd::{AsFd, AsRawFd as _, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::{Mutex, PoisonError};

use nix::errno::Errno;
use nix::libc::PATH_MAX;
use nix::sys::prctl;
use nix::sys::signal::{SigHandler, Signal, signal};
use nix::sys::socket::{
    AddressFamily, ControlMessage, MsgFlags, SockFlag, SockType, sendmsg, socketpair,
};
use nix::unistd::{ForkResult, dup2_stderr, dup2_stdin, dup2_stdout, fork, setsid};

use super::{process, socket};
use crate::{Error, Result};

/// The daemon's side: the server is started when the first shim is wanted.
#[derive(Debug, Default)]
pub(crate) struct ForkServer(Mutex<Option<Server>>);

#[derive(Debug)]
struct Server {
    process: Child,
    /// Ends the server when it is closed.
    requests: Option<OwnedFd>,
}

impl ForkServer {
    /// Has a shim forked for the launch file; gives the line to it, which does not block. `folder` is told in the
    /// server's command line, so that a person sees whose it is.
    ///
    /// # Errors
    /// 500 when the server cannot be started.
    pub(super) fn fork(&self, launch: &Path, folder: &Path) -> Result<UnixStream> {
        let (ours, theirs) = UnixStream::pair().map_err(Error::internal)?;
        ours.set_nonblocking(true).map_err(Error::internal)?;
        let mut server = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = &*server
            && running.ask(launch, &theirs).is_ok()
        {
            return Ok(ours);
        }
        // There is none, or it has ended.
        let started = Server::start(folder)?;
        started
            .ask(launch, &theirs)
            .map_err(|error| Error::internal(format!("ask for a shim: {error}")))?;
        *server = Some(started);
        Ok(ours)
    }
}

#[cfg(test)]
impl ForkServer {
    /// Ends the server's process, as somebody from outside might.
    pub(super) fn kill(&self) {
        if let Some(server) = &mut *self.0.lock().unwrap() {
            server.process.kill().unwrap();
            server.process.wait().unwrap();
        }
    }
}

impl Server {
    fn start(folder: &Path) -> Result<Self> {
        let failed = |error: std::io::Error| Error::internal(format!("start shims: {error}"));
        let (ours, theirs) = socketpair(
            AddressFamily::Unix,
            SockType::SeqPacket,
            None,
            SockFlag::SOCK_CLOEXEC,
        )
        .map_err(|error| failed(error.into()))?;
        let name = env::current_exe().map_err(Error::internal)?;
        let mut command = Command::new(program());
        command
            .arg0(name)
            .args(["engine", "shims"])
            .arg(folder)
            .env_clear()
            .current_dir("/")
            .stdin(theirs)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Ok(Self {
            process: command.spawn().map_err(failed)?,
            requests: Some(ours),
        })
    }

    fn ask(&self, launch: &Path, line: &impl AsFd) -> nix::Result<()> {
        let requests = self.requests.as_ref().ok_or(Errno::EPIPE)?;
        let descriptors = [line.as_fd().as_raw_fd()];
        let rights = [ControlMessage::ScmRights(&descriptors)];
        let path = [IoSlice::new(launch.as_os_str().as_bytes())];
        let flags = MsgFlags::MSG_NOSIGNAL;
        sendmsg::<()>(requests.as_raw_fd(), &path, &rights, flags, None).map(drop)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.requests = None;
        let _ = self.process.wait();
    }
}

/// This program, even where its file has been replaced meanwhile.
#[cfg(not(test))]
fn program() -> PathBuf {
    PathBuf::from("/proc/self/exe")
}

/// The program of its own for tests: a test cannot be executed again as a shim.
#[cfg(test)]
pub(super) fn program() -> PathBuf {
    let test = env::current_exe().unwrap_or_default();
    let folder = test.parent().and_then(Path::parent).unwrap_or(&test);
    folder.join("examples/engine")
}

/// The server's process. Requests come on standard input: one packet each, with the path of a
/// launch file and the shim's end of a line to the daemon. Comes back in every shim as well.
///
/// Before any thread exists.
pub fn serve_forks() -> ExitCode {
    let _ = prctl::set_name(c"rcompose-shims");
    // No terminal's end is ours.
    let _ = setsid();
    // Shims are nobody's to wait for: who wants to know of their end watches their sockets.
    if action(SigHandler::SigIgn).is_err() {
        return ExitCode::FAILURE;
    }
    let requests = std::io::stdin();
    loop {
        let (launch, line) = match receive(requests.as_raw_fd()) {
            Ok(Some(request)) => request,
            // The daemon has ended.
            Ok(None) => return ExitCode::SUCCESS,
            Err(Errno::EINTR) => continue,
            Err(_) => return ExitCode::FAILURE,
        };
        #[expect(unsafe_code, reason = "fork has no safe wrapper")]
        // SAFETY: this process has one thread, so no other can have left a lock behind.
        let forked = unsafe { fork() };
        if let Ok(ForkResult::Child) = forked {
            return shim(&launch, line);
        }
        // When it cannot fork, the line is closed, and the daemon sees that nobody answers.
    }
}

fn shim(launch: &Path, line: OwnedFd) -> ExitCode {
    match begin(launch, line) {
        Ok(()) => process::main(launch),
        // Where it could be said is what is missing.
        Err(_) => ExitCode::FAILURE,
    }
}

/// Makes a process of its own of a fork: the line to the daemon is its standard input and output, as if it had been
/// executed.
fn begin(launch: &Path, line: OwnedFd) -> std::io::Result<()> {
    action(SigHandler::SigDfl)?;
    dup2_stdin(&line)?;
    dup2_stdout(line)?;
    let log = super::Launch::shim_log(launch.parent().unwrap_or(launch));
    let log = OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(true)
        .open(log)?;
    dup2_stderr(log)?;
    Ok(())
}

fn action(action: SigHandler) -> nix::Result<()> {
    #[expect(unsafe_code, reason = "handlers may be unsound; this is none")]
    // SAFETY: neither action runs code of ours.
    unsafe {
        signal(Signal::SIGCHLD, action).map(drop)
    }
}

/// The next request; `None` when there will be no more.
fn receive(requests: RawFd) -> nix::Result<Option<(PathBuf, OwnedFd)>> {
    let mut path = [0; PATH_MAX as usize];
    let (length, line) = socket::receive(requests, &mut path)?;
    let path = std::ffi::OsStr::from_bytes(&path[..length]);
    Ok(line.map(|line| (PathBuf::from(path), line)))
}
