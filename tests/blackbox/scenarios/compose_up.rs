//! `up`: waiting, codes, ports and streams.

use crate::support::project::Project;

#[test]
fn waiting_ends_with_one_shots_that_others_wait_for() {
    let project = Project::new(
        "upwait",
        r"
services:
  oneshot: {image: IMAGE, command: echo done}
  long:
    image: IMAGE
    command: demo sleep
    depends_on: {oneshot: {condition: service_completed_successfully}}
",
    );
    project
        .rcompose(&["up", "--wait", "--detach"])
        .success()
        .says(&project.container("oneshot", 1));
    project.down();
}

const CODES: &str = r"
services:
  safe: {image: IMAGE, command: demo sleep}
  failure: {image: IMAGE, command: demo exit 42 300}
  test: {image: IMAGE, init: true, command: sleep 1000, depends_on: [safe]}
";

#[test]
fn the_code_of_a_named_service_is_that_of_up() {
    let project = Project::new("upcode", CODES);
    project
        .rcompose(&["up", "--exit-code-from=failure", "failure"])
        .code(42);
    project.down();
}

#[test]
fn the_code_of_one_that_was_stopped_is_that_of_its_signal() {
    let project = Project::new("upkilled", CODES);
    project.rcompose(&["up", "--exit-code-from=test"]).code(143);
    project.down();
}

#[test]
fn replicas_share_a_range_of_ports() {
    // Far from the ports that other tests get.
    let project = Project::new(
        "uprange",
        "services: {a: {image: IMAGE, command: demo sleep, scale: 5, ports: ['30100-30110:80']}, b: {image: IMAGE, command: demo sleep, ports: [80]}, c: {image: IMAGE, command: demo sleep, ports: [80]}}",
    );
    project.rcompose(&["up", "--detach"]).success();
    let mut ports: Vec<String> = (1..=5)
        .map(|number| {
            let index = number.to_string();
            let port = ["port", "--index", &index, "a", "80"];
            project.rcompose(&port).success().stdout
        })
        .collect();
    ports.sort();
    ports.dedup();
    assert_eq!(ports.len(), 5, "{ports:?}");
    project.down();
}
