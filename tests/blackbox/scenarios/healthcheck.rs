//! Health checks that are more frequent in the beginning.

use std::time::Duration;

use crate::support::project::Project;

#[test]
fn the_interval_of_the_start_counts_within_the_start_period() {
    let project = Project::new(
        "startint",
        r"
services:
  test:
    image: IMAGE
    command: demo sleep
    healthcheck: {test: 'true', interval: 60s, start_period: 20s, start_interval: 300ms}
  error:
    image: IMAGE
    command: demo sleep
    healthcheck: {test: 'true', interval: 60s, start_interval: 300ms}
",
    );
    project
        .rcompose(&["up", "--wait", "--detach", "error"])
        .code(1)
        .says("healthcheck.start_interval requires healthcheck.start_period to be set");
    let up = project
        .rcompose(&["up", "--wait", "--detach", "test"])
        .success();
    assert!(up.took < Duration::from_secs(30), "{up:?}");
    up.says("Healthy");
    project.down();
}
