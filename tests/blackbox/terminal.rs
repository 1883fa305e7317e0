//! On a terminal: live progress, terminals of programs in containers, Ctrl-C, detach keys.

use std::process::Stdio;

use crate::support::eventually;
use crate::support::process::start;
use crate::support::project::{Project, rcompose};
use crate::support::terminal::{SIZE, Terminal};

const COMPOSE: &str = r"
services:
  db: {image: IMAGE, command: demo sleep, stop_grace_period: 0s}
  web: {image: IMAGE, command: demo sleep, depends_on: [db], stop_grace_period: 0s}
";

fn running(project: &Project, container: &str) -> bool {
    project.engine().inspect(container)["State"]["Running"] == true
}

/// `stty size` of the terminal as it is at first.
fn size() -> String {
    format!("{} {}", SIZE.1, SIZE.0)
}

/// A shell in a container that has answered.
#[track_caller]
fn shell(project: &Project, arguments: &[&str]) -> Terminal {
    let mut terminal = project.on_terminal(arguments);
    terminal.expect("ready 42");
    terminal
}

/// Tells that it is ready, then reads commands.
const SHELL: [&str; 3] = ["sh", "-c", "echo ready $((40 + 2)); exec sh"];

#[test]
fn progress_is_live_and_its_last_lines_stay() {
    let project = Project::new("ttyup", COMPOSE);
    let up = project.on_terminal(&["up", "--detach"]);
    let lines = {
        up.expect_line("the last state", |line| {
            line.contains("Container") && line.contains("-web-1") && line.contains("Started")
        });
        up.screen()
    };
    let ended = up.finish().code(0);
    // Redrawn in place: the cursor went up, and each container is there once.
    assert!(
        ended.text.contains("\x1b[1A") || ended.text.contains("A\x1b["),
        "{ended:#?}"
    );
    assert!(
        ended.text.contains("Creating") || ended.text.contains("Starting"),
        "{ended:#?}"
    );
    assert!(lines[0].starts_with("[+] Running 3/3"), "{lines:#?}");
    assert_eq!(lines.len(), 4, "{lines:#?}");
    for (service, state) in [("db", "Started"), ("web", "Started")] {
        let name = project.container(service, 1);
        let found: Vec<_> = lines.iter().filter(|line| line.contains(&name)).collect();
        assert!(
            matches!(found[..], [line] if line.contains(state)),
            "{lines:#?}"
        );
    }
    // The cursor is shown again.
    assert!(ended.text.ends_with("\x1b[?25h"), "{ended:#?}");
    let down = project.on_terminal(&["down"]).finish().code(0);
    assert!(down.text.contains("Removed"), "{down:#?}");
    project.assert_nothing_left();
}

#[test]
fn progress_fits_a_terminal_that_becomes_narrow() {
    let project = Project::new(
        "ttynarrow",
        r"
services:
  slow:
    image: IMAGE
    command: sh -c 'until [ -e /tmp/go ]; do sleep 0.1; done; touch /tmp/healthy; demo sleep'
    healthcheck: {test: test -e /tmp/healthy, interval: 200ms, retries: 1000}
    stop_grace_period: 0s
  after: {image: IMAGE, command: demo sleep, depends_on: {slow: {condition: service_healthy}}, stop_grace_period: 0s}
",
    );
    let mut up = project.on_terminal(&["up", "--detach"]);
    up.expect("Waiting");
    up.resize(30, 10);
    let slow = project.container("slow", 1);
    project
        .engine()
        .docker(&["exec", &slow, "touch", "/tmp/go"]);
    up.expect("[+] Running 3/3");
    up.expect_line("the last line fits", |line| line.ends_with('s'));
    let lines = up.screen();
    assert!(
        lines.iter().all(|line| line.chars().count() <= 30),
        "{lines:#?}"
    );
    assert_eq!(lines.len(), 4, "{lines:#?}");
    up.finish().code(0);
    project.down();
}

