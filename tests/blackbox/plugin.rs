//! As a plugin of the docker CLI, and called by the name of docker-compose.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::process::{Outcome, start};
use crate::support::project::{Project, rcompose};

const COMPOSE: &str = r"
services:
  web: {image: IMAGE, command: demo sleep, stop_grace_period: 0s}
";

/// The docker command: the installed one, or that of `RCOMPOSE_TEST_DOCKER`.
fn docker() -> PathBuf {
    std::env::var_os("RCOMPOSE_TEST_DOCKER").map_or_else(|| PathBuf::from("docker"), PathBuf::from)
}

/// A project with the CLI's folder in which the plugin is.
struct Plugged(Project);

impl Plugged {
    fn new(topic: &str) -> Self {
        let project = Project::new(topic, COMPOSE);
        let plugins = project.path().join("config/cli-plugins");
        std::fs::create_dir_all(&plugins).expect("a folder of our own");
        // A copy: it needs no file beside itself.
        std::fs::copy(rcompose(), plugins.join("docker-compose")).expect("it can be copied");
        Self(project)
    }

    fn folder(&self) -> PathBuf {
        self.0.path().join("config")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.0.command(&docker(), arguments);
        command.env("DOCKER_CONFIG", self.folder());
        command
    }

    #[track_caller]
    fn run(&self, arguments: &[&str]) -> Outcome {
        start(self.command(arguments)).finish()
    }
}

#[test]
fn the_cli_is_told_what_it_is() {
    let project = Project::new("metadata", COMPOSE);
    let told = project
        .rcompose(&["docker-cli-plugin-metadata"])
        .success()
        .stdout;
    let told: serde_json::Value = serde_json::from_str(&told).expect("it is JSON");
    assert_eq!(told["SchemaVersion"], "0.1.0");
    for key in ["Vendor", "Version", "ShortDescription"] {
        assert!(
            told[key].as_str().is_some_and(|text| !text.is_empty()),
            "{told}"
        );
    }
    assert_eq!(told.as_object().map(serde_json::Map::len), Some(4));
}

#[test]
fn the_cli_runs_commands_with_options_before_and_after() {
    let plugged = Plugged::new("plugin");
    let project = &plugged.0;
    plugged.run(&["compose", "up", "-d"]).success();
    let host = project.engine().host.clone();
    // The engine of the option, whatever the environment says.
    let mut command = plugged.command(&["-H", &host, "compose", "-p", &project.name, "ps", "-q"]);
    command.env("DOCKER_HOST", "unix:///nowhere.sock");
    let listed = start(command).finish().success().stdout;
    assert_eq!(listed.trim_end(), project.container_ids().join("\n"));
    // Codes of programs are codes of the CLI.
    plugged
        .run(&["compose", "exec", "-T", "web", "sh", "-c", "exit 7"])
        .code(7);
    plugged.run(&["compose", "ps", "--nonsense"]).code(1);
    let help = plugged.run(&["compose", "--help"]).success().stdout;
    assert!(help.contains("docker compose"), "{help}");
    plugged.run(&["compose", "down"]).success();
    project.assert_nothing_left();
}

#[test]
fn contexts_of_the_cli_hold() {
    let plugged = Plugged::new("plugincontext");
    let project = &plugged.0;
    let host = format!("host={}", project.engine().host);
    plugged
        .run(&["context", "create", "mine", "--docker", &host])
        .success();
    let names = |command: Command| {
        let mut command = command;
        command.env_remove("DOCKER_HOST");
        start(command).finish().success().stdout
    };
    let mut by_variable = plugged.command(&["compose", "up", "-d"]);
    by_variable.env("DOCKER_CONTEXT", "mine");
    names(by_variable);
    let ids = project.container_ids().join("\n");
    assert_eq!(ids.len(), 64);
    let by_option = plugged.command(&["--context", "mine", "compose", "ps", "-q"]);
    assert_eq!(names(by_option).trim_end(), ids);
    // Alone too: by the variable, by the option, by the folder's current one.
    let alone = |arguments: &[&str]| {
        let mut command = project.command(rcompose(), arguments);
        command.env("DOCKER_CONFIG", plugged.folder());
        command
    };
    let mut by_variable = alone(&["ps", "-q"]);
    by_variable.env("DOCKER_CONTEXT", "mine");
    assert_eq!(names(by_variable).trim_end(), ids);
    assert_eq!(names(alone(&["-c", "mine", "ps", "-q"])).trim_end(), ids);
    plugged.run(&["context", "use", "mine"]);
    assert_eq!(names(alone(&["ps", "-q"])).trim_end(), ids);
    project.down();
}

#[test]
fn it_answers_by_the_name_of_docker_compose() {
    let project = Project::new("standalone", COMPOSE);
    let link = project.path().join("docker-compose");
    symlink(rcompose(), &link).expect("a folder of our own");
    let run = |program: &Path, arguments: &[&str]| {
        let mut command = project.command(program, arguments);
        command.env_remove("DOCKER_HOST");
        start(command).finish()
    };
    let host = project.engine().host.clone();
    // As the first docker-compose: its names, its way to say which engine.
    run(&link, &["--compatibility", "-H", &host, "up", "-d"]).success();
    let name = format!("{}_web_1", project.name);
    assert_eq!(project.engine().inspect(&name)["State"]["Running"], true);
    let listed = run(
        &link,
        &["--compatibility", "--host", &host, "compose", "ps", "-q"],
    );
    assert_ne!(listed.code, 0, "compose is no command in the middle");
    let mut command = project.command(&link, &["compose", "--compatibility", "ps", "-q"]);
    command.env("DOCKER_HOST", &host);
    let listed = start(command).finish().success();
    assert_eq!(listed.stdout.trim_end(), project.container_ids().join("\n"));
    run(&link, &["--tlscacert", "/x/mine.pem", "ps"])
        .code(1)
        .says("ca.pem");
    run(&link, &["-H", &host, "down"]).success();
    project.assert_nothing_left();
}
