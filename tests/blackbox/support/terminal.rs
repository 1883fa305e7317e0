//! A pseudo-terminal with a program on it: what a person would see, and what they would type.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::num::NonZeroU16;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::pty::{Winsize, openpty};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rustix::termios::{LocalModes, tcgetattr, tcsetwinsize};

use super::project::{Project, rcompose};

/// Longest a text may take to appear, and a program to end.
const LIMIT: Duration = Duration::from_secs(60);

/// Columns and rows of a new terminal.
pub(crate) const SIZE: (u16, u16) = (100, 30);

/// A terminal whose foreground program was started by a test.
pub(crate) struct Terminal {
    child: Child,
    /// The side of the person.
    keyboard: File,
    /// The side of the program; kept so that its modes can be looked at after the program's end.
    line: File,
    /// Modes before the program ran.
    modes: LocalModes,
    output: Arc<Output>,
    reader: Option<JoinHandle<()>>,
    /// Up to where [`Terminal::expect`] has found what it looked for, in bytes.
    seen: usize,
}

/// What was written to the terminal.
#[derive(Default)]
struct Output {
    written: Mutex<Written>,
    more: Condvar,
}

#[derive(Default)]
struct Written {
    bytes: Vec<u8>,
    ended: bool,
}

/// How a program on a terminal ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Exit code; 128 + n for signal n.
    pub(crate) code: i32,
    /// All that was written.
    pub(crate) text: String,
    /// Whether the terminal is in the modes in which it was before.
    pub(crate) restored: bool,
}

impl Ended {
    /// Itself, after checking the exit code, and that the terminal is as it was before.
    #[track_caller]
    pub(crate) fn code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "exit code; it said {self:#?}");
        assert!(self.restored, "the terminal's modes are others: {self:#?}");
        self
    }
}

impl Project {
    /// Starts rcompose on a terminal of its own: as its leader, with all three streams on it.
    pub(crate) fn on_terminal(&self, arguments: &[&str]) -> Terminal {
        let program = rcompose().display().to_string();
        let mut line = vec!["--ctty", program.as_str()];
        line.extend(arguments);
        let mut command = self.command(Path::new("setsid"), &line);
        command.env("TERM", "xterm-256color");
        Terminal::start(command)
    }

    /// Starts a shell with job control on a terminal of its own; `rcompose` is an alias in it.
    pub(crate) fn shell_on_terminal(&self) -> Terminal {
        let line = ["--ctty", "bash", "--noprofile", "--rcfile", "rc", "-i"];
        let program = rcompose().display();
        self.file("rc", &format!("PS1='$ '; alias rcompose={program}\n"));
        let mut command = self.command(Path::new("setsid"), &line);
        command.env("TERM", "xterm-256color");
        Terminal::start(command)
    }
}

impl Terminal {
    /// Starts a command that makes the terminal on its standard input its own.
    fn start(mut command: Command) -> Self {
        let (columns, rows) = SIZE;
        let size = Winsize {
            ws_row: rows,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        let pair = openpty(Some(&size), None).expect("a pseudo-terminal");
        let (keyboard, line) = (File::from(pair.master), File::from(pair.slave));
        let modes = tcgetattr(&line).expect("it is a terminal").local_modes;
        let side = || Stdio::from(line.try_clone().expect("a file descriptor"));
        let child = command
            .stdin(side())
            .stdout(side())
            .stderr(side())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let output = Arc::<Output>::default();
        let reader = read_on(&keyboard, &output);
        Self {
            child,
            keyboard,
            line,
            modes,
            output,
            reader: Some(reader),
            seen: 0,
        }
    }

    /// All that was written so far.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.written().bytes).into_owned()
    }

    /// The lines that a person sees now, without the empty ones.
    pub(crate) fn screen(&self) -> Vec<String> {
        let screen = contents(&self.written().bytes);
        let lines = screen.lines().map(str::trim_end);
        lines
            .filter(|line| !line.is_empty())
            .map(str::to_owned)
            .collect()
    }

