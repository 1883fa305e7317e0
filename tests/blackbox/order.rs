//! The order of things, by the engine's own clock.

use std::time::Duration;

use crate::support::events::time_of;
use crate::support::project::Project;

const CHAIN: &str = r#"
services:
  db:
    image: IMAGE
    command: demo store /data 700
    healthcheck:
      test: [CMD, demo, get, "http://127.0.0.1:7000/healthz"]
      interval: 200ms
      retries: 50
  job:
    image: IMAGE
    command: demo exit 0 500
    depends_on:
      db: {condition: service_healthy}
  app:
    image: IMAGE
    command: demo sleep
    depends_on:
      job: {condition: service_completed_successfully}
      db: {condition: service_healthy}
  front:
    image: IMAGE
    command: demo sleep
    depends_on: [app]
"#;

#[test]
fn nothing_starts_before_its_condition_holds() {
    let project = Project::new("order", CHAIN);
    project.rcompose(&["up", "--detach"]).success();
    let events = project.engine().events.of(&project.name);
    let time = |service, action| time_of(&events, &project.container(service, 1), action);
    assert!(
        time("db", "health_status: healthy") <= time("job", "start"),
        "{events:#?}"
    );
    assert!(time("job", "die") <= time("app", "start"), "{events:#?}");
    assert!(
        time("app", "start") <= time("front", "start"),
        "{events:#?}"
    );
    // All of them exist before the first of them starts.
    assert!(
        time("front", "create") <= time("db", "start"),
        "{events:#?}"
    );
    project.down();
}

#[test]
fn what_depends_on_nothing_common_starts_side_by_side() {
    let mut compose = "services:\n".to_owned();
    for branch in ["left", "right"] {
        compose.push_str(
            &CHAIN
                .replace("\nservices:\n", "")
                .replace("  db:", &format!("  {branch}-db:")),
        );
        compose = compose
            .replace("      db:", &format!("      {branch}-db:"))
            .replace("  job:\n    image", &format!("  {branch}-job:\n    image"))
            .replace("      job:", &format!("      {branch}-job:"))
            .replace("  app:", &format!("  {branch}-app:"))
            .replace("  front:", &format!("  {branch}-front:"))
            .replace("[app]", &format!("[{branch}-app]"));
    }
    let project = Project::new("branches", &compose);
    project.rcompose(&["up", "--detach"]).success();
    let events = project.engine().events.of(&project.name);
    let time = |service: &str, action| time_of(&events, &project.container(service, 1), action);
    // Each branch takes over a second from its first start to its last; one after the other they would not overlap.
    assert!(
        time("left-db", "start") < time("right-job", "start"),
        "{events:#?}"
    );
    assert!(
        time("right-db", "start") < time("left-job", "start"),
        "{events:#?}"
    );
    project.down();
}

#[test]
fn dependents_stop_first() {
    let project = Project::new("reverse", CHAIN);
    project.rcompose(&["up", "--detach"]).success();
    project.rcompose(&["stop"]).success();
    let events = project.engine().events.of(&project.name);
    let time = |service, action| time_of(&events, &project.container(service, 1), action);
    assert!(time("front", "die") <= time("app", "kill"), "{events:#?}");
    assert!(time("app", "die") <= time("db", "kill"), "{events:#?}");
    project.down();
}

#[test]
fn a_failed_one_shot_keeps_its_dependents_from_starting() {
    let project = Project::new(
        "failedjob",
        r"
services:
  bad:
    image: IMAGE
    command: demo exit 3 200
  app:
    image: IMAGE
    command: demo sleep
    depends_on:
      bad: {condition: service_completed_successfully}
",
    );
    let up = project.rcompose(&["up", "--detach"]).code(1);
    up.says("service \"bad\" didn't complete successfully: exit 3");
    let events = project.engine().events.of(&project.name);
    let app = project.container("app", 1);
    assert!(
        !events
            .iter()
            .any(|event| event.name == app && event.action == "start"),
        "{events:#?}"
    );
    project.down();
}

#[test]
fn an_unhealthy_dependency_is_an_error_at_once() {
    let project = Project::new(
        "unhealthy",
        r"
services:
  db:
    image: IMAGE
    command: demo sleep
    healthcheck: {test: 'false', interval: 200ms, retries: 2}
  app:
    image: IMAGE
    command: demo sleep
    depends_on:
      db: {condition: service_healthy}
",
    );
    let up = project.rcompose(&["up", "--detach"]).code(1);
    assert!(up.took < Duration::from_secs(20), "{up:#?}");
    up.says(&format!(
        "container {} is unhealthy",
        project.container("db", 1)
    ));
    // Mended, the project comes up.
    project.file(
        "compose.override.yaml",
        "services: {db: {healthcheck: {test: 'true'}}}",
    );
    project.rcompose(&["up", "--detach"]).success();
    project.down();
}

#[test]
fn a_dependency_that_ends_cannot_get_healthy() {
    let project = Project::new(
        "ended",
        r"
services:
  db:
    image: IMAGE
    command: demo exit 7 300
    healthcheck: {test: 'false', interval: 1s, retries: 30}
  app:
    image: IMAGE
    command: demo sleep
    depends_on:
      db: {condition: service_healthy}
",
    );
    let up = project.rcompose(&["up", "--detach"]).code(1);
    up.says(&format!(
        "container {} exited (7)",
        project.container("db", 1)
    ));
    project.down();
}

#[test]
fn what_is_not_required_may_fail() {
    let project = Project::new(
        "optional",
        r"
services:
  bad:
    image: IMAGE
    command: demo exit 3
  app:
    image: IMAGE
    command: demo sleep
    depends_on:
      bad: {condition: service_completed_successfully, required: false}
",
    );
    project.rcompose(&["up", "--detach"]).success().says("bad");
    let app = project.engine().inspect(&project.container("app", 1));
    assert_eq!(app["State"]["Running"], true);
    project.down();
}

#[test]
fn healthy_means_every_replica() {
    let project = Project::new(
        "replicas",
        r"
services:
  db:
    image: IMAGE
    scale: 3
    command: demo sleep
    healthcheck: {test: 'true', interval: 300ms}
  app:
    image: IMAGE
    command: demo sleep
    depends_on:
      db: {condition: service_healthy}
",
    );
    project.rcompose(&["up", "--detach"]).success();
    let events = project.engine().events.of(&project.name);
    let app = time_of(&events, &project.container("app", 1), "start");
    for number in 1..=3 {
        let db = project.container("db", number);
        assert!(
            time_of(&events, &db, "health_status: healthy") <= app,
            "{events:#?}"
        );
    }
    project.down();
}
