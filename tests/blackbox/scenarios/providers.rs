//! Services that other programs run.

use std::os::unix::fs::PermissionsExt;

use nix::sys::signal::Signal;

use crate::support::eventually;
use crate::support::project::Project;

/// Says what it is asked and where the service is; fails on `broken`.
const PROVIDER: &str = r#"#!/bin/sh
echo "$*" >>"$PROVIDER_LOG"
for service; do :; done
case "$*" in
"compose metadata")
    echo '{"description": "of tests", "up": {"parameters": [{"name": "name", "required": true}, {"name": "size"}]}, "down": {"parameters": [{"name": "name"}]}}' ;;
*broken) echo '{"type": "error", "message": "it is broken"}' ;;
*" up "*)
    echo '{"type": "debug", "message": "begins"}{"type": "info", "message": "half done"}'
    echo "{\"type\": \"setenv\", \"message\": \"URL=https://cloud.test/$service\"}" ;;
esac
"#;

fn project(topic: &str, compose: &str) -> Project {
    let mut project = Project::new(topic, compose);
    let program = project.file("programs/test-provider", PROVIDER);
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).expect("it is ours");
    let folder = program.with_file_name("");
    let path = std::env::var("PATH").unwrap_or_default();
    project.set("PATH", &format!("{}:{path}", folder.display()));
    let log = project.path().join("log").display().to_string();
    project.set("PROVIDER_LOG", &log);
    project
}

/// What the provider was asked, without the questions about itself; the words of each sorted, as options have no order.
fn asked(project: &Project) -> Vec<String> {
    let log = std::fs::read_to_string(project.path().join("log")).unwrap_or_default();
    let lines = log.lines().filter(|line| *line != "compose metadata");
    lines.map(sorted).collect()
}

fn sorted(line: &str) -> String {
    let mut words: Vec<&str> = line.split(' ').collect();
    words.sort_unstable();
    words.join(" ")
}

#[test]
fn dependents_get_the_variables_of_several() {
    let project = project(
        "providers",
        r"
services:
  test: {image: IMAGE, command: env, depends_on: [first, second]}
  first: {provider: {type: test-provider, options: {name: one, type: unknown, size: 1}}}
  second: {provider: {type: test-provider, options: {name: two}}}
",
    );
    let up = project.rcompose(&["up"]).success();
    for name in ["first", "second"] {
        let variable = format!(
            "test-1  | {}_URL=https://cloud.test/{name}\n",
            name.to_uppercase()
        );
        assert!(up.stdout.contains(&variable), "{variable}: {up:?}");
    }
    let call = |rest: &str| sorted(&format!("compose --project-name={} {rest}", project.name));
    let mut ups = asked(&project);
    ups.sort();
    assert_eq!(
        ups,
        [
            call("up --name=one --size=1 first"),
            call("up --name=two second")
        ]
    );
    let run = project.rcompose(&["run", "--rm", "-T", "test"]).success();
    assert!(
        run.stdout.contains("FIRST_URL=https://cloud.test/first\n"),
        "{run:?}"
    );
    let before = project.container_ids();
    project.rcompose(&["up", "--no-start"]).success();
    assert_eq!(
        project.container_ids(),
        before,
        "the same variables are no change"
    );
    project.down();
    let all = asked(&project);
    let mut downs = all[all.len() - 2..].to_vec();
    downs.sort();
    assert_eq!(
        downs,
        [
            call("down --name=one first"),
            call("down --name=two second")
        ]
    );
}

#[test]
fn what_goes_wrong_is_told() {
    let project = project(
        "badprovider",
        r"
services:
  broken: {provider: {type: test-provider, options: {name: one}}}
  nameless: {provider: {type: test-provider}}
  unknown: {provider: {type: no-such-provider}}
",
    );
    let up = |service: &str| project.rcompose(&["up", "-d", service]).code(1);
    up("broken").says("it is broken");
    up("nameless").says("required parameter \"name\" is missing");
    up("unknown").says("no-such-provider");
    project.assert_nothing_left();
}

#[test]
fn a_rebuilt_dependent_keeps_the_variables() {
    let project = project(
        "watchprovider",
        r"
services:
  test:
    build: {dockerfile_inline: FROM IMAGE}
    command: demo sleep
    stop_grace_period: 0s
    depends_on: [first]
    develop: {watch: [{path: source, action: rebuild}]}
  first: {provider: {type: test-provider, options: {name: one}}}
",
    );
    project.file("source", "one");
    let watching = project.start(&["up", "--watch"]);
    watching.wait_for_stdout("Watch enabled");
    let before = project.container_ids();
    project.file("source", "two");
    eventually(60, "another container", || {
        (project.container_ids() != before && project.container_ids().len() == 1).then_some(())
    });
    let container = project.engine().inspect(&project.container_ids()[0]);
    let variables = container["Config"]["Env"].to_string();
    assert!(variables.contains("FIRST_URL="), "{variables}");
    watching.signal(Signal::SIGINT);
    watching.finish().code(130);
    project
        .rcompose(&["down", "--rmi", "local", "--timeout", "0"])
        .success();
    project.assert_nothing_left();
}
