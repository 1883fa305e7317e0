//! `attach` and `wait`.

use std::process::Stdio;

use nix::sys::signal::Signal;

use crate::support::eventually;
use crate::support::process::start;
use crate::support::project::{Project, rcompose};

const COMPOSE: &str = r#"
services:
  reader:
    image: IMAGE
    stdin_open: true
    command: [sh, -c, 'trap "echo asked; exit 7" TERM; while read -r line; do echo "got $$line"; echo "err $$line" >&2; [ "$$line" = end ] && exit 5; done; sleep 300 & wait']
    stop_grace_period: 0s
  shell:
    image: IMAGE
    tty: true
    stdin_open: true
    command: sh
    stop_grace_period: 0s
  ended:
    image: IMAGE
    command: "true"
"#;

fn up(topic: &str) -> Project {
    let project = Project::new(topic, COMPOSE);
    project.rcompose(&["up", "--detach"]).success();
    project
}

#[test]
fn streams_and_exit_code_are_those_of_the_program() {
    let project = up("attach");
    let mut command = project.command(rcompose(), &["attach", "reader"]);
    command.stdin(Stdio::piped());
    let mut attached = start(command);
    attached.type_in(b"one\n");
    attached.wait_for_stdout("got one");
    attached.type_in(b"end\n");
    let ended = attached.finish().code(5);
    assert_eq!(ended.stdout, "got one\ngot end\n");
    assert_eq!(ended.stderr.trim_end(), "err one\nerr end");
    project
        .rcompose(&["attach", "ended"])
        .code(1)
        .says("service \"ended\" is not running");
    project
        .rcompose(&["attach", "nobody"])
        .code(1)
        .says("service \"nobody\" is not running");
    project.down();
}

#[test]
fn signals_are_passed_on_unless_they_are_not_to_be() {
    let project = up("attachsig");
    let id = project.container("reader", 1);
    let attach = |options: &[&str]| {
        let mut command =
            project.command(rcompose(), &[&["attach"], options, &["reader"]].concat());
        command.stdin(Stdio::piped());
        let mut attached = start(command);
        attached.type_in(b"here\n");
        attached.wait_for_stdout("got here");
        attached
    };
    let alone = attach(&["--sig-proxy=false"]);
    alone.signal(Signal::SIGTERM);
    assert_eq!(alone.finish().code, 143);
    assert_eq!(project.engine().inspect(&id)["State"]["Running"], true);
    let passing = attach(&[]);
    passing.signal(Signal::SIGTERM);
    let ended = passing.finish().code(7);
    assert!(ended.stdout.ends_with("asked\n"), "{ended:?}");
    project.down();
}

#[test]
fn a_terminal_is_left_with_the_detach_keys() {
    let project = up("attachtty");
    project
        .rcompose(&["attach", "shell"])
        .code(1)
        .says("the input device is not a TTY");
    let id = project.container("shell", 1);
    for (options, keys) in [
        (&["attach", "shell"][..], &b"\x10\x11"[..]),
        (&["attach", "--detach-keys", "ctrl-x,d", "shell"], b"\x18d"),
    ] {
        let mut attached = project.start_on_terminal(options);
        eventually(30, "the shell answers", || {
            attached.type_in(b"echo an$((40 + 2))swer\n");
            std::thread::sleep(std::time::Duration::from_millis(200));
            attached.stdout().contains("an42swer").then_some(())
        });
        attached.type_in(keys);
        attached.finish().success();
        assert_eq!(project.engine().inspect(&id)["State"]["Running"], true);
    }
    let mut attached = project.start_on_terminal(&["attach", "shell"]);
    eventually(30, "the size of the terminal is passed on", || {
        attached.type_in(b"stty size; exit 3\n");
        std::thread::sleep(std::time::Duration::from_millis(500));
        (!attached.runs()).then_some(())
    });
    attached.finish().code(3);
    project.down();
}

#[test]
fn wait_ends_with_the_code_of_the_service() {
    let project = Project::new(
        "waitcode",
        r#"
services:
  first:
    image: IMAGE
    command: [sh, -c, "until [ -e /tmp/go ]; do sleep 0.1; done; rm /tmp/go; exit 6"]
  other:
    image: IMAGE
    command: demo sleep
"#,
    );
    project.rcompose(&["up", "--detach"]).success();
    let id = project.engine().inspect(&project.container("first", 1))["Id"].clone();
    let id = id.as_str().expect("an id").to_owned();
    let wait_until_told = |arguments: &[&str]| {
        let mut waiting = project.start(arguments);
        std::thread::sleep(std::time::Duration::from_secs(1));
        assert!(waiting.runs());
        project
            .rcompose(&["exec", "-T", "first", "touch", "/tmp/go"])
            .success();
        waiting.finish().code(6)
    };
    let waited = wait_until_told(&["wait", "first"]);
    assert_eq!(
        waited.stdout,
        format!("container \"{id}\" exited with status code 6\n")
    );
    assert_eq!(waited.stderr, "");
    project
        .rcompose(&["wait", "first"])
        .code(1)
        .says("no containers for project");
    // It goes down as a whole.
    project.rcompose(&["start", "first"]).success();
    wait_until_told(&["wait", "--down-project", "first"]);
    project.assert_nothing_left();
    project.rcompose(&["wait"]).code(1);
}
