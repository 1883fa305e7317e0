//! `ps`: ports, all, and who is unknown.

use serde_json::{Value, json};

use crate::support::process::start;
use crate::support::project::{Project, free_port, rcompose};

fn project(topic: &str, port: u16) -> Project {
    let project = Project::new(
        topic,
        &format!(
            r"
services:
  exposing: {{image: IMAGE, command: demo sleep, expose: ['80', '443', '8080']}}
  publishing: {{image: IMAGE, command: demo sleep, ports: ['127.0.0.1:{port}:8000']}}
"
        ),
    );
    project.rcompose(&["up", "-d"]).success();
    project
}

#[test]
fn ports_that_are_exposed_and_published() {
    let port = free_port();
    let project = project("psports", port);
    let table = project.rcompose(&["ps"]).success().stdout;
    let line = |service: &str| {
        let name = project.container(service, 1);
        let line = table.lines().find(|line| line.starts_with(&name));
        line.unwrap_or_else(|| panic!("{name}: {table}")).to_owned()
    };
    assert_eq!(table.lines().count(), 3, "{table}");
    assert!(
        line("publishing").contains(&format!("127.0.0.1:{port}->8000/tcp")),
        "{table}"
    );
    assert!(
        line("exposing").contains("80/tcp, 443/tcp, 8080/tcp"),
        "{table}"
    );

    let text = project
        .rcompose(&["ps", "--format", "json"])
        .success()
        .stdout;
    let shown: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("an object a line"))
        .collect();
    let exposed =
        |port: u16| json!({"URL": "", "TargetPort": port, "PublishedPort": 0, "Protocol": "tcp"});
    let published =
        json!({"URL": "127.0.0.1", "TargetPort": 8000, "PublishedPort": port, "Protocol": "tcp"});
    assert_eq!(shown.len(), 2, "{text}");
    for container in &shown {
        assert_eq!(container["Project"], project.name.as_str());
    }
    assert_eq!(shown[0]["Name"], project.container("exposing", 1));
    assert_eq!(
        shown[0]["Publishers"],
        json!([exposed(80), exposed(443), exposed(8080)])
    );
    assert_eq!(shown[1]["Publishers"], json!([published]));
    project.down();
}

#[test]
fn stopped_containers_only_when_asked_for() {
    let project = project("psall", free_port());
    project.rcompose(&["stop", "--timeout", "0"]).success();
    let lines = |arguments: &[&str]| project.rcompose(arguments).success().stdout.lines().count();
    assert_eq!(lines(&["ps"]), 1);
    assert_eq!(lines(&["ps", "--all"]), 3);
    project.rcompose(&["ps", "exposing"]).success();
    // A name of a project without its files is one whose services are not known.
    let mut unknown = project.command(rcompose(), &["-f", "compose.yaml", "ps", "unknown"]);
    unknown.env_remove("COMPOSE_PROJECT_NAME");
    start(unknown)
        .finish()
        .code(1)
        .says("no such service: unknown");
    project.down();
}
