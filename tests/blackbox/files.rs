//! Which files make the project, and how several are one.

use crate::support::project::Project;

fn environment(project: &Project) -> String {
    project.engine().inspect(&project.container("web", 1))["Config"]["Env"].to_string()
}

#[test]
fn the_override_file_is_read_without_being_asked_for() {
    let project = Project::new(
        "override",
        "services: {web: {image: IMAGE, command: demo sleep, environment: {A: base, B: base}}}",
    );
    project.file(
        "compose.override.yaml",
        "services: {web: {environment: {B: override}}}",
    );
    project.rcompose(&["up", "--detach"]).success();
    let with = environment(&project);
    assert!(
        with.contains("A=base") && with.contains("B=override"),
        "{with}"
    );
    project
        .rcompose(&["-f", "compose.yaml", "up", "--detach"])
        .success();
    let without = environment(&project);
    assert!(without.contains("B=base"), "{without}");
    project.down();
}

#[test]
fn a_second_environment() {
    let project = Project::new(
        "second",
        "services: {web: {image: IMAGE, command: demo sleep, environment: {A: '${A:-none}'}}}",
    );
    project.file(
        "compose.stage.yaml",
        "services: {web: {environment: {STAGE: 'yes'}}}",
    );
    project.file("stage.env", "A=from stage.env\n");
    project.file(".env", "A=from .env\n");
    let stage = [
        "-f",
        "compose.yaml",
        "-f",
        "compose.stage.yaml",
        "--env-file",
        "stage.env",
    ];
    project
        .rcompose(&[&stage[..], &["up", "--detach"]].concat())
        .success();
    let text = environment(&project);
    assert!(
        text.contains("STAGE=yes") && text.contains("A=from stage.env"),
        "{text}"
    );
    project.rcompose(&["up", "--detach"]).success();
    assert!(environment(&project).contains("A=from .env"));
    project.down();
}

#[test]
fn the_files_of_the_environment_and_of_standard_input() {
    let mut project = Project::empty("elsewhere");
    project.file(
        "a.yml",
        "services: {web: {image: IMAGE, command: demo sleep}}",
    );
    project.file("b.yml", "services: {web: {environment: {FROM: b}}}");
    project.set("COMPOSE_FILE", "a.yml:b.yml");
    project.rcompose(&["up", "--detach"]).success();
    assert!(environment(&project).contains("FROM=b"));
    let labels = project.engine().inspect(&project.container("web", 1))["Config"]["Labels"].clone();
    let files = labels["com.docker.compose.project.config_files"]
        .as_str()
        .unwrap_or_default();
    assert_eq!(
        files,
        format!("{0}/a.yml,{0}/b.yml", project.path().display())
    );
    project.down();
}

#[test]
fn from_a_folder_below() {
    let project = Project::new(
        "below",
        "services: {web: {image: IMAGE, command: demo sleep}}",
    );
    project.file("deep/er/note", "");
    let mut command = project.command(crate::support::project::rcompose(), &["up", "--detach"]);
    command.current_dir(project.path().join("deep/er"));
    crate::support::process::start(command).finish().success();
    assert_eq!(project.container_ids().len(), 1);
    project.down();
}

#[test]
fn extends_include_and_anchors() {
    let project = Project::new(
        "parts",
        r"
include: [parts/db.yaml]
x-common: &common {LEVEL: info}
services:
  web:
    extends: {file: parts/base.yaml, service: base}
    environment: {<<: *common, OWN: web}
    depends_on: [db]
",
    );
    project.file(
        "parts/base.yaml",
        "services: {base: {image: IMAGE, command: demo sleep, environment: {BASE: 'yes'}}}",
    );
    project.file(
        "parts/db.yaml",
        "services: {db: {image: IMAGE, command: demo sleep, env_file: [db.env]}}",
    );
    project.file("parts/db.env", "DB=in a file\n");
    project.rcompose(&["up", "--detach"]).success();
    let text = environment(&project);
    for wanted in ["LEVEL=info", "OWN=web", "BASE=yes"] {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
    let db = project.engine().inspect(&project.container("db", 1))["Config"]["Env"].to_string();
    assert!(db.contains("DB=in a file"), "{db}");
    project.down();
}
