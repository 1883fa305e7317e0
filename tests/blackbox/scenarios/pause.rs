//! `pause` and `unpause`.

use std::io::{Read, Write};
use std::time::Duration;

use super::look::state;
use crate::support::eventually;
use crate::support::http::{connect, get};
use crate::support::project::{Project, free_port};

/// Two web servers and the ports they are at.
fn project(topic: &str) -> (Project, [u16; 2]) {
    let ports = [free_port(), free_port()];
    let service = |port: u16| {
        format!("{{image: IMAGE, command: demo web, ports: ['127.0.0.1:{port}:8080']}}")
    };
    let (a, b) = (service(ports[0]), service(ports[1]));
    let project = Project::new(topic, &format!("services:\n  a: {a}\n  b: {b}\n"));
    (project, ports)
}

/// Whether an answer comes within a quarter of a second.
fn answers_at_once(port: u16) -> bool {
    let Some(mut stream) = connect(port) else {
        return false;
    };
    let limit = Some(Duration::from_millis(250));
    let asked = stream
        .set_read_timeout(limit)
        .and_then(|()| stream.write_all(b"GET /healthz HTTP/1.0\r\n\r\n"));
    asked.is_ok() && matches!(stream.read(&mut [0; 16]), Ok(1..))
}

#[test]
fn a_paused_service_does_not_answer() {
    let (project, ports) = project("pause");
    project.rcompose(&["up", "-d"]).success();
    for port in ports {
        eventually(60, "it answers", || get(port, "/healthz"));
    }
    project.rcompose(&["pause", "a"]).success();
    assert_eq!(state(&project, "a"), "paused");
    assert!(!answers_at_once(ports[0]));
    assert_eq!(get(ports[1], "/healthz").expect("b runs").status, 200);
    project.rcompose(&["unpause", "a"]).success();
    for port in ports {
        eventually(60, "it answers again", || get(port, "/healthz"));
    }
    project.down();
}

#[test]
fn what_does_not_run_is_not_paused() {
    let (project, _) = project("pausenot");
    project.rcompose(&["pause", "a"]).success();
    project.rcompose(&["pause", "nobody"]).success();
    project.assert_nothing_left();
}

#[test]
fn twice_is_an_error() {
    let (project, _) = project("pausetwice");
    project
        .rcompose(&["up", "--menu=false", "--wait", "a"])
        .success();
    project.rcompose(&["pause", "a"]).success();
    project
        .rcompose(&["pause", "a"])
        .code(1)
        .says("already paused");
    project.down();
}
