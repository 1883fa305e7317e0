//! Contexts of builds that change from one build to the next: the image has what the folder has, each time.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::UnixStream;

use crate::support::engine::{engine, is_bundled};
use crate::support::process::Outcome;
use crate::support::project::Project;

/// Lists a tree: kind and mode, time, content or target of each path; of the folder itself nothing. Modes and times of
/// folders are left out where `$FOLDERS` is empty.
const LIST: &str = "find . -mindepth 1 | sort | while read -r path; do \
    if [ -d \"$path\" ] && [ ! -L \"$path\" ] && [ -z \"$FOLDERS\" ]; then echo \"$path\"; \
    else stat -c '%n %f %Y' \"$path\"; fi; \
    if [ -L \"$path\" ]; then readlink \"$path\"; elif [ -f \"$path\" ]; then md5sum <\"$path\"; fi; done";

/// A project whose service has the folder `app` at `/app`.
fn project(topic: &str) -> Project {
    let project = Project::new(
        topic,
        "services: {web: {build: {context: ./app, dockerfile_inline: \"FROM IMAGE\\nCOPY . /app\\n\"}}}",
    );
    for path in ["a", "b/x", "b/y", "b/c/z", "d/only"] {
        // No other test has these files: equal ones would come from its image, with their times.
        project.file(&format!("app/{path}"), &format!("{topic} {path}"));
    }
    project
}

fn build(project: &Project) -> Outcome {
    project
        .rcompose(&["--progress", "plain", "build"])
        .success()
}

/// What the image has is what the folder has.
#[track_caller]
fn assert_same(project: &Project) {
    // BuildKit changes the time of a folder when it takes over a file that has changed in it, and a folder's mode alone does
    // not make it copy anew: docker compose has the same from it.
    let list = format!("FOLDERS={}; {LIST}", if is_bundled() { "1" } else { "" });
    let command = format!("cd /app && {list}");
    let run = ["run", "--rm", "-T", "web", "sh", "-c", &command];
    let there = project.rcompose(&run).success().stdout;
    let here = std::process::Command::new("sh")
        .args(["-c", &list])
        .current_dir(project.path().join("app"))
        .env("LC_ALL", "C")
        .output()
        .expect("sh is there");
    let here = String::from_utf8_lossy(&here.stdout).replace("  -", "");
    assert_eq!(there.replace("  -", ""), here);
    assert!(!here.is_empty());
}

fn forget(project: &Project) {
    project
        .rcompose(&["down", "--timeout", "0", "--rmi", "local"])
        .success();
    project.assert_nothing_left();
}

#[test]
fn an_image_has_what_its_context_has_after_every_change() {
    let project = project("contextchanges");
    let at = |path: &str| project.path().join("app").join(path);
    let write = |path: &str, text: &str| fs::write(at(path), text).expect("the folder is ours");
    let changes: [(&str, &dyn Fn()); 13] = [
        ("nothing", &|| {}),
        ("content", &|| write("b/x", "other")),
        ("content of the same length", &|| write("b/x", "OTHER")),
        ("a new file", &|| write("b/c/new", "new")),
        ("a file less", &|| {
            fs::remove_file(at("b/y")).expect("it is there");
        }),
        ("a new name", &|| {
            fs::rename(at("a"), at("b/c/a")).expect("it is there");
        }),
        ("a folder's new name", &|| {
            fs::rename(at("b/c"), at("moved")).expect("it is there");
        }),
        ("a mode", &|| {
            let mode = fs::Permissions::from_mode(0o751);
            fs::set_permissions(at("moved/z"), mode).expect("it is there");
        }),
        ("a folder's mode", &|| {
            let mode = fs::Permissions::from_mode(0o700);
            fs::set_permissions(at("moved"), mode).expect("it is there");
        }),
        ("a folder in a file's place", &|| {
            fs::remove_file(at("d/only")).expect("it is there");
            fs::create_dir(at("d/only")).expect("it is not there");
            write("d/only/inside", "inside");
        }),
        ("a file in a folder's place", &|| {
            fs::remove_dir_all(at("d")).expect("it is there");
            write("d", "file");
        }),
        ("a link in a file's place", &|| {
            fs::remove_file(at("d")).expect("it is there");
            symlink("moved", at("d")).expect("it is not there");
        }),
        ("a folder in a link's place, the link elsewhere", &|| {
            fs::remove_file(at("d")).expect("it is there");
            fs::create_dir(at("d")).expect("it is not there");
            write("d/z", "of the folder");
            symlink("../b/x", at("moved/link")).expect("it is not there");
        }),
    ];
    for (what, change) in changes {
        eprintln!("{what}");
        change();
        build(&project);
        assert_same(&project);
    }
    forget(&project);
}

