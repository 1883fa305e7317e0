//! Variables of the environment that docker compose reads, as far as no engine is needed.

use std::path::Path;
use std::process::{Command, Output};

use crate::write;

const ONE: &str = "services: {one: {image: 'a:${TAG:-none}'}, extra: {image: b, profiles: [more]}}";
const TWO: &str = "services: {two: {image: a, build: .}}";

/// `config` with these arguments and variables.
fn config(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rcompose"))
        .arg("config")
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .envs(variables.iter().copied())
        .output()
        .expect("it runs")
}

#[track_caller]
fn lines(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Vec<String> {
    let output = config(folder, arguments, variables);
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().map(str::to_owned).collect()
}

fn project() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), "compose.yaml", ONE);
    write(folder.path(), "two.yaml", TWO);
    write(folder.path(), ".env", "TAG=dotenv\n");
    write(folder.path(), "other.env", "TAG=other\n");
    folder
}

#[test]
fn files_and_what_separates_them() {
    let folder = project();
    let services = |variables: &[(&str, &str)]| lines(folder.path(), &["--services"], variables);
    assert_eq!(services(&[]), ["one"]);
    assert_eq!(services(&[("COMPOSE_FILE", "two.yaml")]), ["two"]);
    let both = services(&[("COMPOSE_FILE", "compose.yaml:two.yaml")]);
    assert_eq!(both, ["one", "two"]);
    let both = services(&[
        ("COMPOSE_FILE", "compose.yaml%two.yaml"),
        ("COMPOSE_PATH_SEPARATOR", "%"),
    ]);
    assert_eq!(both, ["one", "two"]);
    let all = services(&[("COMPOSE_PROFILES", "more,none")]);
    assert_eq!(all, ["extra", "one"]);
}

#[test]
fn env_files() {
    let folder = project();
    let images = |variables: &[(&str, &str)]| lines(folder.path(), &["--images"], variables);
    assert_eq!(images(&[]), ["a:dotenv"]);
    assert_eq!(images(&[("COMPOSE_ENV_FILES", "other.env")]), ["a:other"]);
    let last = images(&[("COMPOSE_ENV_FILES", ".env,other.env")]);
    assert_eq!(last, ["a:other"]);
    assert_eq!(images(&[("COMPOSE_DISABLE_ENV_FILE", "1")]), ["a:none"]);
}

#[test]
fn names() {
    let folder = project();
    write(folder.path(), "three.yaml", "services: {three: {build: .}}");
    let images = |variables: &[(&str, &str)]| {
        let mut variables = variables.to_vec();
        variables.push(("COMPOSE_FILE", "three.yaml"));
        lines(folder.path(), &["--images"], &variables)
    };
    let named = ("COMPOSE_PROJECT_NAME", "mine");
    assert_eq!(images(&[named]), ["mine-three"]);
    let first = [named, ("COMPOSE_COMPATIBILITY", "true")];
    assert_eq!(images(&first), ["mine_three"]);
}

#[test]
fn what_is_no_number_or_mode_is_refused() {
    let folder = project();
    for (name, value) in [
        ("COMPOSE_PARALLEL_LIMIT", "many"),
        ("COMPOSE_ANSI", "sometimes"),
        ("COMPOSE_PROGRESS", "loud"),
    ] {
        let output = config(folder.path(), &["-q"], &[(name, value)]);
        assert_eq!(output.status.code(), Some(1), "{name}: {output:?}");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains(value), "{name}: {said}");
    }
}

#[test]
fn the_page_names_every_variable() {
    let page = include_str!("../../docs/environment.md");
    for name in [
        "COMPOSE_FILE",
        "COMPOSE_PATH_SEPARATOR",
        "COMPOSE_PROJECT_NAME",
        "COMPOSE_PROFILES",
        "COMPOSE_ENV_FILES",
        "COMPOSE_DISABLE_ENV_FILE",
        "COMPOSE_COMPATIBILITY",
        "COMPOSE_PARALLEL_LIMIT",
        "COMPOSE_ANSI",
        "COMPOSE_PROGRESS",
        "COMPOSE_STATUS_STDOUT",
        "COMPOSE_MENU",
        "COMPOSE_IGNORE_ORPHANS",
        "COMPOSE_REMOVE_ORPHANS",
        "COMPOSE_BAKE",
        "COMPOSE_EXPERIMENTAL",
        "COMPOSE_EXPERIMENTAL_GIT_REMOTE",
        "COMPOSE_EXPERIMENTAL_OCI_REMOTE",
        "COMPOSE_EXPERIMENTAL_WATCH_TAR",
        "NO_COLOR",
        "DOCKER_DEFAULT_PLATFORM",
        "BUILDKIT_PROGRESS",
        "BUILDX_BUILDER",
        "DOCKER_HOST",
        "DOCKER_CONTEXT",
    ] {
        assert!(page.contains(&format!("| `{name}` |")), "{name}");
    }
}
