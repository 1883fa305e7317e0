//! Completion in shells, and manual pages.

use std::path::Path;
use std::process::Command;

use crate::write;

const COMPOSE: &str = "
services:
  web: {image: a}
  worker: {image: a, profiles: [jobs]}
  db: {image: a}
";

/// The program in a folder.
fn rcompose(folder: &Path, arguments: &[&str]) -> std::process::Output {
    Command::new(env!("CARGO_BIN_EXE_rcompose"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("it runs")
}

/// What bash offers for the last word of a line.
fn bash(folder: &Path, line: &str) -> Vec<String> {
    let words: Vec<&str> = line.split(' ').collect();
    let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
    let script = format!(
        "source <(rcompose completion bash)\n\
         function=$(complete -p rcompose | sed 's/.* -F \\([^ ]*\\) .*/\\1/')\n\
         COMP_WORDS=({}) COMP_CWORD={} COMP_TYPE=9\n\
         $function rcompose '{}' ''\n\
         printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        quoted.join(" "),
        words.len() - 1,
        words[words.len() - 1],
    );
    let binary = Path::new(env!("CARGO_BIN_EXE_rcompose"));
    let path = format!(
        "{}:{}",
        binary.parent().unwrap_or(binary).display(),
        std::env::var("PATH").unwrap_or_default()
    );
    let output = Command::new("bash")
        .args(["--norc", "-c", &script])
        .current_dir(folder)
        .env("PATH", path)
        .output()
        .expect("bash runs");
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().map(|line| line.trim().to_owned()).collect()
}

#[test]
fn bash_completes_services_of_the_file_as_it_is_now() {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), "compose.yaml", COMPOSE);
    assert_eq!(bash(folder.path(), "rcompose logs w"), ["web", "worker"]);
    write(
        folder.path(),
        "compose.yaml",
        "services: {wide: {image: a}}",
    );
    assert_eq!(bash(folder.path(), "rcompose logs w"), ["wide"]);
    write(folder.path(), "other.yaml", COMPOSE);
    let other = "rcompose -f other.yaml exec d";
    assert_eq!(bash(folder.path(), other), ["db"]);
    assert_eq!(
        bash(folder.path(), "rcompose -f other.yaml --profile j"),
        ["jobs"]
    );
}

#[test]
fn bash_completes_commands_and_options() {
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(bash(folder.path(), "rcompose unp"), ["unpause"]);
    assert_eq!(
        bash(folder.path(), "rcompose up --force-r"),
        ["--force-recreate"]
    );
}

#[test]
fn every_shell_gets_a_script() {
    let folder = tempfile::tempdir().expect("a folder");
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let output = rcompose(folder.path(), &["completion", shell]);
        assert!(output.status.success(), "{output:?}");
        let script = String::from_utf8_lossy(&output.stdout);
        assert!(script.contains("rcompose"), "{shell}: {script}");
    }
}

#[test]
fn manual_pages_have_options_and_examples() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = rcompose(folder.path(), &["man", "pages"]);
    assert!(output.status.success(), "{output:?}");
    let page = |name: &str| {
        let path = folder.path().join("pages").join(name);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"))
    };
    assert!(page("rcompose.1").contains(".TH rcompose 1"));
    let up = page("rcompose-up.1");
    assert!(
        up.contains("force\\-recreate") && up.contains("Examples"),
        "{up}"
    );
    page("rcompose-engine-status.1");
    let first = rcompose(folder.path(), &["man"]);
    assert!(
        String::from_utf8_lossy(&first.stdout).contains(".TH rcompose 1"),
        "{first:?}"
    );
}

#[test]
fn help_is_in_groups() {
    let folder = tempfile::tempdir().expect("a folder");
    let help = rcompose(folder.path(), &["help"]);
    let text = String::from_utf8_lossy(&help.stdout).into_owned();
    assert!(text.contains("Run the application:\n  up "), "{text}");
    assert!(text.contains("--project-name"), "{text}");
    assert_eq!(rcompose(folder.path(), &["--help"]).stdout, help.stdout);
    assert_eq!(rcompose(folder.path(), &[]).stdout, help.stdout);
    let up = rcompose(folder.path(), &["help", "up"]);
    assert_eq!(rcompose(folder.path(), &["up", "--help"]).stdout, up.stdout);
    assert!(String::from_utf8_lossy(&up.stdout).contains("Examples:"));
}