    /// Waits until `wanted` is written, after what was waited for before.
    #[track_caller]
    pub(crate) fn expect(&mut self, wanted: &str) {
        let from = self.seen;
        let what = format!("{wanted:?} did not come");
        let end = self.wait(&what, |written| {
            let new = written.bytes.get(from..).unwrap_or_default();
            let found = new
                .windows(wanted.len())
                .position(|part| part == wanted.as_bytes())?;
            Some(from + found + wanted.len())
        });
        self.seen = end;
    }

    /// Waits until the screen has such a line.
    #[track_caller]
    pub(crate) fn expect_line(&self, what: &str, mut wanted: impl FnMut(&str) -> bool) {
        self.wait(&format!("no line: {what}"), |written| {
            let screen = contents(&written.bytes);
            let mut lines = screen.lines().map(str::trim_end);
            lines.any(&mut wanted).then_some(())
        });
    }

    /// Waits until `probe` finds something in what was written.
    #[track_caller]
    fn wait<T>(&self, what: &str, mut probe: impl FnMut(&Written) -> Option<T>) -> T {
        let deadline = Instant::now() + LIMIT;
        let mut written = self.written();
        loop {
            if let Some(found) = probe(&written) {
                return found;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || written.ended {
                drop(written);
                panic!("{what}: {:#?}\n{:?}", self.screen(), self.text());
            }
            written = self
                .output
                .more
                .wait_timeout(written, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// Types on the keyboard.
    pub(crate) fn type_in(&mut self, keys: &[u8]) {
        self.keyboard.write_all(keys).expect("the terminal is open");
    }

    /// Changes the size of the terminal.
    pub(crate) fn resize(&self, columns: u16, rows: u16) {
        let mut size = rustix::termios::tcgetwinsize(&self.keyboard).expect("it is a terminal");
        (size.ws_col, size.ws_row) = (columns, rows);
        tcsetwinsize(&self.keyboard, size).expect("it is a terminal");
    }

    /// Sends a signal to the program.
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id().cast_signed());
        kill(pid, signal).expect("the program runs");
    }

    /// Whether the program still runs.
    pub(crate) fn runs(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits for the end of the program.
    #[track_caller]
    pub(crate) fn finish(mut self) -> Ended {
        let deadline = Instant::now() + LIMIT;
        let status = loop {
            if let Ok(Some(status)) = self.child.try_wait() {
                break status;
            }
            assert!(
                Instant::now() < deadline,
                "no end: {:#?}\n{:?}",
                self.screen(),
                self.text()
            );
            std::thread::sleep(Duration::from_millis(5));
        };
        let modes = tcgetattr(&self.line).expect("it is a terminal").local_modes;
        let restored = modes == self.modes;
        // Without it the person's side sees an end.
        self.line = File::open("/dev/null").expect("it is there");
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
        Ended {
            code: status
                .code()
                .unwrap_or_else(|| 128 + status.signal().unwrap_or_default()),
            text: self.text(),
            restored,
        }
    }

    fn written(&self) -> MutexGuard<'_, Written> {
        self.output
            .written
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if self.runs() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// What a person sees after these bytes.
fn contents(bytes: &[u8]) -> String {
    let [columns, rows] = [SIZE.0, SIZE.1].map(|count| NonZeroU16::new(count).expect("not 0"));
    let mut parser = vt100::Parser::new(rows, columns, 0);
    parser.process(bytes);
    parser.screen().contents()
}

/// Collects what is written until the program's side of the terminal is closed.
fn read_on(keyboard: &File, output: &Arc<Output>) -> JoinHandle<()> {
    let mut screen = keyboard.try_clone().expect("a file descriptor");
    let output = Arc::clone(output);
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        loop {
            let count = screen.read(&mut buffer).unwrap_or(0);
            let mut written = output
                .written
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            written.bytes.extend_from_slice(&buffer[..count]);
            written.ended = count == 0;
            output.more.notify_all();
            if count == 0 {
                return;
            }
        }
    })
}
