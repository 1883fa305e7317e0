//! `up --wait` and `wait`.

use std::time::Duration;

use crate::support::project::Project;

#[test]
fn until_everything_is_healthy() {
    let project = Project::new(
        "wait",
        r#"
services:
  db:
    image: IMAGE
    command: demo store /data 800
    healthcheck:
      test: [CMD, demo, get, "http://127.0.0.1:7000/healthz"]
      interval: 200ms
      retries: 50
  web: {image: IMAGE, command: demo sleep}
"#,
    );
    project.rcompose(&["up", "--wait"]).success();
    let db = project.engine().inspect(&project.container("db", 1));
    assert_eq!(db["State"]["Health"]["Status"], "healthy");
    project.down();
}

#[test]
fn not_longer_than_told() {
    let project = Project::new(
        "waittime",
        "services: {db: {image: IMAGE, command: demo sleep, healthcheck: {test: 'false', interval: 1s, retries: 100}}}",
    );
    let up = project
        .rcompose(&["up", "--wait", "--wait-timeout", "2"])
        .code(1);
    assert!(up.took < Duration::from_secs(30), "{up:?}");
    up.says("not healthy after 2s");
    project.down();
}

#[test]
fn not_for_what_cannot_come() {
    let project = Project::new(
        "waitbad",
        "services: {db: {image: IMAGE, command: demo sleep, healthcheck: {test: 'false', interval: 200ms, retries: 1}}}",
    );
    project
        .rcompose(&["up", "--wait"])
        .code(1)
        .says("unhealthy");
    project.down();
}

#[test]
fn a_one_shot_that_succeeds_is_a_success() {
    let project = Project::new(
        "waitshot",
        "services: {job: {image: IMAGE, command: demo exit 0 300}}",
    );
    project.rcompose(&["up", "--wait"]).success();
    project.down();
    let project = Project::new(
        "waitshotbad",
        "services: {job: {image: IMAGE, command: demo exit 3 0}}",
    );
    project.rcompose(&["up", "--wait"]).code(1).says("3");
    project.down();
}
