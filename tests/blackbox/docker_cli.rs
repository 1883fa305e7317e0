//! The docker command on the engine, whichever engine that is: what it prints and what it does.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::support::eventually;
use crate::support::http::get;
use crate::support::process::{Outcome, Running, start};
use crate::support::project::{IMAGE, Project, free_port};

/// The docker command: the installed one, or that of `RCOMPOSE_TEST_DOCKER`.
fn docker() -> PathBuf {
    std::env::var_os("RCOMPOSE_TEST_DOCKER").map_or_else(|| PathBuf::from("docker"), PathBuf::from)
}

/// A project whose name is a label of everything that [`Cli`] makes, so that it is taken away with it.
struct Cli(Project);

impl Cli {
    fn new() -> Self {
        Self(Project::empty("cli"))
    }

    fn label(&self) -> String {
        format!("com.docker.compose.project={}", self.0.name)
    }

    /// Runs docker to its end.
    #[track_caller]
    fn run(&self, arguments: &[&str]) -> Outcome {
        start(self.0.command(&docker(), arguments)).finish()
    }

    /// What docker prints, without the last line break; fails when it fails.
    #[track_caller]
    fn says(&self, arguments: &[&str]) -> String {
        self.run(arguments).success().stdout.trim_end().to_owned()
    }

    /// `docker run -d` under this name.
    #[track_caller]
    fn detached(&self, name: &str, options: &[&str], command: &[&str]) {
        let label = self.label();
        let mut arguments = vec!["run", "-d", "--name", name, "--label", &label];
        arguments.extend(options);
        arguments.push(IMAGE);
        arguments.extend(command);
        let id = self.says(&arguments);
        assert_eq!(id.len(), 64, "{id}");
    }

    /// Starts docker on a terminal.
    fn on_terminal(&self, line: &str) -> Running {
        let line = format!("exec {} {line}", docker().display());
        let script = ["-q", "-e", "-f", "-c", &line, "/dev/null"];
        let mut command = self.0.command(Path::new("script"), &script);
        command
            .env("TERM", "xterm")
            .env("SHELL", "/bin/sh")
            .stdin(Stdio::piped());
        start(command)
    }

    fn named(&self, what: &str) -> String {
        format!("{}-{what}", self.0.name)
    }
}

#[test]
fn a_container_with_a_port_from_run_to_rm() {
    let (cli, port) = (Cli::new(), free_port());
    let (name, publish) = (cli.named("web"), format!("127.0.0.1:{port}:8080"));
    cli.detached(&name, &["-p", &publish], &["demo", "web"]);
    eventually(60, "it answers", || {
        get(port, "/healthz").filter(|answer| answer.status == 200)
    });
    let filter = format!("name={name}");
    let format = "{{.Names}}|{{.Image}}|{{.Command}}|{{.Ports}}|{{.State}}";
    let listed = cli.says(&["ps", "--filter", &filter, "--format", format]);
    let ports = format!("127.0.0.1:{port}->8080/tcp");
    assert_eq!(
        listed,
        format!("{name}|{IMAGE}|\"demo web\"|{ports}|running")
    );
    assert_eq!(
        cli.says(&["port", &name, "8080"]),
        format!("127.0.0.1:{port}")
    );
    let state =
        "{{.State.Status}} {{.HostConfig.NetworkMode}} {{.Config.Image}} {{json .Config.Volumes}}";
    let shown = cli.says(&["inspect", "--format", state, &name]);
    assert!(
        shown.starts_with("running ") && shown.ends_with(&format!(" {IMAGE} null")),
        "{shown}"
    );
    cli.run(&["rm", &name]).code(1).says("ontainer");
    assert_eq!(cli.says(&["stop", "-t", "0", &name]), name);
    cli.run(&["kill", &name]).code(1).says("is not running");
    assert_eq!(cli.says(&["rm", &name]), name);
    cli.run(&["inspect", &name]).code(1);
}

