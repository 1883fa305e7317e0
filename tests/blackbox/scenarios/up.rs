//! `up`: what it starts, shows and leaves running.

use nix::sys::signal::Signal;

use super::look::{line, state};
use crate::support::eventually;
use crate::support::project::{IMAGE, Project};

#[test]
fn what_was_not_named_keeps_running_after_ctrl_c() {
    let project = Project::new(
        "depsstay",
        r"
services:
  dependency: {image: IMAGE, command: demo tick dependency 200}
  app: {image: IMAGE, command: demo tick app 200, depends_on: [dependency]}
",
    );
    project.file(
        "other.yaml",
        "services: {orphan: {image: IMAGE, command: demo tick orphan 200}}",
    );
    project
        .rcompose(&["-f", "other.yaml", "up", "--wait", "-d", "orphan"])
        .success();
    let up = project.start(&["up", "--menu=false", "app"]);
    up.wait_for_stdout("app 1");
    assert_eq!(state(&project, "dependency"), "running");
    up.signal(Signal::SIGINT);
    up.finish().code(130);
    let states = ["app", "dependency", "orphan"].map(|service| state(&project, service));
    assert_eq!(states, ["exited", "running", "running"]);
    project
        .rcompose(&["down", "--remove-orphans", "--timeout", "0"])
        .success();
    project.assert_nothing_left();
}

#[test]
fn an_image_that_another_service_builds() {
    let image = "rcompose-test/built-for-two";
    let project = Project::new(
        "builtfortwo",
        &format!(
            r"
services:
  foo: {{image: {image}, build: ., command: demo sleep}}
  bar: {{image: {image}, command: demo sleep, depends_on: [foo]}}
"
        ),
    );
    project.file("Dockerfile", "FROM IMAGE\nRUN echo built >/built\n");
    project.rcompose(&["up", "-d"]).success();
    let bar = project.rcompose(&["exec", "-T", "bar", "cat", "/built"]);
    assert_eq!(bar.success().stdout, "built\n");
    project
        .rcompose(&["down", "--rmi", "all", "--timeout", "0"])
        .success();
    project.assert_nothing_left();
    assert_eq!(
        project.engine().docker(&["image", "ls", "--quiet", image]),
        ""
    );
}

#[test]
fn a_dependency_that_is_not_required_may_stay_unhealthy() {
    let project = Project::new(
        "notrequired",
        r"
services:
  foo:
    image: IMAGE
    command: echo foo
    depends_on: {bar: {required: false, condition: service_healthy}}
  bar:
    image: IMAGE
    command: demo sleep
    profiles: [extra]
    healthcheck: {test: 'false', interval: 200ms, retries: 1}
",
    );
    let up = project
        .rcompose(&["--profile", "extra", "up", "-d"])
        .success();
    assert!(
        up.stderr.contains(&line(&project, "foo", "Started")),
        "{up:?}"
    );
    up.says("optional dependency \"bar\" failed to start");
    project
        .rcompose(&["--profile", "extra", "down", "--timeout", "0"])
        .success();
    project.assert_nothing_left();
}

#[test]
fn what_no_service_uses_is_made_when_asked_for() {
    let project = Project::new(
        "allresources",
        "volumes: {my_vol: {}}\nnetworks: {my_net: {}}\n",
    );
    let up = project.rcompose(&["--all-resources", "up"]).success();
    for made in [
        "Volume NAME_my_vol  Created",
        "Network NAME_my_net  Created",
    ] {
        let made = made.replace("NAME", &project.name);
        // Docker compose puts the names of volumes in quotes.
        assert!(up.stderr.replace('"', "").contains(&made), "{made}: {up:?}");
    }
    project
        .rcompose(&["--all-resources", "down", "--volumes"])
        .success();
    project.assert_nothing_left();
}

#[test]
fn an_image_by_its_id() {
    let mut project = Project::new(
        "imageid",
        "services: {test: {image: '${ID:?it has to be set}', command: echo ran}}",
    );
    project.rcompose(&["up"]).code(1).says("it has to be set");
    let image = project.engine().inspect(IMAGE);
    let id = image["Id"].as_str().unwrap_or_default();
    project.set("ID", id.trim_start_matches("sha256:"));
    let up = project.rcompose(&["up"]).success();
    assert!(up.stdout.contains("ran"), "{up:?}");
    project.down();
}

#[test]
fn logs_go_on_while_others_stop() {
    let project = Project::new(
        "mixedlogs",
        r#"
services:
  first:
    image: IMAGE
    command: sh -c "until [ -e /shared/ready ]; do sleep 0.05; done"
    volumes: ["./shared:/shared"]
  second:
    image: IMAGE
    command: sh -c "touch /shared/ready; trap 'echo still here; exit 0' TERM; while :; do sleep 0.05; done"
    volumes: ["./shared:/shared"]
    pre_stop:
      - command: echo "the hook runs"
"#,
    );
    let up = project
        .rcompose(&["up", "--abort-on-container-exit"])
        .success();
    assert!(
        up.stderr.contains(&line(&project, "first", "Stopped")),
        "{up:?}"
    );
    let hook = up.stdout.find("second-1 ->  | the hook runs");
    let last = up.stdout.find("still here");
    assert!(hook.is_some() && last > hook, "{up:?}");
    eventually(60, "it stopped", || {
        (state(&project, "second") == "exited").then_some(())
    });
    project.down();
}