#[test]
fn exec_has_a_terminal_of_the_right_size() {
    let project = Project::new("ttyexec", COMPOSE);
    project.rcompose(&["up", "--detach"]).success();
    let mut arguments = vec!["exec", "web"];
    arguments.extend(SHELL);
    let mut exec = shell(&project, &arguments);
    exec.type_in(b"tty\n");
    exec.expect("/dev/");
    // Docker before version 23 starts the program first.
    let until = format!("until stty size | grep '{}'; do sleep 0.1; done\n", size());
    exec.type_in(until.as_bytes());
    exec.expect(&format!("\n{}", size()));
    exec.type_in(b"exit 7\n");
    exec.finish().code(7);
    // A change reaches the program, as a signal too, and Ctrl-C is for it.
    let script = "trap 'stty size' WINCH; trap 'echo interrupted; exit 8' INT; echo ready; while :; do sleep 0.1; done";
    let mut exec = project.on_terminal(&["exec", "web", "sh", "-c", script]);
    exec.expect("ready");
    exec.resize(77, 33);
    exec.expect("33 77");
    exec.type_in(b"\x03");
    exec.expect("interrupted");
    exec.finish().code(8);
    // Without a terminal where none is wanted.
    let mut plain = project.on_terminal(&["exec", "-T", "web", "sh", "-c", "tty; exit 3"]);
    plain.expect("not a tty");
    plain.finish().code(3);
    project.down();
}

#[test]
fn a_command_has_the_size_from_its_start() {
    let project = Project::new("ttysize", COMPOSE);
    let api = ["version", "--format", "{{.Server.APIVersion}}"];
    let api = project.engine().docker(&api);
    let minor = api.strip_prefix("1.").and_then(|minor| minor.parse().ok());
    if minor.is_some_and(|minor: u32| minor < 42) {
        eprintln!("the API {api} knows no size before the start: it may come too late");
        return;
    }
    project.rcompose(&["up", "--detach"]).success();
    let mut exec = project.on_terminal(&["exec", "web", "stty", "size"]);
    exec.expect(&size());
    exec.finish().code(0);
    project.down();
}

#[test]
fn the_terminal_is_restored_when_a_signal_ends_exec() {
    let project = Project::new("ttysignal", COMPOSE);
    project.rcompose(&["up", "--detach"]).success();
    let mut arguments = vec!["exec", "web"];
    arguments.extend(SHELL);
    let exec = shell(&project, &arguments);
    exec.signal(nix::sys::signal::Signal::SIGTERM);
    exec.finish().code(143);
    project.down();
}

#[test]
fn run_has_a_terminal_only_where_there_is_one() {
    let project = Project::new("ttyrun", COMPOSE);
    let mut arguments = vec!["run", "--rm", "--no-deps", "web"];
    arguments.extend(SHELL);
    let mut run = shell(&project, &arguments);
    run.type_in(b"stty size\n");
    run.expect(&size());
    run.resize(66, 22);
    run.type_in(b"until stty size | grep '22 66'; do sleep 0.1; done\n");
    run.expect("\n22 66");
    run.type_in(b"exit 5\n");
    run.finish().code(5);
    // Piped input makes a pipe of it.
    for command in ["run --rm --no-deps -i web", "exec -T db"] {
        if command.starts_with("exec") {
            project.rcompose(&["up", "--detach", "db"]).success();
        }
        let mut arguments: Vec<&str> = command.split(' ').collect();
        arguments.extend(["sh", "-c", "tty; cat; exit 4"]);
        let mut piped = project.command(rcompose(), &arguments);
        piped.stdin(Stdio::piped());
        let mut piped = start(piped);
        piped.type_in(b"typed\n");
        piped.wait_for_stdout("typed");
        piped.close_stdin();
        let ended = piped.finish().code(4);
        assert_eq!(ended.stdout, "not a tty\ntyped\n", "{command}");
    }
    project.down();
}

