//! What `up` and others end with.

use crate::support::project::Project;

const COMPOSE: &str = r"
services:
  first: {image: IMAGE, command: demo exit 3 600}
  second: {image: IMAGE, command: demo sleep}
";

#[test]
fn of_the_first_container_that_ends() {
    let project = Project::new("abort", COMPOSE);
    project
        .rcompose(&["up", "--abort-on-container-exit"])
        .code(3);
    let second = project.engine().inspect(&project.container("second", 1));
    assert_eq!(second["State"]["Running"], false);
    project.down();
}

#[test]
fn of_a_named_service() {
    let project = Project::new("codefrom", COMPOSE);
    project
        .rcompose(&["up", "--exit-code-from", "first"])
        .code(3);
    project
        .rcompose(&["up", "--exit-code-from", "second"])
        .code(0);
    project
        .rcompose(&["up", "--exit-code-from", "nosuch"])
        .code(1)
        .says("nosuch");
    project.down();
}

#[test]
fn of_the_first_that_fails() {
    let project = Project::new(
        "abortfail",
        "services: {good: {image: IMAGE, command: demo exit 0}, bad: {image: IMAGE, command: demo exit 6 800}, other: {image: IMAGE, command: demo sleep}}",
    );
    project
        .rcompose(&["up", "--abort-on-container-failure"])
        .code(6);
    project.down();
}

#[test]
fn of_commands_with_nothing_to_do() {
    let project = Project::new("nothing", COMPOSE);
    for arguments in [
        &["stop"][..],
        &["rm", "--force"],
        &["down"],
        &["ps"],
        &["logs"],
        &["top"],
        &["images"],
    ] {
        project.rcompose(arguments).success();
    }
    project.rcompose(&["nosuchcommand"]).code(1);
    project.rcompose(&["up", "--nosuchflag"]).code(1);
    project
        .rcompose(&["up", "--detach", "nosuchservice"])
        .code(1)
        .says("no such service: nosuchservice");
    project.assert_nothing_left();
}
