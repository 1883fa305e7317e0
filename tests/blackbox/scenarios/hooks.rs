//! Hooks that fail, and hooks of what has been stopped before.

use crate::support::project::Project;

const COMPOSE: &str = r"
services:
  web:
    image: IMAGE
    command: demo sleep
    volumes: ['data:/data']
    post_start: [{command: sh -c 'echo env'}]
    pre_stop: [{command: sh -c '$BEFORE_STOP'}]
volumes: {data: {}}
";

#[test]
fn one_that_fails_after_the_start_fails_up() {
    let project = Project::new(
        "hookpost",
        "services: {web: {image: IMAGE, command: demo sleep, post_start: [{command: sh -c 'no-such-command'}]}}",
    );
    project
        .rcompose(&["up", "--detach"])
        .code(1)
        .says("web hook exited with status 127");
    project.down();
}

#[test]
fn one_that_fails_before_the_stop_fails_down() {
    let mut project = Project::new("hookpre", COMPOSE);
    project.set("BEFORE_STOP", "no-such-command");
    project.rcompose(&["up", "--detach"]).success();
    project
        .rcompose(&["down", "--volumes", "--timeout", "0"])
        .code(1)
        .says("web hook exited with status 127");
    project.set("BEFORE_STOP", "true");
    project.down();
}

#[test]
fn what_was_stopped_is_not_stopped_again() {
    let mut project = Project::new("hookstop", COMPOSE);
    project.set("BEFORE_STOP", "echo stopping >>/data/log");
    project.rcompose(&["up", "--detach"]).success();
    project.rcompose(&["stop", "web"]).success();
    project.rcompose(&["stop", "web"]).success();
    project.set("BEFORE_STOP", "no-such-command");
    let read = ["run", "--rm", "-T", "--no-deps", "web", "cat", "/data/log"];
    assert_eq!(project.rcompose(&read).success().stdout, "stopping\n");
    project.down();
}
