//! `logs`.

use crate::support::eventually;
use crate::support::project::Project;

const COMPOSE: &str = r"
services:
  ticking: {image: IMAGE, command: 'demo tick tick 100 ${REPEAT:-1}'}
  hello: {image: IMAGE, command: echo hello, scale: 2}
";

#[test]
fn of_all_of_some_and_of_one_replica() {
    let project = Project::new("logsome", COMPOSE);
    project.rcompose(&["up", "--detach"]).success();
    let logs = |arguments: &[&str]| {
        let logs = [&["logs", "--no-color"], arguments].concat();
        project.rcompose(&logs).success().stdout
    };
    eventually(60, "all of them wrote", || {
        let all = logs(&[]);
        let lines = [
            all.matches("| tick 1").count(),
            all.matches("| hello").count(),
        ];
        (lines == [1, 2]).then_some(())
    });
    let one = logs(&["ticking"]);
    assert!(one.contains("tick 1") && !one.contains("hello"), "{one}");
    let both = logs(&["hello", "ticking"]);
    assert!(both.contains("tick 1") && both.contains("hello"), "{both}");
    let second = logs(&["--index", "2", "hello"]);
    assert!(
        second.contains("hello-2") && !second.contains("hello-1"),
        "{second}"
    );
    project.down();
}

#[test]
fn followed_to_services_and_replicas_that_come_later() {
    let mut project = Project::new("logfollow", COMPOSE);
    project.set("REPEAT", "600");
    project.rcompose(&["up", "--detach", "ticking"]).success();
    let logs = project.start(&["logs", "--follow"]);
    logs.wait_for_stdout("ticking-1 ");
    project.rcompose(&["up", "--detach"]).success();
    logs.wait_for_stdout("hello-1 ");
    let scale = ["up", "--detach", "--scale", "ticking=2", "ticking"];
    project.rcompose(&scale).success();
    logs.wait_for_stdout("ticking-2 ");
    logs.signal(nix::sys::signal::Signal::SIGINT);
    logs.finish();
    project.down();
}

#[test]
fn large_ones_come_to_their_end() {
    let project = Project::new(
        "loglarge",
        "services: {test: {image: IMAGE, command: cat /large, volumes: ['./large:/large']}}",
    );
    let lines: Vec<String> = (0..300_000)
        .map(|number| format!("this is line {number} of a large file\n"))
        .collect();
    let lines = lines.concat();
    project.file("large", &lines);
    let up = project
        .rcompose(&["up", "--abort-on-container-exit"])
        .success();
    assert!(
        up.stdout.contains("line 299999 of"),
        "the last line is missing"
    );
    assert!(up.stdout.contains("test-1 exited with code 0"));
    assert_eq!(up.stdout.matches("this is line").count(), 300_000);
    project.down();
}
