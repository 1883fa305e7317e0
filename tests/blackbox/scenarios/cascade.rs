//! `up` that ends with its containers.

use crate::support::project::Project;

const COMPOSE: &str = r"
services:
  stays: {image: IMAGE, command: demo sleep}
  good:
    image: IMAGE
    command: demo exit 0
    depends_on: [stays]
  bad:
    image: IMAGE
    command: demo exit 111
    depends_on:
      good: {condition: service_completed_successfully}
";

#[test]
fn the_first_that_ends_well_is_no_failure() {
    let project = Project::new("cascadestop", COMPOSE);
    let up = project
        .rcompose(&["up", "--abort-on-container-exit"])
        .success();
    assert!(up.stdout.contains("good-1 exited with code 0"), "{up:?}");
    project.down();
}

#[test]
fn only_one_that_fails_ends_the_others() {
    let project = Project::new("cascadefail", COMPOSE);
    let up = project
        .rcompose(&["up", "--abort-on-container-failure"])
        .code(111);
    assert!(up.stdout.contains("good-1 exited with code 0"), "{up:?}");
    assert!(up.stdout.contains("bad-1 exited with code 111"), "{up:?}");
    let stays = project.engine().inspect(&project.container("stays", 1));
    assert_eq!(stays["State"]["Running"], false);
    project.down();
}