#[test]
fn detach_keys_leave_programs_running() {
    let project = Project::new("ttydetach", COMPOSE);
    project.rcompose(&["up", "--detach"]).success();
    let web = project.container("web", 1);
    // The program of exec goes on, and so does the container.
    let script =
        "echo ready $((40 + 2)); until [ -e /tmp/go ]; do sleep 0.1; done; touch /tmp/went";
    let mut exec = shell(&project, &["exec", "web", "sh", "-c", script]);
    exec.type_in(b"\x10\x11");
    exec.finish().code(0);
    assert!(running(&project, &web));
    project.engine().docker(&["exec", &web, "touch", "/tmp/go"]);
    eventually(60, "the program goes on without us", || {
        let listed = project.engine().docker(&["exec", &web, "ls", "/tmp"]);
        listed.contains("went").then_some(())
    });
    // The container of run goes on too.
    let mut arguments = vec!["run", "--name", "ttydetach-oneoff", "web"];
    arguments.extend(SHELL);
    let mut run = shell(&project, &arguments);
    run.type_in(b"\x10\x11");
    run.finish().code(0);
    assert!(running(&project, "ttydetach-oneoff"));
    project
        .engine()
        .docker(&["rm", "--force", "ttydetach-oneoff"]);
    project.down();
}

#[test]
fn attach_is_left_with_the_keys_of_the_option() {
    let project = Project::new(
        "ttyattach",
        "services: {web: {image: IMAGE, command: sh, tty: true, stdin_open: true, stop_grace_period: 0s}}",
    );
    project.rcompose(&["up", "--detach"]).success();
    let web = project.container("web", 1);
    for (arguments, keys) in [
        (&["attach", "web"][..], &b"\x10\x11"[..]),
        (&["attach", "--detach-keys", "ctrl-a,x", "web"], b"\x01x"),
    ] {
        let mut attached = project.on_terminal(arguments);
        // The program draws itself anew when somebody comes; a shell needs to be asked.
        attached.type_in(b"echo answer $((40 + 2))\n");
        attached.expect("answer 42");
        attached.type_in(keys);
        attached.finish().code(0);
        assert!(running(&project, &web));
    }
    project.down();
}

#[test]
fn the_first_interrupt_stops_and_the_second_kills() {
    let project = Project::new("ttyonce", COMPOSE);
    let mut up = project.on_terminal(&["up"]);
    up.expect("Attaching to");
    up.expect_line("web has started", |line| {
        line.contains("-web-1") && line.contains("Started")
    });
    up.type_in(b"\x03");
    up.expect("Gracefully Stopping");
    up.finish().code(130);
    assert!(!running(&project, &project.container("web", 1)));
    assert!(!running(&project, &project.container("db", 1)));
    project.down();

    let project = Project::new(
        "ttytwice",
        r#"
services:
  web:
    image: IMAGE
    command: [sh, -c, "trap 'echo refused' TERM; echo ready; while sleep 0.1; do :; done"]
    stop_grace_period: 100s
"#,
    );
    let mut up = project.on_terminal(&["up"]);
    up.expect("ready");
    up.type_in(b"\x03");
    up.expect("refused");
    up.type_in(b"\x03");
    up.finish().code(130);
    assert!(!running(&project, &project.container("web", 1)));
    project.down();
}

#[test]
fn questions_are_asked_and_never_wait_for_nobody() {
    let project = Project::new("ttyask", COMPOSE);
    project.rcompose(&["up", "--detach"]).success();
    project.rcompose(&["stop"]).success();
    // Nobody is there to answer, with an input that never ends.
    let mut command = project.command(rcompose(), &["rm"]);
    command.stdin(Stdio::piped());
    let asked = start(command);
    let told = asked.finish();
    assert_eq!(project.container_ids().len(), 2, "{told:?}");
    // A person says no, then yes.
    let mut rm = project.on_terminal(&["rm"]);
    rm.expect("[y/N]");
    rm.type_in(b"n\n");
    rm.finish().code(0);
    assert_eq!(project.container_ids().len(), 2);
    let mut rm = project.on_terminal(&["rm"]);
    rm.expect("[y/N]");
    rm.type_in(b"y\n");
    rm.finish().code(0);
    assert_eq!(project.container_ids().len(), 0);
    project.down();
}

#[test]
fn a_changed_volume_is_kept_where_nobody_answers() {
    let compose = |label: &str| {
        format!(
            "services: {{web: {{image: IMAGE, command: demo sleep, volumes: ['data:/data'], stop_grace_period: 0s}}}}\n\
             volumes: {{data: {{labels: {{state: {label}}}}}}}\n"
        )
    };
    let project = Project::new("ttyvolume", &compose("old"));
    project.rcompose(&["up", "--detach"]).success();
    project.file("compose.yaml", &compose("new"));
    let mut command = project.command(rcompose(), &["up", "--detach"]);
    command.stdin(Stdio::piped());
    start(command).finish().success();
    let volume = format!("{}_data", project.name);
    let state = || project.engine().inspect(&volume)["Labels"]["state"].clone();
    assert_eq!(state(), "old");
    let mut up = project.on_terminal(&["up", "--detach"]);
    up.expect("[y/N]");
    up.type_in(b"y\n");
    up.finish().code(0);
    assert_eq!(state(), "new");
    project.down();
}