#[test]
fn terminals_of_run_and_exec() {
    let cli = Cli::new();
    let mut running = cli.on_terminal(&format!("run -it --rm {IMAGE} sh"));
    running.wait_for_stdout("#");
    running.type_in(b"echo of $((40 + 2)); tty; exit 3\n");
    let outcome = running.finish().code(3);
    assert!(outcome.stdout.contains("of 42"), "{outcome:?}");
    assert!(outcome.stdout.contains("/dev/"), "{outcome:?}");
    let name = cli.named("sleeper");
    cli.detached(&name, &[], &["demo", "sleep"]);
    let mut running = cli.on_terminal(&format!("exec -it -e A=b {name} sh"));
    running.wait_for_stdout("#");
    running.type_in(b"echo is $A; exit 4\n");
    let outcome = running.finish().code(4);
    assert!(outcome.stdout.contains("is b"), "{outcome:?}");
    let missing = cli.run(&["exec", &name, "no-such-program"]);
    // Docker had 126 for it before version 23.
    assert!(matches!(missing.code, 126 | 127), "{missing:?}");
}

#[test]
fn logs_are_followed_to_the_end() {
    let cli = Cli::new();
    let name = cli.named("counter");
    let count = "for i in 1 2 3 4; do echo line $i; sleep 0.2; done";
    cli.detached(&name, &[], &["sh", "-c", count]);
    let followed = cli.says(&["logs", "-f", &name]);
    assert_eq!(followed, "line 1\nline 2\nline 3\nline 4");
    assert_eq!(cli.says(&["logs", "--tail", "1", &name]), "line 4");
    assert_eq!(cli.says(&["wait", &name]), "0");
}

#[test]
fn networks_and_volumes() {
    let cli = Cli::new();
    let network = cli.named("net");
    let (label, name) = (cli.label(), cli.named("member"));
    cli.says(&[
        "network",
        "create",
        "--label",
        &label,
        "--subnet",
        "10.232.7.0/24",
        "--internal",
        &network,
    ]);
    cli.run(&["network", "create", &network])
        .code(1)
        .says("already exists");
    cli.detached(
        &name,
        &["--network", &network, "--network-alias", "other"],
        &["demo", "sleep"],
    );
    let filter = format!("name={network}");
    let listed = cli.says(&[
        "network",
        "ls",
        "--filter",
        &filter,
        "--format",
        "{{.Name}} {{.Driver}} {{.Scope}}",
    ]);
    assert_eq!(listed, format!("{network} bridge local"));
    let shown = "{{.Internal}} {{(index .IPAM.Config 0).Subnet}} {{range .Containers}}{{.Name}} {{.IPv4Address}}{{end}}";
    let shown = cli.says(&["network", "inspect", "--format", shown, &network]);
    assert_eq!(shown, format!("true 10.232.7.0/24 {name} 10.232.7.2/24"));
    cli.run(&["network", "rm", &network])
        .code(1)
        .says("has active endpoints");
    let volume = cli.named("volume");
    cli.says(&["volume", "create", "--label", &label, &volume]);
    let filter = format!("name={volume}");
    let listed = cli.says(&[
        "volume",
        "ls",
        "--filter",
        &filter,
        "--format",
        "{{.Driver}} {{.Name}}",
    ]);
    assert_eq!(listed, format!("local {volume}"));
}

#[test]
fn images_are_saved_loaded_and_listed() {
    let cli = Cli::new();
    let copy = format!("{}:x", cli.named("copy"));
    cli.says(&["tag", IMAGE, &copy]);
    cli.says(&["save", "--output", "image.tar", &copy]);
    cli.says(&["rmi", &copy]);
    assert_eq!(
        cli.says(&["load", "--input", "image.tar"]),
        format!("Loaded image: {copy}")
    );
    let listed = cli.says(&["images", "--format", "{{.Repository}}:{{.Tag}}", &copy]);
    assert_eq!(listed, copy);
    let id = |name: &str| cli.says(&["inspect", "--format", "{{.Id}}", name]);
    assert_eq!(id(&copy), id(IMAGE));
    cli.says(&["rmi", &copy]);
}

