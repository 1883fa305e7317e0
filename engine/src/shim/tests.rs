//! Real containers: as root, with busybox for a root file system and the test program
//! `examples/engine` for a shim.

use std::fs;
use std::future::ready;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bollard_stubs::models::{ContainerCreateBody, HostConfig};
use tokio::io::AsyncWriteExt as _;
use tokio::time::timeout;

use super::log_file::Line;
use super::*;
use crate::container::{ExecInput, Machine, SpecInput, SpecMount, exec_process, runtime_spec};
use crate::{Error, Result, store};

mod commands;
mod isolation;

const BUSYBOX: &str = "/bin/busybox";

/// Where the shims of these tests come from.
static SHIMS: LazyLock<ForkServer> = LazyLock::new(ForkServer::default);

/// A container that has not been started.
struct Fixture {
    folder: tempfile::TempDir,
    launch: Launch,
    config: ContainerCreateBody,
    host: HostConfig,
    mounts: Vec<SpecMount>,
    machine: Machine,
}

/// `None`, with a message, where containers cannot be made here.
fn new(command: &[&str]) -> Option<Fixture> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    if !nix::unistd::geteuid().is_root() {
        eprintln!("skipped: needs root");
        return None;
    }
    let program = fork_server::program();
    assert!(Path::new(BUSYBOX).exists(), "install busybox-static");
    assert!(program.exists(), "run cargo build --example engine first");
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let id = format!("rcruntime{}n{number}", std::process::id());
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let rootfs = run.join("rootfs");
    fs::create_dir_all(run.join("bundle")).unwrap();
    for name in ["bin", "etc", "dev", "proc", "sys", "tmp"] {
        fs::create_dir_all(rootfs.join(name)).unwrap();
    }
    fs::copy(BUSYBOX, rootfs.join("bin/busybox")).unwrap();
    for name in [
        "sh", "cat", "sleep", "stty", "echo", "true", "id", "ps", "kill", "mknod", "unshare",
        "grep", "ls", "touch",
    ] {
        symlink("busybox", rootfs.join("bin").join(name)).unwrap();
    }
    fs::write(
        rootfs.join("etc/passwd"),
        "root:x:0:0::/root:/bin/sh\napp:x:1000:1000::/:/bin/sh\n",
    )
    .unwrap();
    fs::write(rootfs.join("etc/plain"), "").unwrap();
    let launch = Launch {
        log: Some(folder.path().join("log")),
        groups: Machine::detect().groups(&format!("/rcruntime-{id}")),
        id,
        run,
        limits: LogLimits::default(),
        tty: false,
        size: None,
        open_stdin: false,
        stdin_once: false,
        init: false,
        attached: 0,
    };
    let config = ContainerCreateBody {
        cmd: Some(command.iter().map(ToString::to_string).collect()),
        env: Some(vec!["PATH=/bin".to_owned()]),
        ..ContainerCreateBody::default()
    };
    Some(Fixture {
        folder,
        launch,
        config,
        host: HostConfig::default(),
        mounts: Vec::new(),
        machine: Machine::detect(),
    })
}

fn shell(script: &str) -> Option<Fixture> {
    new(&["sh", "-c", script])
}