#[test]
fn the_menu_switches_watching_and_detaches() {
    let project = Project::new(
        "ttymenu",
        r"
services:
  web:
    image: IMAGE
    command: sh -c 'while sleep 0.2; do echo tick; done'
    stop_grace_period: 0s
    develop: {watch: [{path: src, target: /tmp/src, action: sync}]}
",
    );
    project.file("src/a", "1");
    let mut up = project.on_terminal(&["up"]);
    up.expect("tick");
    // Always at the bottom, below what containers write.
    up.expect_line("the menu", |line| line == "w Enable Watch   d Detach");
    up.expect("tick");
    up.type_in(b"w");
    up.expect("Watch enabled");
    up.expect_line("the menu", |line| line == "w Disable Watch   d Detach");
    project.file("src/b", "2");
    up.expect("Syncing service \"web\" after");
    up.type_in(b"w");
    up.expect("Watch disabled");
    up.expect_line("the menu", |line| line == "w Enable Watch   d Detach");
    up.expect("tick");
    let lines = up.screen();
    assert!(
        lines.iter().filter(|line| line.contains("Detach")).count() <= 1,
        "{lines:#?}"
    );
    up.type_in(b"d");
    up.expect("\x1b[J");
    let ended = up.finish().code(0);
    assert!(!ended.text.contains("Stopping"), "{ended:#?}");
    assert!(running(&project, &project.container("web", 1)));
    project.down();
}

#[test]
fn up_is_suspended_and_goes_on_in_the_background() {
    let project = Project::new(
        "ttyjobs",
        r"
services:
  web:
    image: IMAGE
    command: sh -c 'while sleep 0.2; do echo tick; done'
    stop_grace_period: 0s
",
    );
    let mut shell = project.shell_on_terminal();
    shell.expect("$ ");
    shell.type_in(b"rcompose up\n");
    shell.expect("tick");
    shell.expect_line("the menu", |line| line.contains("d Detach"));
    for _ in 0..2 {
        shell.type_in(b"\x1a");
        shell.expect("Stopped");
        // The shell reads lines again.
        shell.type_in(b"echo in $((40 + 2))\n");
        shell.expect("in 42");
        shell.type_in(b"fg\n");
        shell.expect("tick");
        shell.expect_line("the menu", |line| line.contains("d Detach"));
    }
    shell.type_in(b"\x1a");
    shell.expect("Stopped");
    shell.type_in(b"bg\n");
    shell.expect("tick");
    // The keyboard is the shell's, and whoever ends in the background leaves it alone.
    shell.type_in(b"echo in $((50 + 2))\n");
    shell.expect("in 52");
    project.rcompose(&["stop"]).success();
    shell.type_in(b"wait %1; echo ended with $?\n");
    shell.expect("ended with 0");
    shell.type_in(b"exit\n");
    assert_eq!(shell.finish().code, 0);
    project.down();
}

#[test]
fn the_menu_is_there_unless_it_is_not_wanted() {
    let mut project = Project::new(
        "ttynomenu",
        "services: {web: {image: IMAGE, command: sh -c 'echo here; sleep 0.5; echo there'}}",
    );
    let with = |project: &Project, arguments: &[&str]| {
        let ended = project.on_terminal(arguments).finish().code(0);
        assert!(ended.text.contains("there"), "{ended:#?}");
        ended.text.contains("Detach")
    };
    assert!(with(&project, &["up"]));
    assert!(!with(&project, &["up", "--menu=false"]));
    assert!(!with(&project, &["--progress", "plain", "up", "--menu"]));
    project.set("COMPOSE_MENU", "false");
    assert!(!with(&project, &["up"]));
    assert!(with(&project, &["up", "--menu"]));
    project.down();
}
