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
    eventually(5, "the hook ran", || {
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
