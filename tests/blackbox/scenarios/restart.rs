//! `restart`, and who is restarted along.

use super::look::{line, state};
use crate::support::eventually;
use crate::support::project::Project;

/// Ends the first time, and stays the second time.
const ONCE: &str =
    "[sh, -c, 'if [ -f /tmp/seen ]; then exec demo sleep; else touch /tmp/seen; fi']";

#[test]
fn an_ended_container_runs_again() {
    let project = Project::new(
        "restart",
        &format!("services: {{once: {{image: IMAGE, command: {ONCE}}}}}"),
    );
    let up = project.rcompose(&["up", "-d"]).success();
    up.says(&line(&project, "once", "Started"));
    eventually(60, "it ended", || {
        (state(&project, "once") == "exited").then_some(())
    });
    project.rcompose(&["restart"]).success();
    eventually(60, "it stays", || {
        let script = ["exec", "-T", "once", "pidof", "demo"];
        (project.rcompose(&script).code == 0).then_some(())
    });
    let shown = project.rcompose(&["ps"]).success().stdout;
    assert!(shown.contains("Up "), "{shown}");
    project.down();
}

#[test]
fn dependents_that_asked_for_it_are_restarted_along() {
    let mut project = Project::new(
        "restartdeps",
        r#"
services:
  asking:
    image: IMAGE
    command: demo sleep
    depends_on: {web: {condition: service_healthy, restart: true}}
  silent:
    image: IMAGE
    command: demo sleep
    depends_on: {web: {condition: service_healthy}}
  web:
    image: IMAGE
    command: demo web
    labels: {VERSION: "${VERSION:-one}"}
    healthcheck: {test: [CMD, demo, get, "http://127.0.0.1:8080/healthz"], interval: 200ms, retries: 50}
"#,
    );
    project.rcompose(&["up", "-d"]).success();
    let restart = project.rcompose(&["restart", "web"]).success();
    for (service, what) in [
        ("web", "Restarting"),
        ("web", "Healthy"),
        ("asking", "Started"),
    ] {
        assert!(
            restart.stderr.contains(&line(&project, service, what)),
            "{what}: {restart:?}"
        );
    }
    assert!(!restart.stderr.contains("silent"), "{restart:?}");

    project.set("VERSION", "two");
    let up = project.rcompose(&["up", "-d"]).success();
    let wanted = [
        ("asking", "Stopped"),
        ("web", "Recreated"),
        ("web", "Healthy"),
        ("asking", "Started"),
        ("silent", "Running"),
    ];
    for (service, what) in wanted {
        assert!(
            up.stderr.contains(&line(&project, service, what)),
            "{what}: {up:?}"
        );
    }
    project.down();
}

#[test]
fn without_the_files_profiles_do_not_matter() {
    let project = Project::empty("restartprofile");
    project.file(
        "app.yaml",
        &format!(
            "services:\n  once: {{image: IMAGE, command: {ONCE}}}\n  test: {{image: IMAGE, profiles: [test], command: {ONCE}}}\n"
        ),
    );
    project
        .rcompose(&["-f", "app.yaml", "--profile", "test", "up", "-d"])
        .success();
    let restart = project.rcompose(&["restart", "test"]).success();
    restart.says(&line(&project, "test", "Started"));
    project.down();
}
