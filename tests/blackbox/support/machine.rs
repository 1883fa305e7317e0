//! A machine without an engine: network, mount and process namespaces of a test's own, in which the bundled engine is
//! started by whoever needs it. It ends with the test, and everything in it.

use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use super::engine::{engine, repository};
use super::eventually;
use super::process::{Outcome, Running, start};
use super::project::{IMAGE, rcompose};

/// Where the machine's engine listens.
const SOCKET: &str = "/run/rcompose/engine.sock";

/// Processes in namespaces of their own, with one folder for a project and one for the engine.
pub(crate) struct Machine {
    folder: tempfile::TempDir,
    environment: Vec<(String, String)>,
    /// The first process; ends when its input does.
    holder: Child,
    input: Option<ChildStdin>,
    /// Of the first process in the namespaces.
    pid: String,
}

impl Machine {
    /// One with a compose file, in which `IMAGE` stands for the test image.
    pub(crate) fn new(compose: &str) -> Self {
        assert!(
            nix::unistd::geteuid().is_root(),
            "the bundled engine needs root"
        );
        let folder = tempfile::Builder::new()
            .prefix("rcompose-machine-")
            .tempdir()
            .expect("a folder for the machine");
        std::fs::write(
            folder.path().join("compose.yaml"),
            compose.replace("IMAGE", IMAGE),
        )
        .expect("the folder is writable");
        // Nothing of this machine's engines is in reach, and /run is empty as after a boot.
        let script = "mount -t proc proc /proc && mount -t tmpfs tmpfs /run && ip link set lo up && echo ready >$0 && cat";
        let ready = folder.path().join("ready");
        let mut command = Command::new("unshare");
        command
            .args(["--net", "--mount", "--pid", "--fork", "--kill-child"])
            .args(["--propagation", "private", "bash", "-c", script])
            .arg(&ready)
            .stdin(Stdio::piped())
            .stdout(Stdio::null());
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut holder = command.spawn().expect("unshare runs");
        let input = holder.stdin.take();
        eventually(60, "the namespaces are there", || {
            ready.exists().then_some(())
        });
        let children = format!("/proc/{0}/task/{0}/children", holder.id());
        let pid = std::fs::read_to_string(children).expect("the first process");
        Self {
            folder,
            environment: Vec::new(),
            pid: pid.trim().to_owned(),
            holder,
            input,
        }
    }

    /// The same, with the test image on its engine, and nothing running.
    pub(crate) fn with_images(compose: &str) -> Self {
        let machine = Self::new(compose);
        machine.rcompose(&["engine", "start"]).success();
        machine.import_image();
        machine
    }

    fn import_image(&self) {
        // The engine of the run has been given this image, so its files are there.
        engine();
        let target = std::env::var_os("CARGO_TARGET_DIR")
            .map_or_else(|| repository().join("target"), PathBuf::from);
        let files = target.join("images/busybox");
        let files = files.display();
        self.shell(&format!(
            "tar -C {files} -c . | docker --host unix://{SOCKET} import --change 'CMD [\"sh\"]' - {IMAGE}"
        ));
    }

    /// Remembers the control groups of the containers that are there, for [`Self::traces`].
    pub(crate) fn remember_groups(&self) {
        let known = self.folder.path().join("known");
        let known = known.display();
        self.shell(&format!(
            "docker --host unix://{SOCKET} ps --all --quiet --no-trunc >{known}"
        ));
    }

    /// Sets a variable for every later command.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// Path of the engine's root folder.
    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("engine")
    }

    fn command(&self, program: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new("nsenter");
        command
            .args(["--target", &self.pid, "--net", "--mount", "--pid"])
            .arg(format!("--wdns={}", self.folder.path().display()))
            .arg("--")
            .arg(program)
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.folder.path())
            .env("COMPOSE_PROJECT_NAME", "machine")
            .env("RCOMPOSE_ENGINE_ROOT", self.root())
            .env("RCOMPOSE_ENGINE_SOCKET", SOCKET)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        command
    }

    /// Starts rcompose in it.
    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        start(self.command(rcompose(), arguments))
    }

    /// Runs rcompose in it to its end.
    #[track_caller]
    pub(crate) fn rcompose(&self, arguments: &[&str]) -> Outcome {
        self.start(arguments).finish()
    }

    /// What a shell in it prints.
    #[track_caller]
    pub(crate) fn shell(&self, script: &str) -> String {
        let command = self.command(Path::new("sh"), &["-c", script]);
        start(command).finish().success().stdout
    }

    /// The engine's process, as this machine numbers it; nothing where it does not run.
    pub(crate) fn engine_pid(&self) -> Option<String> {
        let outcome = self.rcompose(&["engine", "status", "--format", "json"]);
        let status: serde_json::Value =
            serde_json::from_str(&outcome.stdout).expect("status prints JSON");
        assert_eq!(
            outcome.code == 0,
            status["running"] == true,
            "exit code and status: {outcome:?}"
        );
        status["pid"].as_i64().map(|pid| pid.to_string())
    }

    /// Ends the engine as a crash does.
    pub(crate) fn kill_engine(&self) {
        let pid = self.engine_pid().expect("the engine runs");
        self.shell(&format!("kill -KILL {pid}"));
        eventually(60, "the engine is gone", || {
            self.engine_pid().is_none().then_some(())
        });
    }

    /// Everything of the machine that an engine has to do with: mounts, links, addresses, firewall rules, processes,
    /// control groups and files, apart from what the engine writes about itself.
    pub(crate) fn traces(&self) -> Vec<String> {
        let (root, known) = (self.root(), self.folder.path().join("known"));
        let (root, known) = (root.display(), known.display());
        let script = format!(
            "cut -d' ' -f 5- /proc/self/mountinfo
             ip -o link | sed 's/^[0-9]*: //'; ip -o address; ip route; ip -6 route
             iptables-save | grep -v '^#\\|^:'; ip6tables-save | grep -v '^#\\|^:'; nft list ruleset 2>/dev/null
             for stat in /proc/[0-9]*/comm; do cat $stat; done 2>/dev/null | grep -v '^sh$\\|^cat$\\|^grep$\\|^sort$' | sort
             for id in $(cat {known} 2>/dev/null); do ls -d /sys/fs/cgroup/rcompose/$id /sys/fs/cgroup/*/rcompose/$id 2>/dev/null; done
             find {root} /run ! -name 'engine.log*' ! -name engine.json | sort"
        );
        self.shell(&script).lines().map(str::to_owned).collect()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // Containers have control groups outside of the namespaces; with the first process everything else ends.
        let _ = self.start(&["engine", "prune", "--force"]).finish();
        drop(self.input.take());
        let _ = self.holder.wait();
    }
}
