//! The bundled engine as a part of the machine: started when needed, gone when not, and never in the way of containers.

use crate::support::eventually;
use crate::support::machine::Machine;
use crate::support::project::rcompose;

/// Counts, and ends when it is told to.
const COUNTER: &str = r#"
services:
  counter:
    image: IMAGE
    init: true
    restart: always
    command: sh -c 'rm -f /tmp/end; n=0; until [ -e /tmp/end ]; do n=$$((n+1)); echo count $$n; sleep 0.1; done'
    healthcheck: {test: [CMD, test, -e, /tmp], interval: 1s}
    ports: ["127.0.0.1:8123:80"]
    volumes: [data:/data]
    networks: [inner, outer]
volumes: {data: {}}
networks: {inner: {internal: true}, outer: {}}
"#;

/// What runs without end.
const SLEEPERS: &str = r"
services:
  one: {image: IMAGE, init: true, command: sleep 1000}
  two: {image: IMAGE, init: true, command: sleep 1000, depends_on: [one]}
  three: {image: IMAGE, init: true, command: sleep 1000, depends_on: [two], ports: ['8124:80']}
";

#[test]
fn two_who_start_it_at_once_get_one() {
    let machine = Machine::new(SLEEPERS);
    assert_eq!(machine.engine_pid(), None);
    let starting: Vec<_> = (0..6)
        .map(|_| machine.start(&["engine", "start"]))
        .collect();
    for one in starting {
        one.finish().success();
    }
    let pid = machine.engine_pid().expect("it runs");
    let engines = machine.shell("grep -lx rcompose-engine /proc/[0-9]*/comm | wc -l");
    assert_eq!(engines.trim(), "1");
    machine
        .rcompose(&["engine", "start"])
        .success()
        .says("runs already");
    assert_eq!(machine.engine_pid(), Some(pid));
    machine.rcompose(&["engine", "stop"]).success();
    assert_eq!(machine.engine_pid(), None);
    machine
        .rcompose(&["engine", "stop"])
        .success()
        .says("does not run");
    machine.rcompose(&["engine", "logs"]).success();
    machine.rcompose(&["engine", "prune", "--force"]).success();
    assert!(!machine.root().exists());
}

#[test]
fn a_look_does_not_start_what_was_never_used() {
    let machine = Machine::new(SLEEPERS);
    machine
        .rcompose(&["ps"])
        .code(1)
        .says("no container engine answers")
        .says("rcompose up");
    assert!(!machine.root().exists());
    machine.rcompose(&["--engine", "bundled", "ps"]).success();
    assert!(machine.engine_pid().is_some());
}

#[test]
fn another_engine_that_was_chosen_is_not_replaced() {
    let mut machine = Machine::new(SLEEPERS);
    machine
        .rcompose(&["--engine", "/nowhere.sock", "up", "--detach"])
        .code(1)
        .says("no engine answers at /nowhere.sock")
        .says("--engine /nowhere.sock");
    machine
        .rcompose(&["--engine", "docker", "up", "--detach"])
        .code(1);
    machine.set("DOCKER_HOST", "unix:///nowhere.sock");
    machine
        .rcompose(&["up", "--detach"])
        .code(1)
        .says("DOCKER_HOST");
    assert!(!machine.root().exists());
}

#[test]
fn without_root_it_is_said_what_is_needed() {
    let machine = Machine::new(SLEEPERS);
    let as_nobody = |arguments: &str| {
        machine.shell(&format!(
            "echo 'services: {{a: {{image: a}}}}' | setpriv --reuid 65534 --regid 65534 --clear-groups {} --file - --project-name a \
             {arguments} 2>&1; echo code $?",
            rcompose().display()
        ))
    };
    for arguments in ["up --detach", "--engine bundled ps"] {
        let said = as_nobody(arguments);
        assert!(
            said.contains("/run/rcompose/engine.sock (not there)"),
            "{said}"
        );
        assert!(said.contains("as root (sudo)"), "{said}");
        assert!(said.contains("code 1"), "{said}");
    }
    machine.rcompose(&["engine", "start"]).success();
    let said = as_nobody("ps");
    assert!(
        said.contains("/run/rcompose/engine.sock (permission denied)"),
        "{said}"
    );
    assert!(said.contains("the group \"rcompose\""), "{said}");
}

