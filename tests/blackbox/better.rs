//! Where rcompose means to do better than docker compose: one test a row of docs/differences.md that an engine shows.

use crate::support::project::Project;

fn id(project: &Project) -> String {
    let container = project.engine().inspect(&project.container("web", 1));
    container["Id"].as_str().unwrap_or_default().to_owned()
}

const CONTENT: &str = r"
services:
  web: {image: IMAGE, command: demo sleep, configs: [{source: c, target: /c}]}
configs:
  c: {content: '${TEXT}'}
";

#[test]
fn changed_content_of_a_config_is_applied() {
    let mut project = Project::new("content", CONTENT);
    project.set("TEXT", "one");
    project.rcompose(&["up", "--detach"]).success();
    let before = id(&project);
    project.rcompose(&["up", "--detach"]).success();
    assert_eq!(before, id(&project));
    project.set("TEXT", "two");
    project.rcompose(&["up", "--detach"]).success();
    let read = project
        .engine()
        .docker(&["exec", &project.container("web", 1), "cat", "/c"]);
    assert_eq!(read, "two");
    project.down();
}

#[test]
fn changed_content_is_not_applied_where_strictness_is_asked_for() {
    let mut project = Project::new("strict", CONTENT);
    project.set("RCOMPOSE_COMPAT", "strict");
    project.set("TEXT", "one");
    project.rcompose(&["up", "--detach"]).success();
    let before = id(&project);
    project.set("TEXT", "two");
    project.rcompose(&["up", "--detach"]).success();
    assert_eq!(before, id(&project));
    project.down();
}

#[test]
fn containers_of_another_folder_are_not_removed_as_orphans() {
    let project = Project::new(
        "folder",
        "services: {web: {image: IMAGE, command: demo sleep}}",
    );
    project.rcompose(&["up", "--detach"]).success();
    let other = tempfile::tempdir().expect("a folder");
    let text = format!(
        "services: {{db: {{image: '{}', command: demo sleep}}}}",
        crate::support::project::IMAGE
    );
    std::fs::write(other.path().join("compose.yaml"), text).expect("it is writable");
    let file = other.path().join("compose.yaml").display().to_string();
    let up = ["--file", &file, "up", "--detach", "--remove-orphans"];
    let refused = project.rcompose(&up);
    assert_ne!(refused.code, 0, "{refused:?}");
    refused.says(&project.path().display().to_string());
    id(&project);
    project
        .rcompose(&[&up[..], &["--adopt"]].concat())
        .success();
    assert_eq!(
        project
            .left()
            .iter()
            .filter(|line| line.contains("-web-"))
            .count(),
        0
    );
    project
        .rcompose(&["--file", &file, "down", "--timeout", "0"])
        .success();
    project.assert_nothing_left();
}

#[test]
fn logs_of_several_services_come_in_the_order_of_time() {
    let project = Project::new(
        "merged",
        r"
services:
  a: {image: IMAGE, command: sh -c 'echo 1; sleep 0.6; echo 3; exec demo sleep'}
  b: {image: IMAGE, command: sh -c 'sleep 0.3; echo 2; sleep 0.6; echo 4; exec demo sleep'}
",
    );
    project.rcompose(&["up", "--detach"]).success();
    let lines = crate::support::eventually(60, "all four lines", || {
        let logs = project
            .rcompose(&["logs", "--no-log-prefix"])
            .success()
            .stdout;
        (logs.lines().count() == 4).then_some(logs)
    });
    // Both may start some hundred milliseconds apart: what each wrote is in order, and they alternate in the end.
    let stamped = project
        .rcompose(&["logs", "--no-log-prefix", "--timestamps"])
        .success()
        .stdout;
    let stamps: Vec<&str> = stamped
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert!(stamps.is_sorted(), "{stamped} {lines}");
    project.down();
}

#[test]
fn lines_written_while_stopping_are_shown() {
    let project = Project::new(
        "lastwords",
        "services: {web: {image: IMAGE, command: demo sleep}}",
    );
    let up = project.start(&["up"]);
    up.wait_for_stdout("Attaching to");
    crate::support::eventually(60, "web runs", || {
        let web = project.engine().inspect(&project.container("web", 1));
        (web["State"]["Running"] == true).then_some(())
    });
    up.signal(nix::sys::signal::Signal::SIGINT);
    let up = up.finish().code(130);
    assert!(up.stdout.contains("stopping on SIGTERM"), "{up:?}");
    project.down();
}
