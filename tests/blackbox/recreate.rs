//! When containers are replaced, and when they are not.

use crate::support::project::Project;

const COMPOSE: &str = r"
services:
  web:
    image: IMAGE
    command: demo sleep
    environment: {COLOUR: '${COLOUR:-red}'}
    depends_on:
      db: {condition: service_started, restart: true}
  db:
    image: IMAGE
    command: demo sleep
    environment: {SIZE: '${SIZE:-small}'}
    volumes: ['/data']
";

fn id(project: &Project, service: &str) -> String {
    let container = project.engine().inspect(&project.container(service, 1));
    container["Id"].as_str().unwrap_or_default().to_owned()
}

fn started(project: &Project, service: &str) -> String {
    let container = project.engine().inspect(&project.container(service, 1));
    container["State"]["StartedAt"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

#[test]
fn a_second_up_changes_nothing() {
    let project = Project::new("again", COMPOSE);
    project.rcompose(&["up", "--detach"]).success();
    let before = (
        id(&project, "web"),
        started(&project, "web"),
        id(&project, "db"),
        started(&project, "db"),
    );
    project.rcompose(&["up", "--detach"]).success();
    let after = (
        id(&project, "web"),
        started(&project, "web"),
        id(&project, "db"),
        started(&project, "db"),
    );
    assert_eq!(before, after);
    project.down();
}

#[test]
fn a_change_recreates_the_one_it_concerns() {
    let mut project = Project::new("change", COMPOSE);
    project.rcompose(&["up", "--detach"]).success();
    let (web, db) = (id(&project, "web"), id(&project, "db"));
    project.set("COLOUR", "blue");
    project.rcompose(&["up", "--detach"]).success();
    assert_ne!(web, id(&project, "web"));
    assert_eq!(db, id(&project, "db"));
    let environment =
        project.engine().inspect(&project.container("web", 1))["Config"]["Env"].to_string();
    assert!(environment.contains("COLOUR=blue"), "{environment}");
    assert_eq!(project.container_ids().len(), 2);
    project.down();
}

#[test]
fn dependents_restart_with_what_they_asked_to_restart_with() {
    let mut project = Project::new("cascade", COMPOSE);
    project.rcompose(&["up", "--detach"]).success();
    let (web, web_started, db) = (
        id(&project, "web"),
        started(&project, "web"),
        id(&project, "db"),
    );
    project
        .engine()
        .docker(&["exec", &project.container("db", 1), "touch", "/data/kept"]);
    project.set("SIZE", "large");
    project.rcompose(&["up", "--detach"]).success();
    assert_ne!(db, id(&project, "db"));
    assert_eq!(web, id(&project, "web"), "restarted, not replaced");
    assert_ne!(web_started, started(&project, "web"));
    // The anonymous volume goes over to the new container.
    project.engine().docker(&[
        "exec",
        &project.container("db", 1),
        "test",
        "-e",
        "/data/kept",
    ]);
    project.down();
}

#[test]
fn force_and_forbid() {
    let mut project = Project::new("force", COMPOSE);
    project.rcompose(&["up", "--detach"]).success();
    let before = project.container_ids();
    project
        .rcompose(&["up", "--detach", "--force-recreate"])
        .success();
    let forced = project.container_ids();
    assert!(before.iter().all(|id| !forced.contains(id)));
    project.set("COLOUR", "blue");
    project
        .rcompose(&["up", "--detach", "--no-recreate"])
        .success();
    assert_eq!(forced, project.container_ids());
    project.down();
}

#[test]
fn a_new_image_behind_the_same_name() {
    let project = Project::new(
        "newimage",
        "services: {web: {image: 'rcompose-test/moving', command: demo sleep}}",
    );
    let engine = project.engine();
    let of_label = |label: &str| {
        let build = format!(
            "docker build --quiet --tag rcompose-test/moving - <<'END'\nFROM {}\nLABEL moved={label}\nEND",
            crate::support::project::IMAGE
        );
        let built = std::process::Command::new("sh")
            .args(["-c", &build])
            .env("DOCKER_HOST", &engine.host)
            .env("DOCKER_BUILDKIT", "0")
            .output()
            .expect("sh runs");
        assert!(built.status.success(), "{built:?}");
    };
    of_label("one");
    project.rcompose(&["up", "--detach"]).success();
    let before = id(&project, "web");
    project.rcompose(&["up", "--detach"]).success();
    assert_eq!(before, id(&project, "web"));
    of_label("two");
    project.rcompose(&["up", "--detach"]).success();
    assert_ne!(before, id(&project, "web"));
    project.down();
    engine.docker(&["image", "rm", "--force", "rcompose-test/moving"]);
}

#[test]
fn what_was_stopped_by_hand_is_started_again() {
    let project = Project::new("byhand", COMPOSE);
    project.rcompose(&["up", "--detach"]).success();
    let before = project.container_ids();
    project
        .engine()
        .docker(&["stop", "--time", "0", &project.container("db", 1)]);
    project.rcompose(&["up", "--detach"]).success();
    assert_eq!(before, project.container_ids());
    let db = project.engine().inspect(&project.container("db", 1));
    assert_eq!(db["State"]["Running"], true);
    // And what was removed by hand is made again.
    project
        .engine()
        .docker(&["rm", "--force", &project.container("db", 1)]);
    project.rcompose(&["up", "--detach"]).success();
    assert_eq!(project.container_ids().len(), 2);
    project.down();
}
