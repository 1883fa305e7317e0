//! `start` and `stop`: of all, of some, with dependencies, and what one-offs do meanwhile.

use super::look::{containers, line, services};
use crate::support::project::Project;

const TWO: &str = r"
services:
  simple: {image: IMAGE, command: demo sleep}
  another: {image: IMAGE, command: demo sleep}
";
const DEPENDENT: &str = r"
services:
  foo: {image: IMAGE, command: demo sleep, stop_grace_period: 0s, depends_on: [bar]}
  bar: {image: IMAGE, command: demo sleep, stop_grace_period: 0s}
";

fn running(project: &Project) -> Vec<String> {
    services(project, &["--status", "running"])
}

/// The state of the project in `ls` with these options, or nothing.
fn listed(project: &Project, options: &[&str]) -> Option<String> {
    let filter = format!("name=^{}$", project.name);
    let arguments = [&["ls", "--format", "json", "--filter", &filter], options].concat();
    let list = project.rcompose(&arguments).success().stdout;
    let list: serde_json::Value = serde_json::from_str(&list).expect("an array");
    list[0]["Status"].as_str().map(ToOwned::to_owned)
}

#[test]
fn a_project_is_listed_as_it_is() {
    let project = Project::new("life", TWO);
    let up = project.rcompose(&["up", "-d"]).success();
    up.says(&line(&project, "simple", "Started"));
    assert_eq!(listed(&project, &["--all"]).as_deref(), Some("running(2)"));
    let table = project.rcompose(&["ps"]).success().stdout;
    assert_eq!(table.matches("Up ").count(), 2, "{table}");

    project.rcompose(&["stop"]).success();
    assert_eq!(listed(&project, &[]), None);
    assert_eq!(listed(&project, &["--all"]).as_deref(), Some("exited(2)"));
    assert_eq!(services(&project, &[]), Vec::<String>::new());
    let table = project.rcompose(&["ps", "--all"]).success().stdout;
    assert_eq!(table.matches("Exited (").count(), 2, "{table}");

    project.rcompose(&["start"]).success();
    assert_eq!(listed(&project, &[]).as_deref(), Some("running(2)"));
    project.down();
}

#[test]
fn without_the_files_dependencies_are_known() {
    let project = Project::empty("startdeps");
    project.file("app.yaml", DEPENDENT);
    let up = project.rcompose(&["-f", "app.yaml", "up", "-d"]).success();
    for service in ["foo", "bar"] {
        assert!(
            up.stderr.contains(&line(&project, service, "Started")),
            "{up:?}"
        );
    }
    let stop = project.rcompose(&["stop", "foo"]).success();
    stop.says(&line(&project, "foo", "Stopped"));
    assert_eq!(running(&project), ["bar"]);
    let stop = project.rcompose(&["stop"]).success();
    stop.says(&line(&project, "bar", "Stopped"));
    let start = project.rcompose(&["start", "foo"]).success();
    for service in ["foo", "bar"] {
        assert!(
            start.stderr.contains(&line(&project, service, "Started")),
            "{start:?}"
        );
    }
    assert_eq!(running(&project), ["bar", "foo"]);
    project.down();
}

#[test]
fn links_are_dependencies_that_can_be_left_out() {
    let project = Project::new(
        "nolinks",
        "services:\n  foo: {image: IMAGE, command: demo sleep, links: [bar]}\n  bar: {image: IMAGE, command: demo sleep}\n",
    );
    let up = project
        .rcompose(&["up", "--no-deps", "-d", "foo"])
        .success();
    assert!(
        up.stderr.contains(&line(&project, "foo", "Started")),
        "{up:?}"
    );
    assert!(!up.stderr.contains(&project.container("bar", 1)), "{up:?}");
    project.down();
}

#[test]
fn one_offs_are_left_alone() {
    let project = Project::empty("oneoffs");
    project.file("app.yaml", DEPENDENT);
    project.rcompose(&["-f", "app.yaml", "up", "-d"]).success();
    let run = ["-f", "app.yaml", "run", "-d", "bar", "demo", "sleep"];
    project.rcompose(&run).success();
    let all = containers(&project, &["--all"]);
    let one_off = format!("{}-bar-run-", project.name);
    assert_eq!(all.len(), 3, "{all:?}");
    assert!(all.iter().any(|name| name.starts_with(&one_off)), "{all:?}");

    for command in ["stop", "start", "restart"] {
        let said = project.rcompose(&[command]).success();
        for service in ["foo", "bar"] {
            assert!(
                said.stderr.contains(&project.container(service, 1)),
                "{said:?}"
            );
        }
        assert!(!said.stderr.contains(&one_off), "{said:?}");
        if command == "stop" {
            let running = containers(&project, &["--all", "--status", "running"]);
            assert!(
                running.len() == 1 && running[0].starts_with(&one_off),
                "{running:?}"
            );
        }
    }
    project
        .rcompose(&["down", "--remove-orphans", "--timeout", "0"])
        .success();
    project.assert_nothing_left();
}

#[test]
fn twice_is_no_mistake() {
    let project = Project::new("twicestart", TWO);
    project.rcompose(&["up", "-d", "--wait"]).success();
    let start = project.rcompose(&["start", "simple"]).success();
    assert_eq!(start.stdout, "");
    project.rcompose(&["stop", "simple"]).success();
    let stop = project.rcompose(&["stop", "simple"]).success();
    stop.says(&line(&project, "simple", "Stopped"));
    project.down();
}

#[test]
fn several_services_at_once() {
    let project = Project::new("several", TWO);
    project.rcompose(&["up", "-d", "--wait"]).success();
    for (command, what) in [("stop", "Stopped"), ("start", "Started")] {
        let said = project.rcompose(&[command, "simple", "another"]).success();
        for service in ["simple", "another"] {
            assert!(
                said.stderr.contains(&line(&project, service, what)),
                "{said:?}"
            );
        }
    }
    project.down();
}

#[test]
fn a_created_service_is_started_with_its_dependencies_only() {
    let service = |depends: &str| format!("{{image: IMAGE, command: demo sleep{depends}}}");
    let project = Project::new(
        "startone",
        &format!(
            "services:\n  wanted: {}\n  dep_1: {}\n  dep_2: {}\n  another: {}\n  another_2: {}\n",
            service(", depends_on: [dep_1]"),
            service(", depends_on: [dep_2]"),
            service(""),
            service(", depends_on: [another_2]"),
            service(""),
        ),
    );
    project.rcompose(&["create", "wanted"]).success();
    let start = project.rcompose(&["start", "wanted"]).success();
    for service in ["wanted", "dep_1", "dep_2"] {
        assert!(
            start.stderr.contains(&line(&project, service, "Started")),
            "{start:?}"
        );
    }
    assert!(!start.stderr.contains("another"), "{start:?}");
    project.down();
}

#[test]
fn only_what_the_file_has_is_stopped() {
    let project = Project::new("twofiles", TWO);
    project.file(
        "other.yaml",
        "services: {different: {image: IMAGE, command: demo sleep}}",
    );
    project.rcompose(&["up", "-d"]).success();
    project
        .rcompose(&["-f", "other.yaml", "up", "-d"])
        .success();
    let stop = project.rcompose(&["stop"]).success();
    for service in ["simple", "another"] {
        assert!(
            stop.stderr.contains(&line(&project, service, "Stopped")),
            "{stop:?}"
        );
    }
    assert!(!stop.stderr.contains("different"), "{stop:?}");
    project
        .rcompose(&["down", "--remove-orphans", "--timeout", "0"])
        .success();
    project.assert_nothing_left();
}
