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

const DOCKERFILE: &str = "FROM debian AS build
RUN apt-get update \\
    && apt-get install -y git
ENV DB_PASSWORD=hunter2
CMD start --now
";

#[test]
fn lint_reads_the_dockerfiles_of_services() {
    let folder = folder(
        "services:
  web: {build: {context: web, target: prod}}
  job:
    build:
      dockerfile_inline: |
        FROM alpine:3.22
        # rcompose: allow(apk-cache)
        RUN apk add git
        ADD start /start
",
    );
    let web = folder.path().join("web");
    std::fs::create_dir(&web).expect("a folder");
    std::fs::write(web.join("Dockerfile"), DOCKERFILE).expect("a file");
    let output = lint(folder.path(), &["lint", "--format", "json"]);
    let text = String::from_utf8_lossy(&output.stdout);
    let found: Vec<String> = text
        .lines()
        .map(|line| {
            let object: serde_json::Value = serde_json::from_str(line).expect("a JSON object");
            let part = |name: &str| object[name].to_string().trim_matches('"').to_owned();
            format!("{}:{} {}", part("file"), part("line"), part("code"))
        })
        .collect();
    assert_eq!(
        found,
        [
            "compose.yaml:2 unknown-target",
            "compose.yaml:9 add-for-copy",
            "web/Dockerfile:1 floating-tag",
            "web/Dockerfile:2 apt-lists",
            "web/Dockerfile:3 apt-recommends",
            "web/Dockerfile:4 secret-in-clear",
            "web/Dockerfile:5 shell-form",
        ],
        "{text}"
    );
    assert_eq!(output.status.code(), Some(1));
    let output = lint(folder.path(), &["lint"]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("web/Dockerfile:5:1"), "{text}");
    assert!(text.contains("write CMD [\"start\", \"--now\"]"), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
}

#[test]
fn lint_reads_a_dockerfile_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("app.Dockerfile");
    std::fs::write(&path, DOCKERFILE).expect("a file");
    let args = ["lint", "--dockerfile", "app.Dockerfile"];
    let output = lint(folder.path(), &args);
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(text.contains("app.Dockerfile:1:6"), "{text}");
    let sarif = [&args[..], &["--format", "sarif", "--deny", "warning"]].concat();
    let output = lint(folder.path(), &sarif);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        text.contains("\"ruleId\": \"apt-lists\"") || text.contains("\"ruleId\":\"apt-lists\""),
        "{text}"
    );
    std::fs::write(&path, "FROM a:1\nRUNN b\n").expect("a file");
    let output = lint(folder.path(), &args);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("did you mean RUN?"), "{text}");
    let output = lint(folder.path(), &["lint", "--dockerfile", "none"]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("there is no file none"), "{text}");
}
