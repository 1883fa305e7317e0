//! A project of one test: its name, its folder, its ports, and nothing of it left on the engine.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU16, Ordering};

use super::engine::{Engine, engine};
use super::process::{Outcome, Running, start};

/// A shell and the demo program, for compose files of tests.
pub(crate) const IMAGE: &str = "rcompose-fixtures/busybox:1";

/// A project on the engine of this run. Dropping it removes what is left of it.
pub(crate) struct Project {
    /// Its name, unique in this run.
    pub(crate) name: String,
    engine: &'static Engine,
    folder: tempfile::TempDir,
    environment: Vec<(String, String)>,
}

/// A port of the engine's network that no other test uses.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(20_000);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

impl Project {
    /// A project without files.
    pub(crate) fn empty(topic: &str) -> Self {
        static NEXT: AtomicU16 = AtomicU16::new(1);
        let name = format!("{topic}{}", NEXT.fetch_add(1, Ordering::Relaxed));
        Self {
            engine: engine(),
            folder: tempfile::Builder::new()
                .prefix("rcompose-project-")
                .tempdir()
                .expect("a folder for the project"),
            environment: vec![("COMPOSE_PROJECT_NAME".to_owned(), name.clone())],
            name,
        }
    }

    /// A project of one compose file, in which `IMAGE` stands for the test image.
    pub(crate) fn new(topic: &str, compose: &str) -> Self {
        let project = Self::empty(topic);
        project.file("compose.yaml", compose);
        project
    }

    /// The same project on another engine.
    pub(crate) fn on(mut self, engine: &'static Engine) -> Self {
        self.engine = engine;
        self
    }

    /// Writes a file, making its folders; `IMAGE` stands for the test image.
    pub(crate) fn file(&self, path: &str, text: &str) -> PathBuf {
        let path = self.path().join(path);
        let folder = path.parent().expect("a file is in a folder");
        std::fs::create_dir_all(folder).expect("the project's folder is writable");
        std::fs::write(&path, text.replace("IMAGE", IMAGE))
            .expect("the project's folder is writable");
        path
    }

    /// The project's folder.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Sets a variable in the environment of every later command.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// Name of the container of a service.
    pub(crate) fn container(&self, service: &str, number: u32) -> String {
        format!("{}-{service}-{number}", self.name)
    }

    /// The engine that the project is on.
    pub(crate) fn engine(&self) -> &'static Engine {
        self.engine
    }

    /// A command in the project's folder and environment.
    pub(crate) fn command(&self, program: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(self.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.path())
            .env("DOCKER_HOST", &self.engine.host)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        command
    }

    /// A command where the engine's network is: what listens there on the loopback device is in reach.
    pub(crate) fn command_at_engine(&self, program: &Path, arguments: &[&str]) -> Command {
        let file = std::os::fd::AsRawFd::as_raw_fd(&self.engine.network);
        let network = format!("--net=/proc/{}/fd/{file}", std::process::id());
        let program = program.to_string_lossy();
        let words = [&[&*network, "--", &*program], arguments].concat();
        self.command(Path::new("nsenter"), &words)
    }

    /// Runs rcompose to its end where the engine's network is.
    #[track_caller]
    pub(crate) fn rcompose_at_engine(&self, arguments: &[&str]) -> Outcome {
        start(self.command_at_engine(rcompose(), arguments)).finish()
    }

    /// Runs rcompose to its end.
    #[track_caller]
    pub(crate) fn rcompose(&self, arguments: &[&str]) -> Outcome {
        self.start(arguments).finish()
    }

    /// Starts rcompose.
    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        start(self.command(rcompose(), arguments))
    }

    /// Starts rcompose on a terminal of its own, on which the test can type.
    pub(crate) fn start_on_terminal(&self, arguments: &[&str]) -> Running {
        let mut line = format!("exec {}", rcompose().display());
        for argument in arguments {
            line.push(' ');
            line.push_str(argument);
        }
        let script = ["-q", "-e", "-f", "-c", &line, "/dev/null"];
        let mut command = self.command(Path::new("script"), &script);
        command
            .env("TERM", "xterm")
            .env("SHELL", "/bin/sh")
            .stdin(Stdio::piped());
        start(command)
    }

    /// Ids of the project's containers, running or not, sorted.
    pub(crate) fn container_ids(&self) -> Vec<String> {
        self.listed(&["ps", "--all", "--quiet", "--no-trunc"])
    }

    /// All that the engine has of the project: containers, networks, volumes.
    pub(crate) fn left(&self) -> Vec<String> {
        let mut left = self.listed(&["ps", "--all", "--format", "container {{.Names}}"]);
        left.extend(self.listed(&["network", "ls", "--format", "network {{.Name}}"]));
        left.extend(self.listed(&["volume", "ls", "--format", "volume {{.Name}}"]));
        left
    }

    /// Checks that the engine has nothing of the project.
    #[track_caller]
    pub(crate) fn assert_nothing_left(&self) {
        assert_eq!(self.left(), Vec::<String>::new(), "left of {}", self.name);
    }

    /// `down -v`, after which nothing may be left.
    #[track_caller]
    pub(crate) fn down(&self) {
        self.rcompose(&["down", "--volumes", "--timeout", "0"])
            .success();
        self.assert_nothing_left();
    }

    fn listed(&self, arguments: &[&str]) -> Vec<String> {
        let filter = format!("label=com.docker.compose.project={}", self.name);
        let mut arguments = arguments.to_vec();
        arguments.extend(["--filter", &filter]);
        let mut lines: Vec<String> = self
            .engine
            .docker(&arguments)
            .lines()
            .map(ToOwned::to_owned)
            .collect();
        lines.sort();
        lines
    }
}

/// The program under test: ours, or the one of `RCOMPOSE_TEST_BINARY`, to see what another one does.
pub(crate) fn rcompose() -> &'static Path {
    static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| {
        let other = std::env::var_os("RCOMPOSE_TEST_BINARY");
        other.map_or_else(
            || PathBuf::from(env!("CARGO_BIN_EXE_rcompose")),
            PathBuf::from,
        )
    });
    &PROGRAM
}

impl Drop for Project {
    fn drop(&mut self) {
        // A failed test must not disturb others, nor hide its message behind one of its cleaning up.
        for line in self.left() {
            let Some((kind, name)) = line.split_once(' ') else {
                continue;
            };
            let mut command = Command::new("docker");
            command.args([kind, "rm", "--force", name]);
            if kind == "container" {
                command.arg("--volumes");
            }
            let removing = command
                .env("DOCKER_HOST", &self.engine.host)
                .stdout(Stdio::null());
            let _ = removing.stderr(Stdio::null()).status();
        }
    }
}