impl Fixture {
    fn input<'a>(&'a self, rootfs: &'a Path, cgroup: &'a str) -> SpecInput<'a> {
        SpecInput {
            config: &self.config,
            host: &self.host,
            rootfs,
            mounts: &self.mounts,
            network: None,
            pid_of: None,
            ipc_of: None,
            shm: None,
            hostname: "box",
            domainname: "",
            cgroup,
            machine: &self.machine,
        }
    }

    fn rootfs(&self) -> PathBuf {
        self.launch.run.join("rootfs")
    }

    fn cgroup(&self) -> String {
        format!("/rcruntime-{}", self.launch.id)
    }

    fn prepare(&mut self) {
        self.config.tty = Some(self.launch.tty);
        let mut spec = runtime_spec(&self.input(&self.rootfs(), &self.cgroup())).unwrap();
        let filters = self.folder.path().join("filters");
        let confinement = Confinement::take(&mut spec, &filters).unwrap();
        confinement.save(&self.launch.run).unwrap();
        store::write(&self.launch.bundle().join("config.json"), &spec).unwrap();
    }

    async fn start(&mut self) -> Result<()> {
        self.prepare();
        launch(&SHIMS, &self.launch, ready(Ok(()))).await.map(drop)
    }

    /// Runs it to its end.
    async fn run(&mut self) -> ExitRecord {
        self.start().await.unwrap();
        self.ended().await
    }

    /// Waits for its end, and makes sure that nothing is left.
    async fn ended(&self) -> ExitRecord {
        let ended = async {
            // The socket goes last.
            while Launch::socket(&self.launch.run).exists() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        within(ended).await;
        let record = exit_record(&self.launch.run).unwrap().unwrap();
        self.nothing_is_left();
        record
    }

    fn nothing_is_left(&self) {
        let state = fs::read_dir(self.launch.state()).unwrap().count();
        assert_eq!(state, 0, "state");
        let name = self.cgroup();
        for hierarchy in fs::read_dir("/sys/fs/cgroup").unwrap().flatten() {
            let path = hierarchy.path().join(&name[1..]);
            assert!(!path.exists(), "{}", path.display());
        }
        assert!(!Path::new("/sys/fs/cgroup").join(&name[1..]).exists());
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
        assert!(
            !mounts.contains(self.folder.path().to_str().unwrap()),
            "mounts"
        );
    }

    fn log(&self) -> Vec<Line> {
        let text = fs::read_to_string(self.folder.path().join("log")).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    fn output(&self) -> String {
        self.log().into_iter().map(|line| line.log).collect()
    }

    async fn ask(&self, request: Request) -> Result<Link> {
        within(Link::ask(&self.launch.run, &request)).await
    }

    async fn signal(&self, signal: i32) {
        self.ask(Request::Signal { exec: None, signal })
            .await
            .unwrap();
    }

    async fn exec(&self, args: &[&str], change: impl FnOnce(&mut ExecRequest)) -> Result<Session> {
        let args: Vec<_> = args.iter().map(ToString::to_string).collect();
        let id = format!("exec{}", args.len());
        let mut request = ExecRequest {
            process: self.launch.run.join(format!("{id}.json")),
            id,
            tty: false,
            streams: ALL,
            size: None,
        };
        change(&mut request);
        let exec = ExecInput {
            args: &args,
            env: &[],
            cwd: "",
            user: "",
            tty: request.tty,
            privileged: false,
        };
        let process = exec_process(&self.input(&self.rootfs(), &self.cgroup()), &exec)?;
        store::write(&request.process, &process)?;
        let file = request.process.clone();
        let asked = self.ask(Request::Exec(request)).await;
        fs::remove_file(file).unwrap();
        Ok(asked?.session())
    }

    /// What is in its run folder.
    fn run_files(&self) -> Vec<String> {
        let files = fs::read_dir(&self.launch.run).unwrap().flatten();
        let mut files: Vec<_> = files
            .map(|file| file.file_name().into_string().unwrap())
            .collect();
        files.sort();
        files
    }

    /// Waits until the log has this text.
    async fn logged(&self, text: &str) {
        let found = async {
            while !self.output().contains(text) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        within(found).await;
    }
}

const ALL: AttachRequest = AttachRequest {
    stdin: true,
    stdout: true,
    stderr: true,
};

/// Nothing here takes long.
async fn within<T>(future: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(30), future)
        .await
        .expect("it takes too long")
}

/// Everything that comes, and the exit code.
async fn rest(session: &mut Session) -> (String, String, Option<i64>) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    while let Some(frame) = within(session.output.next()).await.unwrap() {
        match frame.stream {
            Stream::Stdout => out.extend_from_slice(&frame.bytes),
            Stream::Stderr => err.extend_from_slice(&frame.bytes),
            Stream::Exit => {
                let text = |bytes| String::from_utf8(bytes).unwrap();
                return (text(out), text(err), frame.exit_code());
            }
        }
    }
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(out), text(err), None)
}

/// Reads output until it has this text.
async fn until(session: &mut Session, wanted: &str) {
    let mut text = String::new();
    while !text.contains(wanted) {
        let frame = within(session.output.next()).await.unwrap();
        let frame = frame.unwrap_or_else(|| panic!("the shim has gone after {text:?}"));
        text.push_str(&String::from_utf8_lossy(&frame.bytes));
    }
}

#[tokio::test]
async fn output_and_exit_code() {
    let Some(mut container) = shell("echo one; echo two >&2; printf three; exit 7") else {
        return;
    };
    let record = container.run().await;
    assert_eq!((record.code, record.oom), (7, false));
    let mut lines: Vec<_> = container
        .log()
        .into_iter()
        .map(|line| (line.stream, line.log))
        .collect();
    lines.sort();
    let expected = [
        ("stderr", "two\n"),
        ("stdout", "one\n"),
        ("stdout", "three"),
    ];
    assert_eq!(
        lines,
        expected.map(|(stream, log)| (stream.to_owned(), log.to_owned()))
    );
}

