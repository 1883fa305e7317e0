//! Details that are easily missed: `tests/cli/details.tsv` says which test shows which.

use crate::support::events::time_of;
use crate::support::project::{IMAGE, Project};

/// One value of a container, below `path`.
fn value(project: &Project, service: &str, path: &str) -> serde_json::Value {
    let container = project.engine().inspect(&project.container(service, 1));
    let value = container.pointer(path);
    value.cloned().unwrap_or_default()
}

fn label(project: &Project, service: &str, name: &str) -> String {
    let labels = value(project, service, "/Config/Labels");
    let label = &labels[format!("com.docker.compose.{name}")];
    label.as_str().unwrap_or_default().to_owned()
}

#[test]
fn the_hash_is_of_what_env_files_and_references_became() {
    let project = Project::new(
        "hashed",
        r"
services:
  web: {image: IMAGE, command: demo sleep, env_file: [web.env]}
  beside: {image: IMAGE, command: demo sleep, network_mode: 'service:web'}
",
    );
    project.file("web.env", "COLOUR=red\n");
    project.rcompose(&["up", "--detach"]).success();
    // What is shown of it, as by docker compose 2.40.3, is from before the env files.
    let shown = project.rcompose(&["config", "--hash", "web"]).success();
    let hash = label(&project, "web", "config-hash");
    assert_ne!(shown.stdout, format!("web {hash}\n"));
    let hashes = || ["web", "beside"].map(|service| label(&project, service, "config-hash"));
    let before = hashes();
    project.file("web.env", "COLOUR=blue\n");
    project.rcompose(&["up", "--detach"]).success();
    let after = hashes();
    assert_ne!(before[0], after[0], "the content of an env file counts");
    assert_ne!(before[1], after[1], "the id of the other container counts");
    let beside = value(&project, "beside", "/HostConfig/NetworkMode");
    let web = value(&project, "web", "/Id");
    assert_eq!(beside, format!("container:{}", web.as_str().unwrap_or("")));
    project.down();
}

#[test]
fn containers_without_a_hash_are_not_the_projects() {
    let project = Project::new(
        "nohash",
        "services: {web: {image: IMAGE, command: demo sleep}}",
    );
    let engine = project.engine();
    let label = format!("com.docker.compose.project={}", project.name);
    let run = [
        "run",
        "--detach",
        "--label",
        &label,
        "--label",
        "com.docker.compose.service=web",
        IMAGE,
        "demo",
        "sleep",
    ];
    let foreign = engine.docker(&run);
    let ps = ["ps", "--all", "--quiet"];
    assert_eq!(project.rcompose(&ps).success().stdout, "");
    project.rcompose(&["up", "--detach"]).success();
    let ids = project.rcompose(&ps).success().stdout;
    assert!(!ids.contains(&foreign) && ids.lines().count() == 1, "{ids}");
    project.rcompose(&["down", "--timeout", "0"]).success();
    assert_eq!(project.container_ids(), [foreign.as_str()]);
    engine.docker(&["rm", "--force", &foreign]);
    project.assert_nothing_left();
}

#[test]
fn the_label_of_the_image_is_its_id() {
    let project = Project::new(
        "imagelabel",
        "services: {web: {image: IMAGE, command: demo sleep}}",
    );
    project.rcompose(&["up", "--detach"]).success();
    let image = project.engine().inspect(IMAGE);
    assert_eq!(label(&project, "web", "image"), image["Id"]);
    assert_eq!(value(&project, "web", "/Image"), image["Id"]);
    project.down();
}

#[test]
fn without_a_file_labels_tell_the_order() {
    let project = Project::new(
        "labelorder",
        r"
services:
  web:
    image: IMAGE
    command: demo sleep
    depends_on: {db: {condition: service_started, restart: true}}
  db: {image: IMAGE, command: demo sleep}
",
    );
    project.rcompose(&["up", "--detach"]).success();
    std::fs::remove_file(project.path().join("compose.yaml")).expect("the file is ours");
    let by_name = |command: &[&str]| {
        let named = [&["-p", &project.name], command].concat();
        project.rcompose(&named).success();
    };
    let (web, db) = (project.container("web", 1), project.container("db", 1));
    let events = || project.engine().events.of(&project.name);
    by_name(&["stop"]);
    let stopped = events();
    assert!(
        time_of(&stopped, &web, "die") <= time_of(&stopped, &db, "kill"),
        "{stopped:#?}"
    );
    by_name(&["start"]);
    let started = events().split_off(stopped.len());
    assert!(
        time_of(&started, &db, "start") <= time_of(&started, &web, "start"),
        "{started:#?}"
    );
    let before = value(&project, "web", "/State/StartedAt");
    by_name(&["restart", "db"]);
    assert_ne!(before, value(&project, "web", "/State/StartedAt"));
    by_name(&["down", "--timeout", "0"]);
    project.assert_nothing_left();
}

