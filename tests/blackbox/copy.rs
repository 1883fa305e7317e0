//! `cp`.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::process::Stdio;

use crate::support::process::start;
use crate::support::project::{Project, rcompose};

const COMPOSE: &str = r#"
services:
  web:
    image: IMAGE
    command: demo sleep
    scale: 2
    user: "1000"
  gone:
    image: IMAGE
    command: "true"
"#;

fn up(topic: &str) -> Project {
    let project = Project::new(topic, COMPOSE);
    project.rcompose(&["up", "--detach"]).success();
    project
}

/// What a shell in the second container of `web` says.
#[track_caller]
fn inside(project: &Project, script: &str) -> String {
    let index = [
        "exec", "-T", "-u", "0", "--index", "2", "web", "sh", "-c", script,
    ];
    project.rcompose(&index).success().stdout
}

#[test]
fn files_go_into_every_container_of_the_service() {
    let project = up("cpto");
    let file = project.file("in/a.txt", "hello\n");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o750)).expect("a mode");
    // Onto a new name, into a folder, over a file.
    for target in ["web:/tmp/new.txt", "web:/tmp", "web:/tmp/new.txt"] {
        let copied = project.rcompose(&["cp", "in/a.txt", target]).success();
        assert_eq!(copied.stdout, "");
        let name = project.container("web", 2);
        let words = format!(" {name} copy in/a.txt to {name}:{} Copied", &target[4..]);
        assert!(copied.stderr.contains(&words), "{copied:?}");
    }
    let said = inside(
        &project,
        "cat /tmp/new.txt /tmp/a.txt; stat -c '%a %u' /tmp/a.txt",
    );
    assert_eq!(said, "hello\nhello\n750 0\n");
    // Only one of them.
    project
        .rcompose(&["cp", "--index", "1", "in/a.txt", "web:/tmp/one"])
        .success();
    assert_eq!(inside(&project, "ls /tmp"), "a.txt\nnew.txt\n");
    // A container that has ended is as good.
    project.rcompose(&["cp", "in/a.txt", "gone:/tmp"]).success();
    let read = project.rcompose(&["cp", "gone:/tmp/a.txt", "back"]);
    read.success();
    assert_eq!(read_text(&project, "back"), "hello\n");
    project.down();
}

#[test]
fn the_end_of_a_path_decides_where_folders_go() {
    let project = up("cpdir");
    project.file("in/sub/b", "b");
    symlink("sub/b", project.path().join("in/link")).expect("a link");
    for (source, target) in [
        ("in", "web:/tmp/new"),
        ("in/.", "web:/tmp/new/flat"),
        ("in", "web:/tmp/new"),
        ("in/", "web:/tmp/"),
        ("in/link", "web:/tmp/kept"),
    ] {
        project.rcompose(&["cp", source, target]).success();
    }
    project
        .rcompose(&["cp", "-L", "in/link", "web:/tmp/followed"])
        .success();
    let said = inside(
        &project,
        "cd /tmp; find . | sort; readlink kept; cat followed",
    );
    let expected = ". ./followed ./in ./in/link ./in/sub ./in/sub/b ./kept ./new ./new/flat \
        ./new/flat/link ./new/flat/sub ./new/flat/sub/b ./new/in ./new/in/link ./new/in/sub \
        ./new/in/sub/b ./new/link ./new/sub ./new/sub/b sub/b b";
    assert_eq!(
        said.split_whitespace().collect::<Vec<_>>().join(" "),
        expected
    );
    // And back.
    for (source, target) in [
        ("web:/tmp/in", "out"),
        ("web:/tmp/in/.", "flat"),
        ("web:/tmp/in", "out"),
        ("web:/tmp/in/link", "kept"),
    ] {
        project.rcompose(&["cp", source, target]).success();
    }
    project
        .rcompose(&["cp", "-L", "web:/tmp/in/link", "out"])
        .success();
    assert_eq!(read_text(&project, "out/sub/b"), "b");
    assert_eq!(read_text(&project, "flat/link"), "b");
    assert_eq!(read_text(&project, "out/in/link"), "b");
    let link = fs::read_link(project.path().join("kept"));
    assert_eq!(link.expect("a link").to_str(), Some("sub/b"));
    let followed = fs::symlink_metadata(project.path().join("out/link"));
    assert!(followed.expect("it is there").is_file());
    project.down();
}

#[test]
fn standard_streams_carry_archives() {
    let project = up("cptar");
    project.file("in/a", "1");
    let tar = project.rcompose(&["cp", "in", "web:/tmp"]).success();
    assert_eq!(tar.stdout, "");
    let archive = project.path().join("archive.tar");
    let mut command = project.command(rcompose(), &["cp", "web:/tmp/in", "-"]);
    command.stdout(Stdio::from(fs::File::create(&archive).expect("a file")));
    assert!(command.status().expect("it runs").success());
    let mut command = project.command(rcompose(), &["cp", "--index", "2", "-", "web:/etc"]);
    command.stdin(Stdio::from(fs::File::open(&archive).expect("a file")));
    start(command).finish().success();
    assert_eq!(inside(&project, "cat /etc/in/a"), "1");
    let mut command = project.command(rcompose(), &["cp", "-", "web:/etc"]);
    command.stdin(Stdio::from(fs::File::open(&archive).expect("a file")));
    start(command)
        .finish()
        .code(1)
        .says("choose one with --index");
    project.down();
}

#[test]
fn owners_are_root_unless_asked_and_the_person_here() {
    let project = up("cpown");
    let file = project.file("a", "1");
    std::os::unix::fs::chown(&file, Some(1234), Some(1234)).expect("root");
    project
        .rcompose(&["cp", "-a", "a", "web:/tmp/as-user"])
        .success();
    assert_eq!(inside(&project, "stat -c '%u' /tmp/as-user"), "1000\n");
    project
        .rcompose(&["cp", "web:/tmp/as-user", "back"])
        .success();
    let back = fs::metadata(project.path().join("back")).expect("it is there");
    assert_eq!(back.uid(), 0);
    project.down();
}

#[test]
fn what_cannot_be_copied_is_named() {
    let project = up("cpbad");
    project.file("dir/a", "1");
    project.file("file", "1");
    for (source, target, message) in [
        (
            "web:/a",
            "gone:/b",
            "copying between services is not supported",
        ),
        ("a", "b", "unknown copy direction"),
        (
            "nobody:/a",
            "b",
            "no container found for service \"nobody\"",
        ),
        ("missing", "web:/tmp", "missing: no such file or directory"),
        (
            "web:/missing",
            "out",
            "Could not find the file /missing in container",
        ),
        ("web:/etc/passwd", "no/folder/here", "directory \""),
        (
            "dir",
            "web:/etc/passwd",
            "cannot copy directory: /etc/passwd is a file",
        ),
        ("file", "web:/no-such/", "no such directory: /no-such/"),
        ("web:/tmp", "file", "cannot copy directory"),
    ] {
        project
            .rcompose(&["cp", source, target])
            .code(1)
            .says(message);
    }
    let dry = project.rcompose(&["--dry-run", "cp", "file", "web:/tmp/x"]);
    dry.success().says("DRY-RUN MODE");
    assert_eq!(inside(&project, "ls /tmp"), "");
    project.down();
}

fn read_text(project: &Project, path: &str) -> String {
    fs::read_to_string(project.path().join(path)).expect("it was copied")
}