#[test]
fn other_patterns_make_another_image_of_the_same_files() {
    let project = project("contextpatterns");
    let has = |path: &str| {
        let command = format!("test -e /app/{path}");
        let run = ["run", "--rm", "-T", "web", "sh", "-c", &command];
        project.rcompose(&run).code == 0
    };
    build(&project);
    assert!(has("b/x") && has("d/only"));
    project.file("app/.dockerignore", ".dockerignore\nb\n");
    build(&project);
    assert!(!has("b") && has("d/only"));
    project.file("app/.dockerignore", ".dockerignore\nb\n!b/c\nd/*\n");
    build(&project);
    assert!(!has("b/x") && has("b/c/z") && !has("d/only"));
    fs::remove_file(project.path().join("app/.dockerignore")).expect("it is there");
    build(&project);
    assert_same(&project);
    forget(&project);
}

#[test]
fn services_of_one_folder_are_built_side_by_side() {
    let project = Project::new(
        "contextshared",
        r#"
services:
  web: {build: {context: ./app, dockerfile_inline: "FROM IMAGE\nCOPY . /app\n"}}
  other: {build: {context: ./app, dockerfile_inline: "FROM IMAGE\nCOPY b /app/b\n"}}
  third: {build: {context: ./app, dockerfile_inline: "FROM IMAGE\nCOPY b/x /app/b/\n"}}
"#,
    );
    for round in ["1", "2", "3"] {
        project.file("app/a", "same");
        project.file("app/b/x", round);
        build(&project);
        for service in ["web", "other", "third"] {
            let run = ["run", "--rm", "-T", service, "cat", "/app/b/x"];
            assert_eq!(project.rcompose(&run).success().stdout, round);
        }
    }
    forget(&project);
}

#[test]
fn a_build_after_one_that_failed_or_was_interrupted_has_everything() {
    let project = Project::new(
        "contextbroken",
        "services: {web: {build: {context: ./app, dockerfile: ../Recipe}}}",
    );
    let recipe = |command: &str| {
        let text = format!("FROM IMAGE\nCOPY . /app\nRUN {command}\n");
        project.file("Recipe", &text);
    };
    for path in ["a", "b/x", "b/y"] {
        project.file(&format!("app/{path}"), path);
    }
    recipe("exit 3");
    assert_eq!(project.rcompose(&["build"]).code, 1);
    project.file("app/b/x", "after the failure");
    recipe("echo waiting; sleep 600");
    let running = project.start(&["--progress", "plain", "build"]);
    running.wait_for_stdout("waiting");
    running.signal(nix::sys::signal::Signal::SIGKILL);
    let _ = running.finish();
    fs::remove_file(project.path().join("app/b/y")).expect("it is there");
    project.file("app/c", "after the interruption");
    recipe("true");
    build(&project);
    assert_same(&project);
    forget(&project);
}

#[test]
fn a_dockerfile_that_other_patterns_name_is_there_in_every_build() {
    let project = Project::new(
        "contexthidden",
        "services: {web: {build: {context: ./app, dockerfile: Other}}}",
    );
    project.file("app/Other", "FROM IMAGE\nCOPY file /file\n");
    project.file("app/Other.dockerignore", "*.dockerignore\n");
    project.file("app/.dockerignore", "Other\n");
    for round in ["1", "1", "2"] {
        project.file("app/file", round);
        build(&project);
        build(&project);
        let run = ["run", "--rm", "-T", "web", "cat", "/file"];
        assert_eq!(project.rcompose(&run).success().stdout, round);
    }
    forget(&project);
}

#[test]
fn what_the_engine_has_no_more_is_not_left_out_of_the_image() {
    if !is_bundled() {
        return;
    }
    // As from a client that was told to leave out what is there, and then waited for too long.
    let path = engine().host.trim_start_matches("unix://");
    let mut stream = UnixStream::connect(path).expect("the engine answers");
    let request = "POST /build?session=none&version=2 HTTP/1.0\r\nContent-Length: 0\r\n\r\n";
    stream.write_all(request.as_bytes()).expect("it is small");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    assert!(answer.starts_with("HTTP/1.0 404 "), "{answer}");
    assert!(answer.contains("build again"), "{answer}");
}
