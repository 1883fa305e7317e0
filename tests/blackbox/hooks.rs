//! Commands that run in a container right after its start and right before its stop.

use crate::support::eventually;
use crate::support::project::Project;

#[test]
fn after_start_and_before_stop() {
    let project = Project::new(
        "hooks",
        r"
services:
  web:
    image: IMAGE
    command: demo sleep
    volumes: ['./seen:/seen']
    post_start:
      - command: [sh, -c, 'echo started as $$(id -u) $$COLOUR >>/seen/log']
        user: root
        environment: [COLOUR=red]
    pre_stop:
      - command: [sh, -c, 'echo stopping in $$PWD >>/seen/log']
        working_dir: /tmp
",
    );
    let log = || std::fs::read_to_string(project.path().join("seen/log")).unwrap_or_default();
    project.rcompose(&["up", "--detach"]).success();
    eventually(60, "the hook ran", || {
        (log() == "started as 0 red\n").then_some(())
    });
    project.rcompose(&["stop"]).success();
    assert_eq!(log(), "started as 0 red\nstopping in /tmp\n");
    project.rcompose(&["start"]).success();
    project.rcompose(&["down"]).success();
    assert_eq!(log(), "started as 0 red\nstopping in /tmp\n".repeat(2));
    project.assert_nothing_left();
}

#[test]
fn a_failing_hook_fails_up() {
    let project = Project::new(
        "badhook",
        "services: {web: {image: IMAGE, command: demo sleep, post_start: [{command: [sh, -c, 'echo why; exit 4']}]}}",
    );
    let up = project.rcompose(&["up", "--detach"]);
    assert_ne!(up.code, 0, "{up:?}");
    up.says("4");
    project.down();
}

#[test]
fn before_start_in_a_container_of_its_own() {
    let project = Project::new(
        "prestart",
        r"
services:
  web:
    image: IMAGE
    command: cat /data/made
    volumes: ['data:/data']
    scale: 2
    pre_start:
      - command: [sh, -c, 'echo first >>/data/made']
      - command: [sh, -c, 'echo second $$COLOUR >>/data/made']
        environment: [COLOUR=red]
volumes: {data: {}}
",
    );
    project.rcompose(&["up", "--detach"]).success();
    assert_eq!(
        project.container_ids().len(),
        2,
        "the hooks' containers are gone"
    );
    eventually(60, "both have read what the hooks made, once", || {
        let logs = project.rcompose(&["logs", "--no-log-prefix"]).success();
        (logs.stdout == "first\nsecond red\n".repeat(2)).then_some(())
    });
    project.down();
}

#[test]
fn a_failing_hook_before_start_keeps_the_service_from_starting() {
    let project = Project::new(
        "badprestart",
        "services: {web: {image: IMAGE, command: demo sleep, pre_start: [{command: [sh, -c, 'echo the reason; exit 4']}]}}",
    );
    let up = project.rcompose(&["up", "--detach"]).code(1);
    assert!(
        up.stderr.contains("the reason") && up.stderr.contains('4'),
        "{up:?}"
    );
    let web = project.engine().inspect(&project.container("web", 1));
    assert_eq!(web["State"]["Status"], "created");
    project.down();
}

#[test]
fn around_a_restart() {
    let project = Project::new(
        "hookrestart",
        r"
services:
  web:
    image: IMAGE
    command: demo sleep
    volumes: ['./seen:/seen']
    post_start: [{command: [sh, -c, 'echo started >>/seen/log']}]
    pre_stop: [{command: [sh, -c, 'echo stopping >>/seen/log']}]
",
    );
    project.rcompose(&["up", "--detach"]).success();
    project.rcompose(&["restart"]).success();
    let log = std::fs::read_to_string(project.path().join("seen/log")).expect("hooks ran");
    assert_eq!(log, "started\nstopping\nstarted\n");
    project.down();
}
