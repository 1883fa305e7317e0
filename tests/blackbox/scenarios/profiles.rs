//! A profile while a project is stopped, started, restarted and removed.

use super::look::services;
use crate::support::project::Project;

/// A project whose file is read only when `-f app.yaml` is given.
fn project(topic: &str) -> Project {
    let project = Project::empty(topic);
    project.file(
        "app.yaml",
        r"
services:
  regular: {image: IMAGE, command: demo sleep}
  special: {image: IMAGE, command: demo sleep, profiles: [extra]}
",
    );
    project
}

fn running(project: &Project) -> Vec<String> {
    services(project, &["--status", "running"])
}

/// Each of stop, start and restart with `options` before and `names` after the command, on what `up` made run.
fn life(project: &Project, options: &[&str], names: &[&str], expected: &[&str]) {
    let app = |command: &[&str]| {
        let arguments = [&["-f", "app.yaml"], options, command, names].concat();
        project.rcompose(&arguments).success();
    };
    app(&["up", "-d"]);
    assert_eq!(services(project, &[]), expected);
    app(&["stop"]);
    assert_eq!(running(project), Vec::<String>::new());
    app(&["start"]);
    assert_eq!(running(project), expected);
    app(&["restart"]);
    assert_eq!(running(project), expected);
    project.down();
}

#[test]
fn with_the_profile_all_take_part() {
    let project = project("withprofile");
    life(
        &project,
        &["--profile", "extra"],
        &[],
        &["regular", "special"],
    );
}

#[test]
fn without_the_profile_its_services_stay_away() {
    life(&project("noprofile"), &[], &[], &["regular"]);
}

#[test]
fn a_named_service_takes_part_alone() {
    let project = project("nameprofile");
    life(&project, &[], &["special"], &["special"]);
    // Whoever starts it again need not name it: what is there counts, and nothing else comes.
    project
        .rcompose(&["-f", "app.yaml", "up", "-d", "special"])
        .success();
    project.rcompose(&["-f", "app.yaml", "restart"]).success();
    assert_eq!(running(&project), ["special"]);
    let with_profile = ["--profile", "extra", "ps", "--services"];
    assert_eq!(
        project.rcompose(&with_profile).success().stdout,
        "special\n"
    );
    project.down();
}

#[test]
fn an_env_file_chooses_profiles() {
    let project = project("envprofile");
    project.file("profile.env", "COMPOSE_PROFILES=extra\n");
    let up = ["-f", "app.yaml", "--env-file", "profile.env", "up", "-d"];
    project.rcompose(&up).success();
    assert_eq!(running(&project), ["regular", "special"]);
    project.down();
}