/// Links besides the loopback, and root file systems of containers: those of an engine of the host's are seen too.
fn links_and_mounts(machine: &Machine) -> String {
    machine.shell(
        "ip -o link | grep -v ': lo:' || :; grep overlay /proc/self/mountinfo | grep ' / /run/' || :",
    )
}

#[test]
fn killed_in_the_middle_of_a_down() {
    let machine = Machine::with_images(SLEEPERS);
    let before = links_and_mounts(&machine);
    for milliseconds in [10, 40, 80, 130, 200] {
        machine.rcompose(&["up", "--detach", "--wait"]).success();
        let pid = machine.engine_pid().expect("it runs");
        let down = machine.start(&["down", "--timeout", "0"]);
        machine.shell(&format!(
            "sleep {}; kill -KILL {pid}",
            f64::from(milliseconds) / 1000.0
        ));
        down.finish();
        machine.rcompose(&["engine", "start"]).success();
        let again = machine.rcompose(&["down", "--timeout", "0"]);
        assert_eq!(again.code, 0, "after {milliseconds} ms: {again:#?}");
        let left = machine
            .rcompose(&["ps", "--all", "--quiet"])
            .success()
            .stdout;
        assert_eq!(left, "", "after {milliseconds} ms");
    }
    machine.rcompose(&["engine", "stop"]).success();
    assert_eq!(links_and_mounts(&machine), before);
}

#[test]
fn why_it_does_not_come_up_is_said() {
    let machine = Machine::new(SLEEPERS);
    machine
        .rcompose(&["engine", "--socket", "/proc/engine.sock", "start"])
        .code(1)
        .says("the bundled engine did not start")
        .says("/proc/engine.sock");
    machine.rcompose(&["engine", "start"]).success();
    machine
        .rcompose(&["engine", "--socket", "/run/other.sock", "start"])
        .code(1)
        .says("listens on /run/rcompose/engine.sock");
}

#[test]
fn it_leaves_when_nobody_needs_it() {
    let mut machine = Machine::with_images(SLEEPERS);
    machine.rcompose(&["engine", "stop"]).success();
    machine.set("RCOMPOSE_ENGINE_IDLE", "500ms");
    machine.rcompose(&["up", "--detach"]).success();
    let pid = machine.engine_pid().expect("it runs");
    std::thread::sleep(std::time::Duration::from_secs(2));
    assert_eq!(machine.engine_pid(), Some(pid), "containers need it");
    machine.rcompose(&["down", "--timeout", "0"]).success();
    // Asking for its status would keep it.
    machine.shell("for i in $(seq 100); do [ -e /run/rcompose/engine.sock ] || exit 0; sleep 0.1; done; exit 1");
    eventually(60, "the engine leaves", || {
        machine.engine_pid().is_none().then_some(())
    });
}

#[test]
fn containers_outlive_it() {
    let machine = Machine::with_images(COUNTER);
    machine.rcompose(&["up", "--detach", "--wait"]).success();
    let lines = || {
        let logs = machine.rcompose(&["logs", "--no-log-prefix"]).success();
        logs.stdout.lines().count()
    };
    let before = machine.rcompose(&["ps", "--quiet"]).success().stdout;
    machine.kill_engine();
    let status = machine.rcompose(&["engine", "status"]).code(3);
    assert!(status.stdout.contains("1 running"), "{status:?}");
    std::thread::sleep(std::time::Duration::from_secs(2));
    // The next command brings an engine that looks after what runs, and knows how it was.
    let ps = machine.rcompose(&["ps"]).success();
    assert!(ps.stdout.contains("(healthy)"), "{ps:?}");
    assert_eq!(
        machine.rcompose(&["ps", "--quiet"]).success().stdout,
        before
    );
    assert!(lines() >= 15, "it wrote on meanwhile");
    eventually(60, "it is checked again", || {
        let ps = machine.rcompose(&["ps"]).success();
        ps.stdout.contains("(healthy)").then_some(())
    });
    let counted = machine
        .rcompose(&["logs", "--no-log-prefix", "--tail", "1"])
        .success();
    assert!(
        !counted.stdout.trim().ends_with(" 1"),
        "it was not restarted"
    );
    machine
        .rcompose(&["exec", "counter", "touch", "/tmp/end"])
        .success();
    eventually(60, "it is started again when it ends", || {
        let logs = machine.rcompose(&["logs", "--no-log-prefix"]).success();
        let starts = logs.stdout.lines().filter(|line| *line == "count 1");
        (starts.count() == 2).then_some(())
    });
    machine
        .rcompose(&["down", "--timeout", "0", "--volumes"])
        .success();
}

