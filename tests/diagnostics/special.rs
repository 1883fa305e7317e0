//! Files that cannot lie in a repository.

use std::fs;
use std::path::Path;

use crate::support::{Outcome, command, finish, run, snapshot};

const GOOD: &str = "services: {web: {image: nginx}}\n";

fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, bytes) in files {
        fs::write(folder.path().join(name), bytes).expect("written");
    }
    folder
}

fn config(folder: &Path) -> Outcome {
    let outcome = run(folder, &["config", "--quiet"]);
    assert_eq!(outcome.code, 1, "{outcome:?}");
    outcome
}

#[test]
fn bytes_that_are_no_text() {
    let folder = folder(&[
        (
            "compose.yaml",
            b"services:\n  web:\n    image: \"caf\xe9\"\n",
        ),
        (".env", b"A=\xff\xfe\n"),
    ]);
    snapshot("special", "not-utf8", &config(folder.path()).stderr);
}

#[test]
fn text_of_two_bytes_a_character() {
    let text: Vec<u8> = "\u{feff}services: {}\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let folder = folder(&[("compose.yaml", &text)]);
    snapshot("special", "utf16", &config(folder.path()).stderr);
}

#[test]
fn a_zero_byte() {
    let folder = folder(&[("compose.yaml", b"services:\n  web:\n    image: a\0b\n")]);
    snapshot("special", "zero-byte", &config(folder.path()).stderr);
}

#[test]
fn a_folder_in_the_place_of_a_file() {
    let folder = folder(&[("compose.override.yaml", GOOD.as_bytes())]);
    fs::create_dir(folder.path().join("compose.yaml")).expect("made");
    snapshot("special", "folder", &config(folder.path()).stderr);
}

#[test]
fn no_file_at_all() {
    let folder = folder(&[]);
    snapshot("special", "no-file", &config(folder.path()).stderr);
    let named = run(
        folder.path(),
        &[
            "-f",
            "a.yaml",
            "-f",
            "b/c.yaml",
            "--env-file",
            "d.env",
            "config",
        ],
    );
    assert_eq!(named.code, 1);
    snapshot("special", "missing-files", &named.stderr);
}

#[test]
fn a_file_that_may_not_be_read() {
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::process::CommandExt as _;
    let folder = folder(&[("compose.yaml", GOOD.as_bytes())]);
    let mode = |path: &Path, mode: u32| fs::set_permissions(path, fs::Permissions::from_mode(mode));
    mode(folder.path(), 0o755).expect("set");
    mode(&folder.path().join("compose.yaml"), 0o000).expect("set");
    let mut command = command(folder.path());
    if nix::unistd::geteuid().is_root() {
        command.uid(65534);
        if command.output().is_err() {
            eprintln!("skipped: the program cannot be run by another user here");
            return;
        }
    }
    let outcome = finish(command.args(["config", "--quiet"]), folder.path());
    snapshot("special", "permission-denied", &outcome.stderr);
}

#[test]
fn standard_input() {
    use std::io::Write as _;
    use std::process::Stdio;
    let folder = folder(&[]);
    let mut child = command(folder.path())
        .args(["-f", "-", "config", "-q"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("started");
    let mut stdin = child.stdin.take().expect("piped");
    stdin
        .write_all(b"services:\n  web:\n    image: nginx\n    depend_on: []\n")
        .expect("written");
    drop(stdin);
    let output = child.wait_with_output().expect("ended");
    let stderr = String::from_utf8(output.stderr).expect("UTF-8");
    snapshot("special", "standard-input", &stderr);
}
