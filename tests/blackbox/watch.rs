//! `watch` and `up --watch`.

use std::fs;

use nix::sys::signal::Signal;

use crate::support::eventually;
use crate::support::project::Project;

const COMPOSE: &str = r#"
services:
  web:
    image: IMAGE
    command: demo sleep
    user: "1000"
    scale: 2
    develop:
      watch:
        - {path: src, target: /tmp/src, action: sync, initial_sync: true, ignore: ["*.log"], include: ["**/*.js", "**/*.log"]}
        - {path: site.conf, target: /tmp/site.conf, action: sync+restart}
        - path: seeds
          target: /tmp/seeds
          action: sync+exec
          exec: {command: [sh, -c, "cat /tmp/seeds/* > /tmp/seeded; echo seeded now"]}
  other:
    image: IMAGE
    command: demo sleep
    develop:
      watch:
        - {path: flag, action: restart}
"#;

fn project(topic: &str) -> Project {
    let project = Project::new(topic, COMPOSE);
    project.file("src/a.js", "one");
    project.file("src/b.txt", "b");
    project.file("site.conf", "old");
    project.file("seeds/1", "1");
    project.file("flag/x", "1");
    project
}

/// What a file in both containers of `web` has in it.
fn inside(project: &Project, path: &str) -> Option<String> {
    let read = |index| {
        let said = project.rcompose(&["exec", "-T", "--index", index, "web", "cat", path]);
        (said.code == 0).then_some(said.stdout)
    };
    let both = (read("1")?, read("2")?);
    (both.0 == both.1).then_some(both.0)
}

fn started(project: &Project, service: &str) -> String {
    project.engine().inspect(&project.container(service, 1))["State"]["StartedAt"].to_string()
}

#[test]
fn files_are_brought_into_containers() {
    let project = project("watch");
    let watching = project.start(&["watch"]);
    watching.wait_for_stdout("⦿ Watch enabled");
    assert_eq!(inside(&project, "/tmp/src/a.js").as_deref(), Some("one"));
    assert_eq!(inside(&project, "/tmp/src/b.txt"), None);
    project.file("src/deep/c.js", "new");
    project.file("src/no.log", "log");
    eventually(30, "a new file is copied", || {
        (inside(&project, "/tmp/src/deep/c.js")? == "new").then_some(())
    });
    assert_eq!(inside(&project, "/tmp/src/no.log"), None);
    watching.wait_for_stdout("Syncing service \"web\" after");
    fs::remove_file(project.path().join("src/a.js")).expect("it is there");
    eventually(30, "a removed file is removed", || {
        inside(&project, "/tmp/src/a.js").is_none().then_some(())
    });
    let before = (started(&project, "web"), started(&project, "other"));
    project.file("site.conf", "new");
    eventually(30, "the service is restarted with the new file", || {
        let is_new = inside(&project, "/tmp/site.conf").as_deref() == Some("new");
        (is_new && started(&project, "web") != before.0).then_some(())
    });
    project.file("seeds/2", "2");
    eventually(30, "the command is run", || {
        (inside(&project, "/tmp/seeded")? == "2").then_some(())
    });
    assert_eq!(started(&project, "other"), before.1);
    project.file("flag/x", "2");
    eventually(30, "the service is restarted", || {
        (started(&project, "other") != before.1).then_some(())
    });
    watching.signal(Signal::SIGINT);
    let ended = watching.finish().code(130);
    assert!(ended.stdout.contains("⦿ Watch disabled"), "{ended:?}");
    project.down();
}

#[test]
fn images_are_rebuilt() {
    let project = Project::new(
        "watchbuild",
        r"
services:
  app:
    build: .
    command: demo sleep
    develop:
      watch:
        - {path: ., action: rebuild, ignore: [left-out]}
",
    );
    project.file("Dockerfile", "FROM IMAGE\nCOPY text /text\n");
    project.file("text", "one");
    project.file(".dockerignore", "unseen\n");
    let mut watching = project.start(&["up", "--watch", "--no-log-prefix"]);
    watching.wait_for_stdout("⦿ Watch enabled");
    let read = || {
        let said = project.rcompose(&["exec", "-T", "app", "cat", "/text"]);
        (said.code == 0).then_some(said.stdout)
    };
    assert_eq!(read().as_deref(), Some("one"));
    let id = project.container_ids();
    project.file("left-out", "1");
    project.file("unseen", "1");
    std::thread::sleep(std::time::Duration::from_secs(1));
    assert_eq!(project.container_ids(), id);
    project.file("text", "two");
    eventually(60, "a container of the new image", || {
        (read()? == "two").then_some(())
    });
    assert!(project.container_ids() != id);
    watching.wait_for_stdout("service(s) [\"app\"] successfully built");
    // A build that fails is told, and watching goes on.
    project.file("Dockerfile", "FROM IMAGE\nCOPY missing /text\n");
    watching.wait_for_stdout("Build failed");
    assert!(watching.runs());
    watching.signal(Signal::SIGINT);
    watching.finish().code(130);
    project
        .rcompose(&["down", "--rmi", "local", "--timeout", "0"])
        .success();
    project.assert_nothing_left();
}

#[test]
fn what_cannot_be_watched_is_named() {
    let project = project("watchbad");
    let watch = |file: &str, arguments: &[&str]| {
        project.file("other.yaml", file);
        let arguments = [&["-f", "other.yaml"], arguments].concat();
        project.rcompose(&arguments).code(1)
    };
    watch("services: {a: {image: IMAGE}}", &["watch"])
        .says("none of the selected services is configured for watch");
    let missing =
        "services: {a: {image: IMAGE, develop: {watch: [{path: nowhere, action: restart}]}}}";
    watch(missing, &["up", "--watch"]).says("it does not exist");
    let rebuild = "services: {a: {image: IMAGE, develop: {watch: [{path: ., action: rebuild}]}}}";
    watch(rebuild, &["watch"])
        .says("can't watch service \"a\" with action rebuild without a build context");
    let built = "services: {a: {build: ., develop: {watch: [{path: ., action: rebuild}]}}}";
    watch(built, &["up", "--watch", "--no-build"])
        .says("--no-build is incompatible with watch action rebuild in service a");
    project.rcompose(&["up", "-d", "--watch"]).code(1);
    project.rcompose(&["watch", "nobody"]).code(1);
    project.assert_nothing_left();
}
