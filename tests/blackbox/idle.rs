//! Waiting costs nothing: no request to the engine while there is nothing to do.

use std::time::Duration;

use nix::sys::signal::Signal;

use crate::support::eventually;
use crate::support::project::Project;
use crate::support::proxy::Proxy;

const SLOW: &str = r#"
services:
  db:
    image: IMAGE
    command: demo store /data 5000
    healthcheck:
      test: [CMD, demo, get, "http://127.0.0.1:7000/healthz"]
      interval: 500ms
      retries: 50
  web:
    image: IMAGE
    command: demo tick tick 1000
    depends_on: {db: {condition: service_healthy}}
"#;

/// The requests made in two seconds of waiting.
fn requests_while_waiting(proxy: &Proxy) -> Vec<String> {
    std::thread::sleep(Duration::from_secs(1));
    let before = proxy.requests().len();
    std::thread::sleep(Duration::from_secs(2));
    proxy.requests().split_off(before)
}

#[test]
fn no_request_while_waiting_for_health() {
    let proxy = Proxy::start();
    let mut project = Project::new("idlewait", SLOW);
    project.set("DOCKER_HOST", &proxy.host());
    let up = project.start(&["up", "--detach"]);
    eventually(60, "db starts", || {
        proxy
            .requests()
            .iter()
            .any(|request| request.ends_with("/start"))
            .then_some(())
    });
    let requests = requests_while_waiting(&proxy);
    assert_eq!(requests, Vec::<String>::new());
    up.finish().success();
    project.down();
}

#[test]
fn no_request_while_showing_logs() {
    let proxy = Proxy::start();
    let mut project = Project::new(
        "idlelogs",
        "services: {web: {image: IMAGE, command: demo tick tick 300}}",
    );
    project.set("DOCKER_HOST", &proxy.host());
    let up = project.start(&["up"]);
    up.wait_for_stdout("tick 1");
    assert_eq!(requests_while_waiting(&proxy), Vec::<String>::new());
    up.signal(Signal::SIGINT);
    up.finish().code(130);
    project.rcompose(&["start"]).success();
    let logs = project.start(&["logs", "--follow"]);
    logs.wait_for_stdout("tick 1");
    assert_eq!(requests_while_waiting(&proxy), Vec::<String>::new());
    logs.signal(Signal::SIGINT);
    logs.finish();
    project.down();
}