#[test]
fn files_go_in_and_out() {
    let cli = Cli::new();
    let name = cli.named("files");
    cli.detached(&name, &[], &["demo", "sleep"]);
    cli.0.file("dir/sub/file", "content");
    cli.says(&["cp", "dir", &format!("{name}:/opt")]);
    assert_eq!(
        cli.says(&["exec", &name, "cat", "/opt/sub/file"]),
        "content"
    );
    cli.says(&["cp", &format!("{name}:/opt/sub"), "back"]);
    let back = std::fs::read_to_string(cli.0.path().join("back/file"));
    assert_eq!(back.expect("it was copied"), "content");
    cli.run(&["cp", &format!("{name}:/none"), "."]).code(1);
    // What is on a mount is not the container's.
    let changed = cli.says(&["diff", &name]);
    assert!(
        changed.lines().any(|line| line == "A /opt/sub/file"),
        "{changed}"
    );
    assert!(!changed.contains("/etc"), "{changed}");
}

#[test]
fn limits_change_while_it_runs() {
    let cli = Cli::new();
    let name = cli.named("limited");
    let limits = ["--memory", "64m", "--pids-limit", "50"];
    cli.detached(&name, &limits, &["demo", "sleep"]);
    cli.says(&[
        "update",
        "--memory",
        "128m",
        "--memory-swap",
        "256m",
        "--cpus",
        "0.5",
        "--pids-limit",
        "20",
        "--restart",
        "on-failure:2",
        &name,
    ]);
    let shown = "{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}} {{.HostConfig.PidsLimit}} {{.HostConfig.RestartPolicy.Name}}";
    let shown = cli.says(&["inspect", "--format", shown, &name]);
    assert_eq!(shown, "134217728 500000000 20 on-failure");
    let limits = "cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/pids.max \
                  /sys/fs/cgroup/pids/pids.max 2>/dev/null; true";
    assert_eq!(
        cli.says(&["exec", &name, "sh", "-c", limits]),
        "134217728\n20"
    );
    cli.run(&["update", "--memory", "512m", &name])
        .code(1)
        .says("emoryswap");
}

#[test]
fn system_calls_of_a_profile_fail() {
    let cli = Cli::new();
    let profile = r#"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
        {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}]}"#;
    let profile = cli.0.file("profile.json", profile);
    let option = format!("seccomp={}", profile.display());
    let run = |option: &str| {
        cli.run(&[
            "run",
            "--rm",
            "--security-opt",
            option,
            IMAGE,
            "mkdir",
            "/made",
        ])
    };
    run(&option).code(1).says("Operation not permitted");
    run("seccomp=unconfined").success();
}

#[test]
fn port_53_is_free_for_name_servers() {
    let cli = Cli::new();
    let network = cli.named("names");
    let (label, name) = (cli.label(), cli.named("server"));
    cli.says(&["network", "create", "--label", &label, &network]);
    let serve = "nc -ll -p 53 -e echo served";
    cli.detached(&name, &["--network", &network], &["sh", "-c", serve]);
    let ask = format!(
        "until nc {name} 53 </dev/null | grep served; do sleep 0.1; done; nc 127.0.0.1 53 </dev/null || :"
    );
    let asked = cli.says(&[
        "run",
        "--rm",
        "--network",
        &network,
        IMAGE,
        "timeout",
        "20",
        "sh",
        "-c",
        &ask,
    ]);
    assert_eq!(asked, "served");
}

#[test]
fn what_only_the_builder_reads_is_not_copied() {
    let mut cli = Cli::new();
    cli.0.set("DOCKER_BUILDKIT", "0");
    let image = format!("{}:x", cli.named("built"));
    let recipe = cli.0.file("Dockerfile", "FROM IMAGE\nCOPY . /app\n");
    cli.0.file(".dockerignore", "Dockerfile\n.dockerignore\n");
    cli.0.file("kept", "");
    let content = || cli.says(&["run", "--rm", &image, "ls", "-A", "/app"]);
    cli.says(&["build", "-t", &image, "."]);
    assert_eq!(content(), "kept");
    // A Dockerfile that is not of the context.
    let mut command = cli
        .0
        .command(&docker(), &["build", "-t", &image, "-f", "-", "."]);
    let input = std::fs::File::open(recipe).expect("it was written");
    command.stdin(input);
    start(command).finish().success();
    assert_eq!(content(), "kept");
    cli.says(&["rmi", "-f", &image]);
}
