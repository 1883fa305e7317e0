//! Images made by the engine on request.

use crate::support::project::{IMAGE, Project};

fn forget(project: &Project) {
    project
        .rcompose(&["down", "--volumes", "--timeout", "0", "--rmi", "local"])
        .success();
    project.assert_nothing_left();
    let left = project
        .engine()
        .docker(&["images", "--quiet", &format!("{}-*", project.name)]);
    assert_eq!(left, "", "images left");
}

#[test]
fn from_a_dockerfile() {
    let project = Project::new(
        "build",
        r"
services:
  web:
    build:
      context: ./app
      dockerfile: Recipe
      target: final
      args: {COLOUR: '${COLOUR:-red}'}
      labels: {purpose: test}
    command: sh -c 'cat /colour /kept; exec demo sleep'
",
    );
    project.file(
        "app/Recipe",
        "FROM IMAGE AS base\nARG COLOUR\nRUN echo $COLOUR >/colour\nCOPY . /\nFROM base AS final\nFROM base AS other\nRUN false\n",
    );
    project.file("app/kept", "copied\n");
    project.file("app/secret", "not copied\n");
    project.file("app/.dockerignore", "secret\n");
    project.rcompose(&["up", "--detach"]).success();
    let logs = project
        .rcompose(&["logs", "--no-log-prefix"])
        .success()
        .stdout;
    assert_eq!(logs, "red\ncopied\n");
    let image = format!("{}-web", project.name);
    assert_eq!(
        project.engine().inspect(&image)["Config"]["Labels"]["purpose"],
        "test"
    );
    let missing = project.rcompose(&["exec", "-T", "web", "cat", "/secret"]);
    assert_ne!(missing.code, 0);

    let before = project.container_ids();
    project.file("app/kept", "copied again\n");
    project.rcompose(&["up", "--detach"]).success();
    assert_eq!(
        before,
        project.container_ids(),
        "without --build there is nothing new"
    );
    project.rcompose(&["up", "--detach", "--build"]).success();
    assert_ne!(before, project.container_ids());
    forget(&project);
}

#[test]
fn from_text_in_the_compose_file() {
    let project = Project::new(
        "inline",
        "services:\n  web:\n    build:\n      context: .\n      dockerfile_inline: |\n        FROM IMAGE\n        RUN echo inline >/from\n    command: cat /from\n",
    );
    project.rcompose(&["build"]).success();
    let run = project.rcompose(&["run", "--rm", "-T", "web"]).success();
    assert_eq!(run.stdout, "inline\n");
    forget(&project);
}

#[test]
fn a_failing_build_shows_what_failed() {
    let project = Project::new("badbuild", "services: {web: {build: .}}");
    project.file(
        "Dockerfile",
        &format!("FROM {IMAGE}\nRUN echo the reason >&2; exit 5\n"),
    );
    let up = project.rcompose(&["up", "--detach"]);
    assert_ne!(up.code, 0, "{up:?}");
    up.says("the reason");
    project.assert_nothing_left();
    project.file("Dockerfile", &format!("FROM {IMAGE}\nNOSUCH instruction\n"));
    let build = project.rcompose(&["build"]);
    assert_ne!(build.code, 0, "{build:?}");
    build.says("NOSUCH");
    std::fs::remove_file(project.path().join("Dockerfile")).expect("the file is ours");
    let build = project.rcompose(&["build"]);
    assert_ne!(build.code, 0, "{build:?}");
    build.says("Dockerfile");
}
