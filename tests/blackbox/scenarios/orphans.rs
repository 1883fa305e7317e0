//! One-off containers that nobody removed.

use super::look::containers;
use crate::support::project::Project;

#[test]
fn ended_one_offs_go_where_orphans_are_to_be_removed() {
    let project = Project::new(
        "oneofforphan",
        r"
services:
  job: {image: IMAGE, profiles: [job], command: echo done}
  web: {image: IMAGE, command: demo sleep}
",
    );
    project.file(".env", "COMPOSE_REMOVE_ORPHANS=true\n");
    project.rcompose(&["run", "-T", "job"]).success();
    let one_off = format!("{}-job-run-", project.name);
    let left = containers(&project, &["--all"]);
    assert!(left.len() == 1 && left[0].starts_with(&one_off), "{left:?}");
    project.rcompose(&["up", "-d"]).success();
    let left = containers(&project, &["--all"]);
    assert_eq!(left, [project.container("web", 1)]);
    project.down();
}