#[test]
fn one_shots_run_at_each_up() {
    let project = Project::new(
        "oneshots",
        r"
services:
  job: {image: IMAGE, command: demo exit 0}
  web:
    image: IMAGE
    command: demo sleep
    depends_on: {job: {condition: service_completed_successfully}}
",
    );
    project.rcompose(&["up", "--detach"]).success();
    let (job, web) = (
        value(&project, "job", "/State/StartedAt"),
        value(&project, "web", "/State/StartedAt"),
    );
    project.rcompose(&["up", "--detach"]).success();
    assert_ne!(job, value(&project, "job", "/State/StartedAt"));
    assert_eq!(web, value(&project, "web", "/State/StartedAt"));
    project.down();
}

#[test]
fn a_one_shot_of_several_replicas_is_judged_by_the_first_that_ends() {
    let project = Project::new(
        "shotreplicas",
        r"
services:
  job: {image: IMAGE, command: demo exit 0 300, scale: 2}
  web:
    image: IMAGE
    command: demo sleep
    depends_on: {job: {condition: service_completed_successfully}}
",
    );
    project.rcompose(&["up", "--detach"]).success();
    let events = project.engine().events.of(&project.name);
    let web = time_of(&events, &project.container("web", 1), "start");
    let ended = (1..=2).map(|number| time_of(&events, &project.container("job", number), "die"));
    assert!(ended.min() < Some(web), "{events:#?}");
    project.file(
        "compose.override.yaml",
        "services: {job: {command: demo exit 3}}",
    );
    project.rcompose(&["up", "--detach"]).code(1).says("exit 3");
    project.down();
}

#[test]
fn waiting_has_an_end_for_dependencies_too() {
    let project = Project::new(
        "deptimeout",
        r"
services:
  db: {image: IMAGE, command: demo sleep, healthcheck: {test: 'false', interval: 1s, retries: 100}}
  web:
    image: IMAGE
    command: demo sleep
    depends_on: {db: {condition: service_healthy}}
",
    );
    let up = project
        .rcompose(&["up", "--wait", "--wait-timeout", "2"])
        .code(1);
    assert!(up.took < std::time::Duration::from_secs(20), "{up:?}");
    up.says("timeout waiting for dependencies");
    project.down();
}

#[test]
fn a_replacement_keeps_anonymous_volumes_until_told_otherwise() {
    let mut project = Project::new(
        "anonymous",
        r"
services:
  db: {image: IMAGE, command: demo sleep, volumes: [/data], environment: {SIZE: '${SIZE:-small}'}}
  plain: {image: IMAGE, command: demo sleep, depends_on: [db]}
",
    );
    project.rcompose(&["up", "--detach"]).success();
    let data = |project: &Project| value(project, "db", "/Mounts/0/Name");
    let (old, volume) = (value(&project, "db", "/Id"), data(&project));
    let plain = value(&project, "plain", "/State/StartedAt");
    project.set("SIZE", "large");
    project.rcompose(&["up", "--detach"]).success();
    assert_ne!(old, value(&project, "db", "/Id"));
    assert_eq!(volume, data(&project));
    assert_eq!(label(&project, "db", "replace"), "db-1");
    // Its temporary name began with the id of what it replaced.
    let events = project.engine().events.of(&project.name);
    let short = old.as_str().and_then(|id| id.get(..12)).unwrap_or_default();
    let temporary = format!("{short}_{}", project.container("db", 1));
    time_of(&events, &temporary, "create");
    // A dependent that did not ask for it goes on.
    assert_eq!(plain, value(&project, "plain", "/State/StartedAt"));
    project
        .rcompose(&["up", "--detach", "-V", "--force-recreate", "db"])
        .success();
    assert_ne!(volume, data(&project));
    project.down();
    let volume = volume.as_str().unwrap_or_default().to_owned();
    let volumes = project.engine().docker(&["volume", "ls", "--quiet"]);
    if volumes.contains(&volume) {
        project.engine().docker(&["volume", "rm", &volume]);
    }
}

#[test]
fn the_name_of_the_project_is_that_of_the_nearest_who_gave_one() {
    let mut project = Project::empty("names");
    project.set("COMPOSE_PROJECT_NAME", "");
    project.file("My.Dir_1-X/compose.yaml", "services: {web: {image: IMAGE}}");
    let name = |project: &Project, before: &[&str]| {
        let place = ["-f", "My.Dir_1-X/compose.yaml"];
        let config = [&place[..], before, &["config", "--format", "json"]].concat();
        let config = project.rcompose(&config).success();
        let config: serde_json::Value = serde_json::from_str(&config.stdout).expect("JSON");
        config["name"].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(name(&project, &[]), "mydir_1-x");
    project.file(
        "My.Dir_1-X/compose.yaml",
        "name: of-file\nservices: {web: {image: IMAGE}}",
    );
    assert_eq!(name(&project, &[]), "of-file");
    project.set("COMPOSE_PROJECT_NAME", "of-environment");
    assert_eq!(name(&project, &[]), "of-environment");
    assert_eq!(name(&project, &["-p", "of-line"]), "of-line");
    project
        .rcompose(&["-f", "My.Dir_1-X/compose.yaml", "-p", "Bad.Name", "config"])
        .code(1)
        .says("Bad.Name");
}
