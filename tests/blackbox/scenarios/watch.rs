//! `watch` with builds, networks of others and commands.

use nix::sys::signal::Signal;

use super::look::inspect;
use crate::support::eventually;
use crate::support::process::Running;
use crate::support::project::Project;

/// Ends the watching and removes the project with what it built.
fn end(project: &Project, watching: Running) {
    watching.signal(Signal::SIGINT);
    watching.finish().code(130);
    project
        .rcompose(&["down", "--rmi", "local", "--volumes", "--timeout", "0"])
        .success();
    project.assert_nothing_left();
}

#[test]
fn a_rebuilt_service_keeps_the_network_of_others() {
    let mut project = Project::new(
        "watchnet",
        r"
services:
  app:
    build: {dockerfile_inline: FROM IMAGE}
    command: demo sleep
    develop: {watch: [{action: rebuild, path: .env}]}
    networks: [shared]
networks:
  shared: {external: true, name: '${SHARED}'}
",
    );
    let network = format!("{}-shared", project.name);
    project.set("SHARED", &network);
    project.engine().docker(&["network", "create", &network]);
    project.file(".env", "HELLO=WORLD\n");
    let watching = project.start(&["watch", "app"]);
    watching.wait_for_stdout("Watch enabled");
    let mode = || inspect(&project, "app")["HostConfig"]["NetworkMode"].clone();
    assert_eq!(mode(), network.as_str());
    project.file(".env", "HELLO=WORLD\nTEST=REBUILD\n");
    watching.wait_for_stdout("successfully built");
    eventually(30, "the network is the same", || {
        (mode() == network.as_str()).then_some(())
    });
    end(&project, watching);
    project.engine().docker(&["network", "rm", &network]);
}

#[test]
fn a_command_runs_after_each_change() {
    let project = Project::new(
        "watchexec",
        r"
services:
  test:
    image: IMAGE
    command: demo tick pulse 100
    volumes: [/data]
    develop:
      watch:
        - {path: files, target: /data, initial_sync: true, action: sync+exec, exec: {command: echo SUCCESS}}
",
    );
    project.file("files/first", "1");
    let watching = project.start(&["up", "--watch"]);
    watching.wait_for_stdout("pulse 1");
    watching.wait_for_stdout("Watch enabled");
    project.file("files/test", "test");
    watching.wait_for_stdout("SUCCESS");
    end(&project, watching);
}

#[test]
fn several_services_are_rebuilt() {
    let service = |name: &str| {
        format!(
            "  {name}:\n    build:\n      dockerfile_inline: |\n        FROM IMAGE\n        COPY test /data/{name}\n    command: demo sleep\n    stop_grace_period: 0s\n    develop: {{watch: [{{path: test, action: rebuild}}]}}\n"
        )
    };
    let names = ["a", "b", "c"];
    let project = Project::new(
        "watchseveral",
        &format!("services:\n{}", names.map(service).concat()),
    );
    project.file("test", "before");
    let watching = project.start(&["up", "--watch"]);
    watching.wait_for_stdout("Watch enabled");
    let wait_for = |text: &str| {
        for name in names {
            eventually(60, &format!("{name} has {text:?}"), || {
                let path = format!("/data/{name}");
                let read = project.rcompose(&["exec", "-T", name, "cat", &path]);
                (read.stdout == text).then_some(())
            });
        }
    };
    wait_for("before");
    project.file("test", "after");
    watching.wait_for_stdout("successfully built");
    wait_for("after");
    end(&project, watching);
}

#[test]
fn the_old_name_of_initial_sync_is_told() {
    let project = Project::new(
        "watchold",
        r"
services:
  test:
    image: IMAGE
    command: demo sleep
    develop:
      watch:
        - {path: files, target: /tmp/files, action: sync, x-initialSync: true}
",
    );
    project.file("files/first", "1");
    let watching = project.start(&["up", "--watch"]);
    watching.wait_for_stdout("Watch enabled");
    let told = "x-initialSync is DEPRECATED, please use the official `initial_sync` attribute";
    eventually(60, told, || watching.stderr().contains(told).then_some(()));
    end(&project, watching);
}
