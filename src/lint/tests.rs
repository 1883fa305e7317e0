//! Rules on small projects.

mod allowing;
mod dockerfile_commands;
mod dockerfile_instructions;
mod dockerfiles;
mod relations;
mod services;
mod values;

use super::testing::{Folder, lint_text};

#[test]
fn a_tidy_project_has_no_findings() {
    let folder = Folder::new(&[
        (
            "compose.yaml",
            "services:
  db:
    image: postgres:17
    environment: {POSTGRES_PASSWORD_FILE: /run/secrets/db}
    healthcheck: {test: [CMD, pg_isready]}
    secrets: [db]
    volumes: ['data:/var/lib/postgresql/data', './init.sql:/init.sql:ro']
  web:
    image: registry:5000/web@sha256:0000000000000000000000000000000000000000000000000000000000000000
    depends_on: {db: {condition: service_healthy}}
    env_file: web.env
    environment: [PASSWORD, 'TOKEN=${TOKEN}']
    ports: ['127.0.0.1:80:80', '443:443', '443:443/udp']
volumes: {data: {}}
secrets: {db: {file: db.txt}}
",
        ),
        (
            ".env",
            "TOKEN=a$b\n# rcompose: allow(dollar-in-env-file)\nX='$y'\n",
        ),
        ("web.env", "A='P@$$w0rd'\nB=${TOKEN}\n"),
        ("db.txt", ""),
        ("init.sql", ""),
    ]);
    assert_eq!(
        folder.lint(&[]),
        [
            ".env:1:8 dollar-in-env-file warning: `$b` in TOKEN is read as a variable, which is not \
          set: `*$b` becomes `*`"
        ]
    );
}

#[test]
fn findings_come_in_the_order_of_the_files_each_once() {
    let text = "version: '3'
x-common: &common {image: nginx, privileged: true}
services:
  b: *common
  a: *common
";
    let found = Folder::new(&[("compose.yaml", text)]).lint(&[]);
    assert_eq!(
        found,
        [
            "compose.yaml:1:1 obsolete-version warning: the attribute `version` is obsolete and ignored",
            "compose.yaml:2:27 floating-tag warning: image nginx of service \"a\" has no tag: each \
             pull may bring another one",
            "compose.yaml:2:34 privileged note: service \"a\" is privileged: it can do anything on the host",
        ]
    );
}

#[test]
fn warnings_of_loading_are_findings() {
    let found =
        Folder::new(&[("compose.yaml", "services: {a: {image: 'x:1', command: $X}}")]).lint(&[]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("unset-variable warning"), "{found:?}");
    assert!(lint_text("privileged", "services: {a: {image: 'x:1', command: $X}}").is_empty());
}

#[test]
fn required_variables_need_not_be_set() {
    let text = "services:
  a: {image: '${IMAGE:?}', ports: ['${A:?}:80', '${B:?}:81'], environment: {P: '${P:?set it}'}}
";
    assert_eq!(lint_text("duplicate-port", text), [""; 0]);
}
