//! Files that ask for too much: the real binary, with little memory and no engine, has to say
//! what is wrong and where.

#![cfg(target_os = "linux")]

mod files;
mod texts;

use std::path::Path;
use std::process::{Command, Stdio};

use nix::sys::resource::{UsageWho, getrusage};

/// Most memory that a run may take at its peak, in KiB: 100 MiB, and what the code of a test build
/// takes more than that of a release (`version` takes 24 MB instead of 9).
const MEMORY: i64 = if cfg!(debug_assertions) { 115 } else { 100 } * 1024;

/// Where a run is stopped, in KiB of address space: what gets out of hand shall fail a test, not
/// fill the machine. It counts code that is never loaded and what the allocator only reserves;
/// hence the distance to [`MEMORY`].
const ADDRESS_SPACE: u32 = 256 * 1024;

/// What the program said.
#[derive(Debug)]
struct Outcome {
    code: Option<i32>,
    stderr: String,
}

/// A folder with one compose file.
struct Case {
    folder: tempfile::TempDir,
    environment: Vec<(String, String)>,
}

impl Case {
    fn new(compose: &str) -> Self {
        let case = Self {
            folder: tempfile::tempdir().expect("a folder"),
            environment: Vec::new(),
        };
        case.file("compose.yaml", compose.as_bytes());
        case
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn file(&self, name: &str, content: &[u8]) {
        std::fs::write(self.path().join(name), content).expect("the folder can be written to");
    }

    /// `config -q` with further arguments in front, within [`MEMORY`] and [`ADDRESS_SPACE`].
    fn config(&self, arguments: &[&str]) -> Outcome {
        let limited = format!("ulimit -v {ADDRESS_SPACE} && exec \"$0\" \"$@\"");
        let output = Command::new("sh")
            .args(["-c", &limited, env!("CARGO_BIN_EXE_rcompose")])
            .args(arguments)
            .args(["config", "-q"])
            .current_dir(self.path())
            .env_clear()
            .env("DOCKER_HOST", "unix:///nonexistent/docker.sock")
            .env("COMPOSE_PROJECT_NAME", "hostile")
            .envs(self.environment.iter().cloned())
            .stdin(Stdio::null())
            .output()
            .expect("the program starts");
        assert!(
            peak() < MEMORY,
            "this run, or one before it, took {} KiB",
            peak()
        );
        Outcome {
            code: output.status.code(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The files are refused with `message`, at `place` (`compose.yaml:1:2`, or part of it).
    #[track_caller]
    fn refused(&self, place: &str, message: &str) {
        let outcome = self.config(&[]);
        outcome.refused(place, message);
    }

    /// The files are read.
    #[track_caller]
    fn accepted(&self) {
        let outcome = self.config(&[]);
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
    }
}

/// The most memory that one of the programs run so far took, in KiB.
fn peak() -> i64 {
    getrusage(UsageWho::RUSAGE_CHILDREN)
        .expect("usage is counted")
        .max_rss()
}

impl Outcome {
    #[track_caller]
    fn refused(&self, place: &str, message: &str) {
        let shown: String = self.stderr.chars().take(2000).collect();
        assert_eq!(self.code, Some(1), "{shown}");
        let line = self.stderr.lines().find(|line| line.contains(message));
        let line = line.unwrap_or_else(|| panic!("{message:?} is not in {shown}"));
        assert!(line.contains(place), "{place:?} is not in {line:?}");
        assert!(self.stderr.len() < 100_000, "says too much: {shown}");
    }
}
