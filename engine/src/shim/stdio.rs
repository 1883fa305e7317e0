//! The shim's ends of a process's standard streams.

use std::fs::File;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::fd::{AsFd, OwnedFd};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::unistd::pipe2;
use rustix::termios::{Winsize, tcsetwinsize};

use super::protocol::Stream;

/// How much standard input is kept for a process that does not read it.
const LARGEST_INPUT: usize = 64 * 1024;

/// The streams of one process, none of which blocks.
#[derive(Debug, Default)]
pub(super) struct Stdio {
    /// Standard output, or the terminal.
    pub(super) stdout: Option<File>,
    /// Standard error; none with a terminal.
    pub(super) stderr: Option<File>,
    /// Standard input; with a terminal that is `stdout` once more.
    pub(super) stdin: Option<File>,
    is_terminal: bool,
    input: Vec<u8>,
    input_ends: bool,
}

/// What a process gets, and what the shim keeps.
pub(super) struct Ends {
    /// The process's standard input.
    pub(super) stdin: OwnedFd,
    /// The process's standard output.
    pub(super) stdout: OwnedFd,
    /// The process's standard error.
    pub(super) stderr: OwnedFd,
    /// The other ends.
    pub(super) ours: Stdio,
}

impl Ends {
    /// Pipes; nothing where the process gets a terminal.
    ///
    /// # Errors
    /// When there can be no more descriptors.
    pub(super) fn new(tty: bool, stdin: bool) -> io::Result<Option<Self>> {
        if tty {
            return Ok(None);
        }
        let mut ours = Stdio::default();
        let theirs = if stdin {
            let (read, write) = pipe2(OFlag::O_CLOEXEC)?;
            ours.stdin = Some(not_blocking(write)?);
            read
        } else {
            File::open("/dev/null")?.into()
        };
        let (stdout, their_stdout) = pipe2(OFlag::O_CLOEXEC)?;
        let (stderr, their_stderr) = pipe2(OFlag::O_CLOEXEC)?;
        ours.stdout = Some(not_blocking(stdout)?);
        ours.stderr = Some(not_blocking(stderr)?);
        Ok(Some(Self {
            stdin: theirs,
            stdout: their_stdout,
            stderr: their_stderr,
            ours,
        }))
    }
}

fn not_blocking(descriptor: OwnedFd) -> io::Result<File> {
    fcntl(&descriptor, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    Ok(descriptor.into())
}

impl Stdio {
    /// A terminal: its controlling side.
    pub(super) fn terminal(master: OwnedFd) -> Self {
        let master = not_blocking(master).ok();
        Self {
            stdin: master.as_ref().and_then(|master| master.try_clone().ok()),
            stdout: master,
            is_terminal: true,
            ..Self::default()
        }
    }

    /// Reads what is there: nothing when there is nothing at the moment or any more.
    pub(super) fn read(&mut self, stream: Stream, buffer: &mut [u8]) -> usize {
        let file = match stream {
            Stream::Stderr => &mut self.stderr,
            Stream::Stdout | Stream::Exit => &mut self.stdout,
        };
        let Some(open) = file else { return 0 };
        match open.read(buffer) {
            Ok(0) => *file = None,
            Ok(length) => return length,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // A terminal that no process has open gives EIO.
            Err(_) => *file = None,
        }
        0
    }

    /// Whether more input may come: nothing is lost, the rest waits in the socket.
    pub(super) fn takes_input(&self) -> bool {
        self.input.len() < LARGEST_INPUT
    }

    /// Whether there is input to be written.
    pub(super) fn has_input(&self) -> bool {
        !self.input.is_empty()
    }

    /// Keeps input for the process and writes as much as it takes.
    pub(super) fn input(&mut self, bytes: &[u8]) {
        if self.stdin.is_some() {
            self.input.extend_from_slice(bytes);
            self.write_input();
        }
    }

    /// No more input comes. A terminal stays open.
    pub(super) fn end_input(&mut self) {
        self.input_ends = !self.is_terminal;
        self.write_input();
    }

    /// Writes as much of the kept input as the process takes.
    pub(super) fn write_input(&mut self) {
        while let Some(stdin) = &mut self.stdin
            && !self.input.is_empty()
        {
            match stdin.write(&self.input) {
                Ok(length) => drop(self.input.drain(..length)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => {
                    self.stdin = None;
                    self.input.clear();
                }
            }
        }
        if self.input_ends {
            self.stdin = None;
        }
    }

    /// Sets the terminal's size in columns and rows; nothing without a terminal.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn resize(&self, width: u16, height: u16) -> Result<(), Errno> {
        let Some(terminal) = self.stdout.as_ref().filter(|_| self.is_terminal) else {
            return Ok(());
        };
        set_size(terminal, width, height)
    }
}

/// Sets a terminal's size in columns and rows.
///
/// # Errors
/// The system's.
pub(super) fn set_size(terminal: impl AsFd, width: u16, height: u16) -> Result<(), Errno> {
    let size = Winsize {
        ws_row: height,
        ws_col: width,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(terminal, size).map_err(|error| Errno::from_raw(error.raw_os_error()))
}
