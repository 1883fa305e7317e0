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

#[test]
fn they_are_put_in_again_before_each_start() {
    let project = project("secretsagain");
    project.rcompose(&["up", "--detach"]).success();
    let shell = |script: &str| {
        let web = project.container("web", 1);
        project.engine().docker(&["exec", &web, "sh", "-c", script])
    };
    assert_eq!(shell("stat -c %a /etc/app/inline.conf"), "444");
    shell("echo other >/etc/app/inline.conf");
    project.rcompose(&["stop", "--timeout", "0"]).success();
    project.rcompose(&["up", "--detach"]).success();
    assert_eq!(shell("cat /etc/app/inline.conf"), "level = info");
    // Those of files are mounts instead, and cannot be written.
    let web = project.engine().inspect(&project.container("web", 1));
    let mounts = web["Mounts"].as_array().cloned().unwrap_or_default();
    let mounted = |target: &str| {
        let mut mounts = mounts.iter();
        mounts.any(|mount| mount["Destination"] == target && mount["RW"] == false)
    };
    assert!(
        mounted("/run/secrets/from_file") && mounted("/from_file_config"),
        "{web}"
    );
    assert!(!mounted("/etc/app/inline.conf"), "{web}");
    project.down();
}
