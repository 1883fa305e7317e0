//! Secrets of the environment.

use crate::support::project::Project;

fn project(topic: &str) -> Project {
    let mut project = Project::new(
        topic,
        r#"
include:
  - {path: child/compose.yaml, env_file: [child.env]}
services:
  reader:
    image: IMAGE
    command: cat /run/secrets/given
    secrets:
      - {source: secret, target: given, uid: "1005", gid: "1006", mode: 0440}
secrets:
  secret: {environment: SECRET}
"#,
    );
    project.file("child.env", "CHILD_SECRET='of the child'\n");
    project.file(
        "child/compose.yaml",
        r"
services:
  child: {image: IMAGE, command: cat /run/secrets/child-secret, secrets: [child-secret]}
secrets:
  child-secret: {environment: CHILD_SECRET}
",
    );
    project.set("SECRET", "of the environment");
    project
}

#[test]
fn a_one_off_reads_one_that_belongs_to_whom_it_was_given() {
    let project = project("envsecret");
    let run = |command: &[&str]| {
        let arguments = [&["run", "--rm", "-T", "reader"], command].concat();
        project.rcompose(&arguments).success().stdout
    };
    assert_eq!(run(&[]), "of the environment");
    let owner = run(&["stat", "-c", "%A %u %g", "/run/secrets/given"]);
    assert_eq!(owner, "-r--r----- 1005 1006\n");
    project.down();
}

#[test]
fn an_included_file_has_the_variables_of_its_env_file() {
    let project = project("childsecret");
    let run = project.rcompose(&["run", "--rm", "-T", "child"]).success();
    assert_eq!(run.stdout, "of the child");
    project.down();
}