#[test]
fn what_ended_without_it_is_written_down() {
    let machine = Machine::with_images(
        "services: {job: {image: IMAGE, command: sh -c 'sleep 1; echo done; exit 7'}}",
    );
    machine.rcompose(&["up", "--detach"]).success();
    machine.kill_engine();
    std::thread::sleep(std::time::Duration::from_secs(2));
    let ps = machine.rcompose(&["ps", "--all"]).success();
    assert!(ps.stdout.contains("Exited (7)"), "{ps:?}");
    let logs = machine.rcompose(&["logs", "--no-log-prefix"]).success();
    assert_eq!(logs.stdout, "done\n");
}

#[test]
fn killed_in_the_middle_of_an_up() {
    let machine = Machine::with_images(SLEEPERS);
    let before = links_and_mounts(&machine);
    for milliseconds in [10, 30, 50, 80, 110, 150, 200, 300, 450] {
        machine.rcompose(&["engine", "start"]).success();
        let pid = machine.engine_pid().expect("it runs");
        let up = machine.start(&["up", "--detach"]);
        machine.shell(&format!(
            "sleep {}; kill -KILL {pid}",
            f64::from(milliseconds) / 1000.0
        ));
        up.finish();
        let again = machine.rcompose(&["up", "--detach", "--wait"]);
        assert_eq!(again.code, 0, "after {milliseconds} ms: {again:#?}");
        let running = machine.rcompose(&["ps", "--quiet"]).success().stdout;
        assert_eq!(running.lines().count(), 3, "after {milliseconds} ms");
        machine.rcompose(&["down", "--timeout", "0"]).success();
    }
    machine.rcompose(&["engine", "stop"]).success();
    assert_eq!(links_and_mounts(&machine), before);
}

#[test]
fn nothing_is_left_on_the_machine() {
    let machine = Machine::with_images(COUNTER);
    // What the first run makes once and for all, such as the unpacked image.
    machine.rcompose(&["up", "--detach"]).success();
    machine
        .rcompose(&["down", "--timeout", "0", "--volumes"])
        .success();
    machine.rcompose(&["engine", "stop"]).success();
    let before = machine.traces();
    machine.rcompose(&["up", "--detach", "--wait"]).success();
    machine.remember_groups();
    let during = machine.traces();
    for part in [
        "overlay",
        "MASQUERADE",
        "/sys/fs/cgroup/memory/rcompose/",
        "state UP",
        "_data",
        "rcompose-shim",
    ] {
        let is_there = during.iter().any(|line| line.contains(part));
        assert!(is_there, "{part} is not in {during:#?}");
    }
    machine
        .rcompose(&["down", "--timeout", "0", "--volumes"])
        .success();
    machine.rcompose(&["engine", "stop"]).success();
    let after = machine.traces();
    let without = |all: &[String], others: &[String]| -> Vec<String> {
        let of_one = all.iter().filter(|line| !others.contains(line));
        of_one.cloned().collect()
    };
    assert_eq!(without(&after, &before), Vec::<String>::new(), "left");
    assert_eq!(without(&before, &after), Vec::<String>::new(), "taken");
}

#[test]
fn all_of_it_can_be_removed_when_nothing_runs() {
    let machine = Machine::with_images(COUNTER);
    machine.rcompose(&["up", "--detach"]).success();
    machine
        .rcompose(&["engine", "prune", "--force"])
        .code(1)
        .says("a container runs")
        .says("engine stop --containers");
    machine
        .rcompose(&["engine", "stop", "--containers"])
        .success();
    assert_eq!(machine.engine_pid(), None);
    machine.rcompose(&["engine", "prune", "--force"]).success();
    assert!(!machine.root().exists());
    let left =
        machine.shell(r"find /run; ip -o link | grep -v ': lo:' || :; iptables-save | grep -v '^[#:*]\|^COMMIT' || :");
    assert_eq!(left, "/run\n");
}
