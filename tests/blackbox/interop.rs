//! docker compose and rcompose on one project: each takes the other's containers for its own.

use crate::support::fixture::fixture;
use crate::support::peer::docker_compose;
use crate::support::project::{Project, free_port};

/// What may not change when the other tool comes: which containers there are and since when they run.
fn identity(project: &Project) -> Vec<String> {
    let mut identity: Vec<String> = project
        .container_ids()
        .iter()
        .map(|id| {
            let container = project.engine().inspect(id);
            // One-shots are run again by every `up` of either tool.
            let ended = container["State"]["Status"] == "exited";
            let started = if ended {
                String::new()
            } else {
                container["State"]["StartedAt"].to_string()
            };
            format!("{id} {} {started}", container["Name"])
        })
        .collect();
    identity.sort();
    identity
}

fn both_ways(project: &Project) {
    let peer = docker_compose();
    project.rcompose(&["up", "--detach", "--build"]).success();
    let ours = identity(project);
    project.docker_compose(&peer, &["up", "--detach"]).success();
    assert_eq!(ours, identity(project), "docker compose after rcompose");
    let ps = project
        .docker_compose(&peer, &["ps", "--all", "--quiet"])
        .success()
        .stdout;
    assert_eq!(ps.lines().count(), ours.len(), "{ps}");
    project.docker_compose(&peer, &["logs"]).success();
    project
        .docker_compose(&peer, &["down", "--volumes", "--timeout", "0"])
        .success();
    project.assert_nothing_left();

    project.docker_compose(&peer, &["up", "--detach"]).success();
    let theirs = identity(project);
    project.rcompose(&["up", "--detach"]).success();
    assert_eq!(theirs, identity(project), "rcompose after docker compose");
    let ps = project
        .rcompose(&["ps", "--all", "--quiet"])
        .success()
        .stdout;
    assert_eq!(ps.lines().count(), theirs.len(), "{ps}");
    project.down();
}

#[test]
#[ignore = "needs RCOMPOSE_TEST_COMPOSE"]
fn quickstart() {
    let mut project = fixture("quickstart");
    project.set("PORT", &free_port().to_string());
    both_ways(&project);
}

#[test]
#[ignore = "needs RCOMPOSE_TEST_COMPOSE"]
fn flask_postgres() {
    let mut project = fixture("flask-postgres");
    project.set("API_PORT", &free_port().to_string());
    both_ways(&project);
}

#[test]
#[ignore = "needs RCOMPOSE_TEST_COMPOSE"]
fn reddit() {
    let _one_at_a_time = crate::examples::one_board_at_a_time();
    let mut project = fixture("reddit");
    project.set("UI_PORT", &free_port().to_string());
    project.set("PROMETHEUS_PORT", &free_port().to_string());
    both_ways(&project);
}

#[test]
#[ignore = "needs RCOMPOSE_TEST_COMPOSE"]
fn a_service_with_many_attributes() {
    let project = Project::new(
        "interop",
        r"
services:
  db:
    image: IMAGE
    command: demo sleep
    env_file: [db.env]
    environment: {A: '<b> & c', N: 1.10}
    volumes: ['data:/data', './bind:/bind:ro', '/anonymous']
    healthcheck: {test: 'true', interval: 500ms}
    deploy: {replicas: 2, resources: {limits: {memory: 64M, cpus: '0.5'}}}
    networks: {back: {aliases: [x, y], priority: 5}, front: null}
  web:
    image: IMAGE
    entrypoint: demo sleep
    ports: ['127.0.0.1:21950:80', '9000']
    labels: [a=b]
    secrets: [s]
    configs: [{source: c, target: /c}]
    logging: {driver: json-file, options: {max-size: 1m}}
    ulimits: {nofile: 100}
    depends_on: {db: {condition: service_healthy, restart: true}}
    networks: [front]
  beside: {image: IMAGE, command: demo sleep, network_mode: 'service:web'}
networks: {front: {}, back: {internal: true}}
volumes: {data: {}}
secrets: {s: {file: s.txt}}
configs: {c: {content: text}}
",
    );
    project.file("db.env", "FROM_FILE=yes\n");
    project.file("s.txt", "secret");
    project.file("bind/x", "");
    both_ways(&project);
}
