//! `env_file`.

use crate::support::project::Project;

#[test]
fn raw_ones_are_taken_as_they_are() {
    let project = Project::new(
        "rawenv",
        "services: {test: {image: IMAGE, command: sh -c 'echo $$TEXT', env_file: [{path: raw.env, format: raw}]}}",
    );
    project.file("raw.env", "TEXT='{\"key\": \"${value}\"}'\n");
    let run = project.rcompose(&["run", "--rm", "-T", "test"]).success();
    assert_eq!(run.stdout, "'{\"key\": \"${value}\"}'\n");
    project.down();
}

#[test]
fn a_missing_one_matters_to_its_service_only() {
    let project = Project::new(
        "unusedenv",
        r"
services:
  a: {image: IMAGE, command: demo sleep}
  b: {image: IMAGE, command: demo sleep, env_file: [/not/there/.env]}
  c: {image: IMAGE, profiles: [test], env_file: test.env}
",
    );
    project.file("test.env", "COLOUR=red\n");
    project.rcompose(&["up", "--detach", "a"]).success();
    project.rcompose(&["ps"]).success();
    project.rcompose(&["logs"]).success();
    let run = project
        .rcompose(&["run", "--rm", "-T", "c", "env"])
        .success();
    assert!(run.stdout.contains("COLOUR=red\n"), "{run:?}");
    project.rcompose(&["down", "--timeout", "0"]).success();
    project.assert_nothing_left();
}
