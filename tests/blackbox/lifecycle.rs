//! The life of a project: each command's effect on the engine and what it prints.

use crate::support::eventually;
use crate::support::http::get;
use crate::support::project::{Project, free_port};

const TWO: &str = r"
services:
  web:
    image: IMAGE
    command: demo sleep
    depends_on: [db]
  db:
    image: IMAGE
    command: demo sleep
";

fn state(project: &Project, service: &str) -> String {
    let container = project.engine().inspect(&project.container(service, 1));
    container["State"]["Status"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

#[test]
fn up_makes_everything_and_down_leaves_nothing() {
    let project = Project::new("life", TWO);
    let up = project.rcompose(&["up", "--detach"]).success();
    assert_eq!(up.stdout, "", "progress belongs on standard error");
    let web = project.container("web", 1);
    let db = project.container("db", 1);
    let network = format!("{}_default", project.name);
    assert_eq!(
        project.left(),
        [
            format!("container {db}"),
            format!("container {web}"),
            format!("network {network}")
        ]
    );
    let labels = &project.engine().inspect(&web)["Config"]["Labels"];
    assert_eq!(labels["com.docker.compose.service"], "web");
    assert_eq!(labels["com.docker.compose.container-number"], "1");
    assert_eq!(labels["com.docker.compose.oneoff"], "False");
    assert_eq!(
        labels["com.docker.compose.depends_on"],
        "db:service_started:false"
    );
    assert_eq!(
        labels["com.docker.compose.project.working_dir"],
        project.path().to_str().expect("a plain path")
    );
    project.down();
    // With nothing there, `down` has nothing to say.
    let again = project.rcompose(&["down"]).success();
    assert_eq!(again.stdout, "");
}

#[test]
fn down_works_without_the_files() {
    let project = Project::new("nofiles", TWO);
    project.rcompose(&["up", "--detach"]).success();
    std::fs::remove_file(project.path().join("compose.yaml")).expect("the file is ours");
    project
        .rcompose(&["--project-name", &project.name, "down", "--timeout", "0"])
        .success();
    project.assert_nothing_left();
}

#[test]
fn create_then_start() {
    let project = Project::new("create", TWO);
    project.rcompose(&["create"]).success();
    assert_eq!(state(&project, "web"), "created");
    project.rcompose(&["start"]).success();
    assert_eq!(state(&project, "web"), "running");
    project.down();
}

#[test]
fn stop_start_restart_kill_rm() {
    let project = Project::new("states", TWO);
    project.rcompose(&["up", "--detach"]).success();
    project.rcompose(&["stop", "web"]).success();
    assert_eq!(
        (state(&project, "web"), state(&project, "db")),
        ("exited".into(), "running".into())
    );
    project.rcompose(&["start", "web"]).success();
    assert_eq!(state(&project, "web"), "running");

    let started =
        || project.engine().inspect(&project.container("web", 1))["State"]["StartedAt"].clone();
    let before = started();
    project.rcompose(&["restart", "web"]).success();
    assert_ne!(before, started());

    project
        .rcompose(&["kill", "--signal", "KILL", "web"])
        .success();
    eventually(60, "web is dead", || {
        (state(&project, "web") == "exited").then_some(())
    });
    let code = project.engine().inspect(&project.container("web", 1))["State"]["ExitCode"].clone();
    assert_eq!(code, 137);

    project.rcompose(&["rm", "--force", "web"]).success();
    assert_eq!(project.container_ids().len(), 1);
    project.rcompose(&["rm", "--force", "--stop"]).success();
    assert_eq!(project.container_ids().len(), 0);
    project.down();
}

#[test]
fn only_the_named_service_and_what_it_depends_on() {
    let project = Project::new("named", TWO);
    project.rcompose(&["up", "--detach", "db"]).success();
    assert_eq!(project.container_ids().len(), 1);
    project.rcompose(&["up", "--detach", "web"]).success();
    assert_eq!(project.container_ids().len(), 2);
    project.rcompose(&["down"]).success();
    project
        .rcompose(&["up", "--detach", "--no-deps", "web"])
        .success();
    assert_eq!(project.container_ids().len(), 1);
    project.down();
}

#[test]
fn ps_shows_what_runs() {
    let project = Project::new("ps", TWO);
    project.rcompose(&["up", "--detach"]).success();
    project.rcompose(&["stop", "web"]).success();

    let table = project.rcompose(&["ps"]).success().stdout;
    let heading: Vec<&str> = table
        .lines()
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    assert_eq!(
        heading,
        [
            "NAME", "IMAGE", "COMMAND", "SERVICE", "CREATED", "STATUS", "PORTS"
        ]
    );
    assert!(table.contains(&project.container("db", 1)), "{table}");
    assert!(!table.contains(&project.container("web", 1)), "{table}");

    let all = project
        .rcompose(&["ps", "--all", "--format", "json"])
        .success()
        .stdout;
    let services: Vec<serde_json::Value> = all
        .lines()
        .map(|line| serde_json::from_str(line).expect("one object a line"))
        .collect();
    assert_eq!(services.len(), 2);
    assert_eq!(services[0]["Service"], "db");
    assert_eq!(services[1]["State"], "exited");

    let names = project.rcompose(&["ps", "--services"]).success().stdout;
    assert_eq!(names, "db\n");
    let ids = project
        .rcompose(&["ps", "--all", "--quiet"])
        .success()
        .stdout;
    let mut ids: Vec<&str> = ids.lines().collect();
    ids.sort_unstable();
    assert_eq!(ids, project.container_ids());
    project.down();
}

#[test]
fn port_top_images_ls() {
    let port = free_port();
    let project = Project::new(
        "looks",
        &format!(
            "services:\n  web:\n    image: IMAGE\n    command: demo web\n    ports: ['127.0.0.1:{port}:8080']\n"
        ),
    );
    project.rcompose(&["up", "--detach"]).success();
    eventually(60, "the page", || get(port, "/healthz"));
    let published = project.rcompose(&["port", "web", "8080"]).success().stdout;
    assert_eq!(published, format!("127.0.0.1:{port}\n"));
    project
        .rcompose(&["port", "web", "99"])
        .code(1)
        .says("no port 99/tcp");

    let top = project.rcompose(&["top"]).success().stdout;
    assert!(top.contains("demo web"), "{top}");
    let images = project
        .rcompose(&["images", "--format", "json"])
        .success()
        .stdout;
    let images: serde_json::Value = serde_json::from_str(&images).expect("an array");
    assert_eq!(images[0]["Repository"], "rcompose-fixtures/busybox");

    let list = project.rcompose(&[
        "ls",
        "--format",
        "json",
        "--filter",
        &format!("name={}", project.name),
    ]);
    let list: serde_json::Value = serde_json::from_str(&list.success().stdout).expect("an array");
    assert_eq!(list[0]["Name"], project.name.as_str());
    assert_eq!(list[0]["Status"], "running(1)");
    project.down();
}

#[test]
fn scale_up_and_down() {
    let project = Project::new(
        "scale",
        "services: {web: {image: IMAGE, command: demo sleep}}",
    );
    project
        .rcompose(&["up", "--detach", "--scale", "web=3"])
        .success();
    let three = project.container_ids();
    assert_eq!(three.len(), 3);
    let first = project.engine().inspect(&project.container("web", 1))["Id"].clone();
    project
        .rcompose(&["up", "--detach", "--scale", "web=2"])
        .success();
    assert_eq!(project.container_ids().len(), 2);
    assert!(
        project.container_ids().iter().all(|id| three.contains(id)),
        "none is new"
    );
    // Without --scale the file counts; the lowest number stays.
    project.rcompose(&["up", "--detach"]).success();
    assert_eq!(
        project.container_ids(),
        [first.as_str().unwrap_or_default()]
    );
    project.down();
}

#[test]
fn orphans_are_named_and_removed_on_request() {
    let project = Project::new("orphans", TWO);
    project.rcompose(&["up", "--detach"]).success();
    project.file(
        "compose.yaml",
        "services: {db: {image: IMAGE, command: demo sleep}}",
    );
    let web = project.container("web", 1);
    project.rcompose(&["up", "--detach"]).success().says(&web);
    assert_eq!(project.container_ids().len(), 2);
    project
        .rcompose(&["up", "--detach", "--remove-orphans"])
        .success();
    assert_eq!(project.container_ids().len(), 1);
    project.down();
}

#[test]
fn many_at_once() {
    let services: Vec<String> = (1..=20)
        .map(|number| format!("  s{number}: {{image: IMAGE, command: demo sleep}}"))
        .collect();
    let compose = format!("services:\n{}\n", services.join("\n"));
    let project = Project::new("many", &compose);
    project.rcompose(&["up", "--detach"]).success();
    assert_eq!(project.container_ids().len(), 20);
    project.down();
}
