//! The engines that tests run against. One is started for the whole run and ends with the test process, whichever way
//! that ends: its script sees its standard input close.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use super::events::Recorder;

/// A running engine.
pub(crate) struct Engine {
    /// What clients need in `DOCKER_HOST`.
    pub(crate) host: String,
    /// The engine's network namespace, where published ports are.
    pub(crate) network: File,
    /// All that the engine told since its start.
    pub(crate) events: Recorder,
    /// Its first process, as the machine counts.
    pid: String,
    /// Its folder, as itself sees it.
    state: PathBuf,
    /// Kept for its standard input.
    _child: Child,
}

static ENGINE: LazyLock<Engine> = LazyLock::new(|| started("engine", &[]));

/// Starts an engine of the kind that this run is for, with these settings of fixtures/engine.sh.
fn started(name: &str, settings: &[(&str, &str)]) -> Engine {
    let kind = std::env::var("RCOMPOSE_TEST_ENGINE").unwrap_or_else(|_| "docker".to_owned());
    let mut settings = settings.to_owned();
    match kind.as_str() {
        "docker" => require("dockerd", "docker.io"),
        "bundled" => settings.push(("RCOMPOSE_BUNDLED", env!("CARGO_BIN_EXE_rcompose"))),
        dockerd if Path::new(dockerd).is_absolute() => {
            settings.push(("RCOMPOSE_DOCKERD", dockerd));
        }
        other => panic!(
            "RCOMPOSE_TEST_ENGINE is {other:?}: it can be docker (the installed one), the path of a dockerd, or bundled"
        ),
    }
    serve(name, &settings)
}

/// Whether this run is for the bundled engine.
pub(crate) fn is_bundled() -> bool {
    std::env::var("RCOMPOSE_TEST_ENGINE").is_ok_and(|kind| kind == "bundled")
}

/// The engine of this run, with the images that most tests use.
pub(crate) fn engine() -> &'static Engine {
    &ENGINE
}

/// The folder of the repository.
pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Another engine beside the one of this run, of the same kind, with so much room for its data. It lives as long.
pub(crate) fn small_engine(disk: &str) -> &'static Engine {
    Box::leak(Box::new(started(
        "small",
        &[("RCOMPOSE_ENGINE_DISK", disk)],
    )))
}

/// Another engine that keeps its images in containerd's store, as Docker does from version 29 on.
pub(crate) fn containerd_engine() -> &'static Engine {
    Box::leak(Box::new(started(
        "containerd",
        &[
            ("RCOMPOSE_ENGINE_DISK", "512m"),
            ("RCOMPOSE_ENGINE_IMAGES", "containerd"),
        ],
    )))
}

/// Another engine where nothing else goes on; one test at a time has it.
pub(crate) fn quiet_engine() -> (&'static Engine, MutexGuard<'static, ()>) {
    static QUIET: LazyLock<&'static Engine> = LazyLock::new(|| small_engine("512m"));
    static TURN: Mutex<()> = Mutex::new(());
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    (*QUIET, turn)
}

fn require(tool: &str, package: &str) {
    assert!(
        installed(tool),
        "{tool} is missing: apt-get install {package} (tests/run.sh does so)"
    );
}

fn serve(name: &str, settings: &[(&str, &str)]) -> Engine {
    assert!(
        nix::unistd::geteuid().is_root(),
        "these tests start an engine of their own, which needs root"
    );
    require("docker", "docker.io");
    require("busybox", "busybox-static");
    // Several tests have small engines, at the same time.
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let own = format!("rcompose-{name}{number}-{}", std::process::id());
    let state = std::env::temp_dir().join(own);
    let mut command = Command::new(repository().join("fixtures/engine.sh"));
    command
        .arg("serve")
        .arg(&state)
        .stdin(Stdio::piped())
        .envs(settings.iter().copied());
    // Apart from the terminal's process group, so that Ctrl-C ends the tests and not the engine under them.
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command.spawn().expect("fixtures/engine.sh starts");
    let host = format!("unix://{}/docker.sock", state.display());
    let what = format!("the engine answers (see {}/dockerd.log)", state.display());
    let pid = super::eventually(60, &what, || {
        let ended = child.try_wait().expect("it is our process");
        assert!(ended.is_none(), "the engine does not start: {ended:?}");
        let pid = std::fs::read_to_string(state.join("pid")).ok()?;
        docker_command(&host, &["version"]).then_some(pid)
    });
    let engine = Engine {
        network: File::open(format!("/proc/{}/ns/net", pid.trim()))
            .expect("the engine's namespace"),
        events: Recorder::start(&host),
        host,
        pid: pid.trim().to_owned(),
        state,
        _child: child,
    };
    make_images(&engine.host, "tests");
    engine
}

fn installed(tool: &str) -> bool {
    let path = std::env::var("PATH").unwrap_or_default();
    path.split(':')
        .chain(["/usr/sbin", "/sbin"])
        .any(|folder| Path::new(folder).join(tool).is_file())
}

fn docker_command(host: &str, arguments: &[&str]) -> bool {
    Command::new("docker")
        .args(arguments)
        .env("DOCKER_HOST", host)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Makes the images of one example project, once a run.
pub(crate) fn images_of(project: &'static str) {
    static MADE: Mutex<Vec<&str>> = Mutex::new(Vec::new());
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    if !made.contains(&project) {
        make_images(&engine().host, project);
        made.push(project);
    }
}

/// Makes images on an engine; on one engine after the other, for the script keeps what it makes them of in one place.
fn make_images(host: &str, project: &str) {
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let script: PathBuf = repository().join("fixtures/images.sh");
    let made = Command::new(script)
        .arg(project)
        .env("DOCKER_HOST", host)
        .stdin(Stdio::null())
        .status();
    assert!(
        made.is_ok_and(|status| status.success()),
        "fixtures/images.sh {project} failed"
    );
}

impl Engine {
    /// What the docker command prints, without the last line break; fails when it fails.
    pub(crate) fn docker(&self, arguments: &[&str]) -> String {
        let output = Command::new("docker")
            .args(arguments)
            .env("DOCKER_HOST", &self.host)
            .stdin(Stdio::null())
            .output()
            .expect("the docker command runs");
        assert!(
            output.status.success(),
            "docker {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout)
            .trim_end()
            .to_owned()
    }

    /// Where a path below its folder for data is for the tests.
    pub(crate) fn data(&self, path: &str) -> PathBuf {
        let state = self.state.strip_prefix("/").unwrap_or(&self.state);
        let root = Path::new("/proc").join(&self.pid).join("root");
        root.join(state).join("data").join(path)
    }

    /// What is mounted below its folder: of containers and of steps of builds.
    pub(crate) fn mounts(&self) -> Vec<String> {
        let path = Path::new("/proc").join(&self.pid).join("mountinfo");
        let mounts = std::fs::read_to_string(path).expect("the engine runs");
        let state = format!("{}/", self.state.display());
        let lines = mounts.lines().filter(|line| line.contains(&state));
        lines.map(ToOwned::to_owned).collect()
    }

    /// `docker inspect` of one object.
    pub(crate) fn inspect(&self, name: &str) -> serde_json::Value {
        let text = self.docker(&["inspect", name]);
        let mut objects: Vec<serde_json::Value> =
            serde_json::from_str(&text).expect("docker inspect prints JSON");
        objects.remove(0)
    }
}
