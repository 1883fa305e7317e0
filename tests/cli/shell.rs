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
    let text = in_shell(folder, "bash", &["--norc", "-c", &script]);
    text.lines().map(|line| line.trim().to_owned()).collect()
}

/// What a shell prints that finds the program.
fn in_shell(folder: &Path, shell: &str, arguments: &[&str]) -> String {
    let binary = Path::new(env!("CARGO_BIN_EXE_rcompose"));
    let path = format!(
        "{}:{}",
        binary.parent().unwrap_or(binary).display(),
        std::env::var("PATH").unwrap_or_default()
    );
    let output = Command::new(shell)
        .args(arguments)
        .current_dir(folder)
        .env("PATH", path)
        .env("HOME", folder)
        .output();
    let output = output.unwrap_or_else(|error| {
        panic!("{shell}: {error}: apt-get install {shell} (tests/run.sh does so)")
    });
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What fish offers for the last word of a line, without descriptions.
fn fish(folder: &Path, line: &str) -> Vec<String> {
    let script = format!("rcompose completion fish | source; complete -C '{line}'");
    let text = in_shell(folder, "fish", &["--no-config", "-c", &script]);
    let words = text.lines().map(|line| line.split('\t').next());
    let words = words.map(|word| word.unwrap_or_default().trim().to_owned());
    words.filter(|word| !word.is_empty()).collect()
}

/// Types lines and the tab key into a zsh on a terminal of its own, and writes down what each became.
const ZSH: &str = r#"
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell 'PS1=; autoload -Uz compinit; compinit -u -D; source <(rcompose completion zsh)
dump() { print -r -- "$BUFFER" >>typed; BUFFER= }; zle -N dump; bindkey "^X" dump; : >typed'
wait_for() {
    local turns=0
    until eval $1; do sleep 0.05; ((turns++ < 400)) || exit 1; done
}
wait_for '[[ -e typed ]]'
count=0
for line; do
    zpty -w -n shell "$line"$'\t\x18'
    ((count++))
    wait_for '(($(wc -l <typed) == count))'
done
cat typed
"#;

/// What lines become in zsh after the tab key.
fn zsh(folder: &Path, lines: &[&str]) -> Vec<String> {
    let arguments = [&["-f", "-c", ZSH, "zsh"], lines].concat();
    let text = in_shell(folder, "zsh", &arguments);
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

/// A folder with two compose files.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    write(
        folder.path(),
        "compose.yaml",
        "services: {wide: {image: a}}",
    );
    write(folder.path(), "other.yaml", COMPOSE);
    folder
}

#[test]
fn fish_completes_what_there_is() {
    let folder = folder();
    let offered = |line: &str| fish(folder.path(), line);
    assert_eq!(offered("rcompose logs w"), ["wide"]);
    assert_eq!(offered("rcompose -f other.yaml logs w"), ["web", "worker"]);
    assert_eq!(offered("rcompose -f other.yaml --profile j"), ["jobs"]);
    assert_eq!(offered("rcompose -f oth"), ["other.yaml"]);
    assert_eq!(offered("rcompose unp"), ["unpause"]);
    assert_eq!(offered("rcompose up --force-r"), ["--force-recreate"]);
    assert_eq!(offered("rcompose cp wi"), ["wide:"]);
}

#[test]
fn zsh_completes_what_there_is() {
    let folder = folder();
    let lines = [
        "rcompose logs w",
        "rcompose -f other.yaml exec d",
        "rcompose -f other.yaml --profile j",
        "rcompose -f oth",
        "rcompose unp",
        "rcompose up --force-r",
        "rcompose cp wi",
    ];
    let became = zsh(folder.path(), &lines);
    assert_eq!(
        became,
        [
            "rcompose logs wide",
            "rcompose -f other.yaml exec db",
            "rcompose -f other.yaml --profile jobs",
            "rcompose -f other.yaml",
            "rcompose unpause",
            "rcompose up --force-recreate",
            "rcompose cp wide:",
        ]
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
