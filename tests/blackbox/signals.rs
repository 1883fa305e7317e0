//! Ctrl-C once and twice, with and without a terminal.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::support::eventually;
use crate::support::project::Project;

const OBEDIENT: &str = r"
services:
  db: {image: IMAGE, command: demo sleep}
  web: {image: IMAGE, command: demo tick beat 100, depends_on: [db]}
";
const STUBBORN: &str =
    "services: {web: {image: IMAGE, command: demo stubborn, stop_grace_period: 40s}}";

fn running(project: &Project, service: &str) -> bool {
    project.engine().inspect(&project.container(service, 1))["State"]["Running"] == true
}

#[test]
fn once_stops_in_order() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let project = Project::new("once", OBEDIENT);
        let up = project.start(&["up"]);
        up.wait_for_stdout("Attaching to");
        // It heeds signals from then on: a first process that does not yet would be killed.
        up.wait_for_stdout("beat 1");
        up.signal(signal);
        up.finish().code(130);
        assert!(!running(&project, "web") && !running(&project, "db"));
        let events = project.engine().events.of(&project.name);
        let time = |service, action| {
            crate::support::events::time_of(&events, &project.container(service, 1), action)
        };
        assert!(time("web", "die") <= time("db", "kill"), "{events:#?}");
        let web = project.engine().inspect(&project.container("web", 1));
        assert_eq!(
            web["State"]["ExitCode"], 0,
            "it stopped of itself, on SIGTERM"
        );
        project.down();
    }
}

#[test]
fn twice_kills() {
    let project = Project::new("twice", STUBBORN);
    let up = project.start(&["up"]);
    up.wait_for_stdout("Attaching to");
    eventually(60, "web runs", || running(&project, "web").then_some(()));
    up.signal(Signal::SIGINT);
    up.wait_for_stdout("ignoring SIGTERM");
    let second = Instant::now();
    up.signal(Signal::SIGINT);
    up.finish().code(130);
    assert!(
        second.elapsed() < Duration::from_secs(30),
        "{:?}",
        second.elapsed()
    );
    assert!(!running(&project, "web"));
    project.down();
}

#[test]
fn twice_on_a_terminal() {
    let project = Project::new("twicetty", STUBBORN);
    let mut up = project.start_on_terminal(&["up"]);
    up.wait_for_stdout("Attaching to");
    eventually(60, "web runs", || running(&project, "web").then_some(()));
    up.type_in(b"\x03");
    std::thread::sleep(Duration::from_secs(1));
    assert!(
        up.runs() && running(&project, "web"),
        "the first one waits for the grace period"
    );
    let second = Instant::now();
    up.type_in(b"\x03");
    up.finish().code(130);
    assert!(
        second.elapsed() < Duration::from_secs(30),
        "{:?}",
        second.elapsed()
    );
    assert!(!running(&project, "web"));
    project.down();
}

#[test]
fn while_waiting_for_a_condition() {
    let project = Project::new(
        "waiting",
        r"
services:
  db:
    image: IMAGE
    command: demo sleep
    healthcheck: {test: 'false', interval: 1s, retries: 100}
  web:
    image: IMAGE
    command: demo sleep
    depends_on: {db: {condition: service_healthy}}
",
    );
    let up = project.start(&["up"]);
    eventually(60, "db runs", || {
        (project.container_ids().len() == 2 && running(&project, "db")).then_some(())
    });
    std::thread::sleep(Duration::from_millis(500));
    up.signal(Signal::SIGINT);
    let up = up.finish().code(130);
    assert!(up.took < Duration::from_secs(20), "{up:?}");
    project.down();
}
