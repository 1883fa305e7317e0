//! `run` and `exec`.

use std::io::Write;
use std::process::Stdio;

use crate::support::process::start;
use crate::support::project::{Project, free_port, rcompose};

const COMPOSE: &str = r#"
services:
  db:
    image: IMAGE
    command: demo store /data 300
    healthcheck:
      test: [CMD, demo, get, "http://127.0.0.1:7000/healthz"]
      interval: 200ms
      retries: 50
  tool:
    image: IMAGE
    command: demo sleep
    restart: always
    environment: {COLOUR: red}
    depends_on:
      db: {condition: service_healthy}
"#;

#[test]
fn run_gives_output_and_exit_code() {
    let project = Project::new("run", COMPOSE);
    let run = project
        .rcompose(&[
            "run",
            "--rm",
            "-T",
            "tool",
            "sh",
            "-c",
            "echo out; echo err >&2; exit 5",
        ])
        .code(5);
    assert_eq!(run.stdout, "out\n");
    assert!(run.stderr.contains("err"), "{run:?}");
    // Its dependency was started and is left; the one-off is gone.
    let db = project.container("db", 1);
    assert_eq!(
        project.engine().inspect(&db)["State"]["Health"]["Status"],
        "healthy"
    );
    assert_eq!(project.container_ids().len(), 1);
    project.down();
}

#[test]
fn run_with_changes_to_the_service() {
    let project = Project::new("runopts", COMPOSE);
    let run = project.rcompose(&[
        "run",
        "--rm",
        "-T",
        "--no-deps",
        "-e",
        "COLOUR=blue",
        "-e",
        "MORE=1",
        "-w",
        "/tmp",
        "-u",
        "1000",
        "tool",
        "sh",
        "-c",
        "echo $COLOUR $MORE $PWD $(id -u)",
    ]);
    assert_eq!(run.success().stdout, "blue 1 /tmp 1000\n");
    assert_eq!(project.container_ids().len(), 0);
    project.down();
}

#[test]
fn run_detached_is_labelled_as_one_off_and_kept_by_up() {
    let port = free_port();
    let project = Project::new("rund", COMPOSE);
    let publish = format!("{port}:8080");
    let run = project.rcompose(&[
        "run",
        "--detach",
        "--name",
        &format!("{}-x", project.name),
        "--publish",
        &publish,
        "--no-deps",
        "tool",
    ]);
    run.success();
    let container = project.engine().inspect(&format!("{}-x", project.name));
    let labels = &container["Config"]["Labels"];
    assert_eq!(labels["com.docker.compose.oneoff"], "True");
    assert!(labels["com.docker.compose.slug"].is_string(), "{labels}");
    assert!(
        labels["com.docker.compose.container-number"].is_null(),
        "{labels}"
    );
    let policy = &container["HostConfig"]["RestartPolicy"]["Name"];
    assert!(
        policy == "" || policy == "no",
        "a one-off is not restarted: {policy}"
    );
    assert!(
        container["HostConfig"]["PortBindings"]["8080/tcp"].is_array(),
        "{container}"
    );
    let ps = project.rcompose(&["ps", "--quiet"]).success().stdout;
    assert_eq!(ps, "");
    project
        .rcompose(&["down", "--remove-orphans", "--timeout", "0"])
        .success();
    project.assert_nothing_left();
}

#[test]
fn run_reads_standard_input() {
    let project = Project::new("runin", COMPOSE);
    let mut command = project.command(
        rcompose(),
        &["run", "--rm", "-T", "--no-deps", "tool", "cat"],
    );
    command.stdin(Stdio::from(text_file("from outside\n")));
    let run = start(command).finish().success();
    assert_eq!(run.stdout, "from outside\n");
    project.down();
}

#[test]
fn exec_gives_output_input_and_exit_code() {
    let project = Project::new("exec", COMPOSE);
    project
        .rcompose(&["up", "--detach", "--scale", "tool=2"])
        .success();
    let exec = project
        .rcompose(&["exec", "-T", "tool", "sh", "-c", "echo $COLOUR; exit 9"])
        .code(9);
    assert_eq!(exec.stdout, "red\n");
    let exec = project.rcompose(&[
        "exec",
        "-T",
        "-e",
        "COLOUR=green",
        "-w",
        "/tmp",
        "-u",
        "guest",
        "tool",
        "sh",
        "-c",
        "echo $COLOUR $PWD $(id -un)",
    ]);
    assert_eq!(exec.success().stdout, "green /tmp guest\n");
    let name = project
        .rcompose(&["exec", "-T", "--index", "2", "tool", "hostname"])
        .success()
        .stdout;
    let second = project.engine().inspect(&project.container("tool", 2));
    assert!(
        second["Id"]
            .as_str()
            .unwrap_or_default()
            .starts_with(name.trim()),
        "{name}"
    );

    let mut command = project.command(rcompose(), &["exec", "-T", "tool", "wc", "-c"]);
    command.stdin(Stdio::from(text_file(&"x".repeat(100_000))));
    assert_eq!(start(command).finish().success().stdout.trim(), "100000");

    let missing = project.rcompose(&["exec", "-T", "tool", "nosuchprogram"]);
    assert!(matches!(missing.code, 126 | 127), "{missing:?}");
    project
        .rcompose(&["stop", "tool", "--timeout", "0"])
        .success();
    project
        .rcompose(&["exec", "-T", "tool", "true"])
        .code(1)
        .says("service \"tool\" is not running");
    project.down();
}

#[test]
fn exec_on_a_terminal() {
    let project = Project::new("exectty", COMPOSE);
    project.rcompose(&["up", "--detach"]).success();
    let exec = project.start_on_terminal(&[
        "exec",
        "tool",
        "sh",
        "-c",
        "'test -t 0 && test -t 1 && echo terminal'",
    ]);
    let exec = exec.finish().success();
    assert!(exec.stdout.contains("terminal"), "{exec:?}");
    project.down();
}

fn text_file(text: &str) -> std::fs::File {
    let mut file = tempfile::tempfile().expect("a temporary file");
    file.write_all(text.as_bytes()).expect("it is writable");
    std::io::Seek::rewind(&mut file).expect("it is seekable");
    file
}