#[tokio::test]
async fn signals_end_it() {
    let Some(mut container) = shell("trap 'exit 3' USR1; echo ready; while :; do sleep 0.1; done")
    else {
        return;
    };
    container.start().await.unwrap();
    container.logged("ready").await;
    container.signal(nix::libc::SIGUSR1).await;
    assert_eq!(container.ended().await.code, 3);
    container.start().await.unwrap();
    container.signal(nix::libc::SIGKILL).await;
    assert_eq!(container.ended().await.code, 137);
}

#[tokio::test]
async fn standard_input_reaches_it() {
    let Some(mut container) = new(&["cat"]) else {
        return;
    };
    container.launch.open_stdin = true;
    container.launch.stdin_once = true;
    container.start().await.unwrap();
    let mut session = container.ask(Request::Attach(ALL)).await.unwrap().session();
    session.input.write_all(b"hello\n").await.unwrap();
    until(&mut session, "hello\n").await;
    session.input.shutdown().await.unwrap();
    assert_eq!(rest(&mut session).await.2, Some(0));
    assert_eq!(container.ended().await.code, 0);
    assert_eq!(container.output(), "hello\n");
}

#[tokio::test]
async fn a_terminal_has_a_size() {
    let Some(mut container) =
        shell("stty size; trap 'stty size; exit 4' WINCH; echo ready; while :; do sleep 0.1; done")
    else {
        return;
    };
    container.launch.tty = true;
    container.launch.size = Some((100, 40));
    container.start().await.unwrap();
    container.logged("ready").await;
    let resize = Request::Resize {
        exec: None,
        width: 90,
        height: 30,
    };
    container.ask(resize).await.unwrap();
    assert_eq!(container.ended().await.code, 4);
    let output = container.output();
    assert!(
        output.contains("40 100") && output.contains("30 90"),
        "{output:?}"
    );
}

#[tokio::test]
async fn frozen_processes_stand_still() {
    let Some(mut container) = shell("while :; do echo tick; sleep 0.05; done") else {
        return;
    };
    container.start().await.unwrap();
    container.logged("tick").await;
    container.ask(Request::Freeze(true)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let frozen = container.log().len();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(container.log().len(), frozen);
    container.ask(Request::Freeze(false)).await.unwrap();
    let goes_on = async {
        while container.log().len() == frozen {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    within(goes_on).await;
    container.signal(nix::libc::SIGKILL).await;
    assert_eq!(container.ended().await.code, 137);
}

#[tokio::test]
async fn an_init_forwards_signals_and_reaps() {
    let script = "trap 'exit 6' TERM; (sleep 0.1 & ) ; echo $$; while :; do sleep 0.1; done";
    let Some(mut container) = shell(script) else {
        return;
    };
    container.launch.init = true;
    container.start().await.unwrap();
    container.logged("2\n").await;
    container.signal(nix::libc::SIGTERM).await;
    assert_eq!(container.ended().await.code, 6);
}

#[tokio::test]
async fn the_shim_survives_who_started_it() {
    let Some(mut container) = shell("echo ready; sleep 0.5; exit 9") else {
        return;
    };
    container.prepare();
    let parent = ForkServer::default();
    launch(&parent, &container.launch, ready(Ok(())))
        .await
        .unwrap();
    drop(parent);
    let ready = async {
        while container.ask(Request::Watch).await.is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    within(ready).await;
    let mut watch = container.ask(Request::Watch).await.unwrap();
    while let Some(notice) = within(watch.notice()).await {
        if matches!(notice, Notice::Exited) {
            break;
        }
    }
    assert_eq!(exit_record(&container.launch.run).unwrap().unwrap().code, 9);
    assert_eq!(container.output(), "ready\n");
    container.nothing_is_left();
}

#[tokio::test]
async fn shims_come_again_after_what_they_come_from_has_ended() {
    let (Some(mut one), Some(mut other)) = (shell("exit 1"), shell("exit 2")) else {
        return;
    };
    let shims = ForkServer::default();
    one.prepare();
    launch(&shims, &one.launch, ready(Ok(()))).await.unwrap();
    assert_eq!(one.ended().await.code, 1);
    shims.kill();
    other.prepare();
    launch(&shims, &other.launch, ready(Ok(()))).await.unwrap();
    assert_eq!(other.ended().await.code, 2);
}

#[tokio::test]
async fn nothing_begins_without_the_daemons_word() {
    let Some(mut container) = shell("echo ran") else {
        return;
    };
    container.prepare();
    let socket = Launch::socket(&container.launch.run);
    let refused = async {
        while !socket.exists() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Err(Error::internal("no network"))
    };
    let error = launch(&SHIMS, &container.launch, refused).await;
    assert_eq!(error.unwrap_err().message, "no network");
    let gone = async {
        while socket.exists() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    within(gone).await;
    assert_eq!(container.output(), "");
    container.nothing_is_left();
}
