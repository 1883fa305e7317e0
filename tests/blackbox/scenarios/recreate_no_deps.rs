//! `up --force-recreate --no-deps`.

use super::look::{inspect, state};
use crate::support::project::Project;

#[test]
fn a_service_is_replaced_without_its_healthy_dependency() {
    let project = Project::new(
        "recreatealone",
        r#"
services:
  app:
    image: IMAGE
    command: demo sleep
    depends_on: {web: {condition: service_healthy}}
  web:
    image: IMAGE
    command: demo web
    healthcheck: {test: [CMD, demo, get, "http://127.0.0.1:8080/healthz"], interval: 200ms, retries: 50}
"#,
    );
    project.rcompose(&["up", "-d", "app"]).success();
    let ids = || {
        (
            inspect(&project, "app")["Id"].clone(),
            inspect(&project, "web")["Id"].clone(),
        )
    };
    let before = ids();
    let again = ["up", "-d", "--force-recreate", "--no-deps", "app"];
    project.rcompose(&again).success();
    let after = ids();
    assert_ne!(before.0, after.0);
    assert_eq!(before.1, after.1);
    assert_eq!(state(&project, "app"), "running");
    project.down();
}
