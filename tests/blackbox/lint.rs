//! `lint`, which needs no engine: what it prints where, and how it ends.

use std::path::Path;
use std::process::{Command, Output};

const COMPOSE: &str = "services:
  web:
    image: nginx
    depends_on: [db]
  db:
    image: postgres:17
    environment: {POSTGRES_PASSWORD: hunter2}
    healthcheck: {test: pg_isready}
";

fn lint(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rcompose"))
        .args(args)
        .current_dir(folder)
        .env_remove("COMPOSE_FILE")
        .env_remove("COMPOSE_PROFILES")
        // Nothing of it may need an engine.
        .env("DOCKER_HOST", "unix:///nowhere.sock")
        .output()
        .expect("the program runs")
}

fn folder(compose: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("compose.yaml"), compose).expect("a file");
    folder
}

#[test]
fn lint_fails_from_the_denied_severity_on() {
    let folder = folder(COMPOSE);
    for (args, code, findings) in [
        (&["lint"][..], 0, 2),
        (&["lint", "--deny", "warnings"], 1, 2),
        (&["lint", "--level", "note"], 0, 3),
        (&["lint", "--level", "error"], 0, 0),
        (&["lint", "--deny", "note"], 1, 3),
        (&["lint", "--rule", "started-not-healthy"], 0, 1),
        (
            &[
                "lint",
                "--deny",
                "warning",
                "--allow",
                "floating-tag",
                "--allow",
                "secret-in-clear",
            ],
            0,
            0,
        ),
    ] {
        let output = lint(folder.path(), args);
        let text = String::from_utf8_lossy(&output.stdout);
        let found = text
            .lines()
            .filter(|line| line.starts_with("compose.yaml:"));
        assert_eq!(output.status.code(), Some(code), "{args:?}");
        assert_eq!(found.count(), findings, "{args:?}: {text}");
        assert!(!text.contains("hunter2"), "{args:?}: {text}");
    }
}

#[test]
fn lint_writes_formats_of_programs_to_standard_output() {
    let folder = folder(COMPOSE);
    let output = lint(folder.path(), &["lint", "--format", "json"]);
    let text = String::from_utf8_lossy(&output.stdout);
    let codes: Vec<String> = text
        .lines()
        .map(|line| {
            let object: serde_json::Value = serde_json::from_str(line).expect("a JSON object");
            object["code"].as_str().unwrap_or_default().to_owned()
        })
        .collect();
    assert_eq!(codes, ["floating-tag", "secret-in-clear"]);
    assert!(output.stderr.is_empty(), "{output:?}");
    let output = lint(
        folder.path(),
        &["lint", "--format", "sarif", "--level", "note"],
    );
    let document: serde_json::Value =
        serde_json::from_slice(&output.stdout).expect("a JSON document");
    let levels: Vec<&str> = document["runs"][0]["results"]
        .as_array()
        .expect("results")
        .iter()
        .filter_map(|result| result["level"].as_str())
        .collect();
    assert_eq!(levels, ["warning", "note", "warning"]);
}

#[test]
fn lint_of_broken_files_tells_what_is_broken() {
    let folder = folder("services: {web: {imag: nginx}}");
    let output = lint(folder.path(), &["lint"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("compose.yaml:1:"),
        "{output:?}"
    );
    let output = lint(folder.path(), &["lint", "--format", "json"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        String::from_utf8_lossy(&output.stdout).contains("\"severity\":\"error\""),
        "{output:?}"
    );
}

#[test]
fn lint_lists_its_rules() {
    let output = lint(Path::new("/"), &["lint", "--list"]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        text.lines().any(|line| line.starts_with("floating-tag  ")),
        "{text}"
    );
}
