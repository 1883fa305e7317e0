//! Secrets and configs, wherever their content is from.

use crate::support::project::Project;

const COMPOSE: &str = r#"
services:
  web:
    image: IMAGE
    command: demo sleep
    secrets:
      - from_file
      - source: from_environment
        target: renamed
        mode: 0400
    configs:
      - source: inline
        target: /etc/app/inline.conf
      - from_file_config
secrets:
  from_file: {file: ./secret.txt}
  from_environment: {environment: TEST_SECRET}
configs:
  inline: {content: "level = ${LEVEL:-info}\n"}
  from_file_config: {file: ./app.conf}
"#;

fn read(project: &Project, path: &str) -> String {
    project
        .engine()
        .docker(&["exec", &project.container("web", 1), "cat", path])
}

fn project(topic: &str) -> Project {
    let mut project = Project::new(topic, COMPOSE);
    project.file("secret.txt", "kept in a file");
    project.file("app.conf", "kept = beside\n");
    project.set("TEST_SECRET", "kept in the environment");
    project
}

#[test]
fn their_content_is_where_it_should_be() {
    let project = project("secrets");
    project.rcompose(&["up", "--detach"]).success();
    assert_eq!(read(&project, "/run/secrets/from_file"), "kept in a file");
    assert_eq!(
        read(&project, "/run/secrets/renamed"),
        "kept in the environment"
    );
    assert_eq!(read(&project, "/etc/app/inline.conf"), "level = info");
    assert_eq!(read(&project, "/from_file_config"), "kept = beside");
    let mode = project.engine().docker(&[
        "exec",
        &project.container("web", 1),
        "stat",
        "-c",
        "%a",
        "/run/secrets/renamed",
    ]);
    assert_eq!(mode, "400");
    // Nothing of a secret is in what the engine shows.
    let inspected = project
        .engine()
        .inspect(&project.container("web", 1))
        .to_string();
    assert!(
        !inspected.contains("kept in the environment"),
        "{inspected}"
    );
    project.down();
}

#[test]
fn a_one_off_has_them_too() {
    let project = project("secretsrun");
    let run = project
        .rcompose(&["run", "--rm", "-T", "web", "cat", "/run/secrets/renamed"])
        .success();
    assert_eq!(run.stdout, "kept in the environment");
    project.down();
}
