//! Running rcompose (or another program) and looking at what it said.

use std::io::Read;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Longest a command may take unless a test says otherwise.
const LIMIT: Duration = Duration::from_secs(120);

/// A finished command.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Exit code; 128 + n for signal n.
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) took: Duration,
}

impl Outcome {
    /// Itself, after checking that the command succeeded.
    #[track_caller]
    pub(crate) fn success(self) -> Self {
        self.code(0)
    }

    /// Itself, after checking the exit code.
    #[track_caller]
    pub(crate) fn code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "exit code; it said {self:#?}");
        self
    }

    /// Itself, after checking that standard error contains `text`.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "{text:?} is not in {self:#?}");
        self
    }
}

/// A command that runs.
pub(crate) struct Running {
    child: Child,
    stdout: Arc<Mutex<Vec<u8>>>,
    stderr: Arc<Mutex<Vec<u8>>>,
    readers: Vec<JoinHandle<()>>,
    started: Instant,
}

/// Starts `command` with its output collected and, unless it has one already, no standard input.
pub(crate) fn start(mut command: Command) -> Running {
    let started = Instant::now();
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let stdout = Arc::default();
    let stderr = Arc::default();
    let readers = vec![
        collect(child.stdout.take().expect("a pipe"), &stdout),
        collect(child.stderr.take().expect("a pipe"), &stderr),
    ];
    Running {
        child,
        stdout,
        stderr,
        readers,
        started,
    }
}

fn collect(mut pipe: impl Read + Send + 'static, into: &Arc<Mutex<Vec<u8>>>) -> JoinHandle<()> {
    let into = Arc::clone(into);
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = pipe.read(&mut buffer) {
            into.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .extend_from_slice(&buffer[..count]);
        }
    })
}

fn text(bytes: &Mutex<Vec<u8>>) -> String {
    String::from_utf8_lossy(&bytes.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
}

impl Running {
    /// Standard output so far.
    pub(crate) fn stdout(&self) -> String {
        text(&self.stdout)
    }

    /// Standard error so far.
    pub(crate) fn stderr(&self) -> String {
        text(&self.stderr)
    }

    /// Waits until standard output contains `wanted`.
    #[track_caller]
    pub(crate) fn wait_for_stdout(&self, wanted: &str) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !self.stdout().contains(wanted) {
            assert!(
                Instant::now() < deadline,
                "{wanted:?} did not come; stdout: {}\nstderr: {}",
                self.stdout(),
                self.stderr()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Whether it still runs.
    pub(crate) fn runs(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Sends a signal to the process.
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id().cast_signed());
        kill(pid, signal).expect("the process takes signals");
    }

    /// Types `bytes` on its standard input.
    pub(crate) fn type_in(&mut self, bytes: &[u8]) {
        let input = self
            .child
            .stdin
            .as_mut()
            .expect("started with a pipe for its input");
        std::io::Write::write_all(input, bytes).expect("it reads its input");
        std::io::Write::flush(input).expect("it reads its input");
    }

    /// Ends its standard input.
    pub(crate) fn close_stdin(&mut self) {
        drop(self.child.stdin.take());
    }

    /// Waits for the end, at most the usual limit.
    #[track_caller]
    pub(crate) fn finish(mut self) -> Outcome {
        let deadline = self.started + LIMIT.max(self.started.elapsed() + Duration::from_secs(60));
        let status = loop {
            if let Ok(Some(status)) = self.child.try_wait() {
                break status;
            }
            if Instant::now() > deadline {
                let _ = self.child.kill();
                panic!(
                    "no end; stdout: {}\nstderr: {}",
                    self.stdout(),
                    self.stderr()
                );
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        let took = self.started.elapsed();
        for reader in std::mem::take(&mut self.readers) {
            let _ = reader.join();
        }
        Outcome {
            code: code(status),
            stdout: self.stdout(),
            stderr: self.stderr(),
            took,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.runs() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

fn code(status: ExitStatus) -> i32 {
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    status
        .code()
        .unwrap_or_else(|| 128 + signal.unwrap_or_default())
}
