//! The commands on whole projects, and where their files are.

use crate::support::eventually;
use crate::support::http::get;
use crate::support::process::start;
use crate::support::project::{Project, free_port, rcompose};

const TWO: &str = r"
services:
  one: {image: IMAGE, command: demo sleep}
  two: {image: IMAGE, command: demo sleep}
";

/// A front end, a store it needs and a third one, as `docker-compose.yaml` files of tutorials have them.
fn shop(topic: &str, port: u16) -> Project {
    Project::new(
        topic,
        &format!(
            r#"
services:
  db: {{image: IMAGE, command: demo store /data}}
  words: {{image: IMAGE, command: demo sleep}}
  web:
    image: IMAGE
    command: demo web
    environment: {{STORE_URL: "http://db:7000"}}
    ports: ["{port}:8080"]
    labels: [my-label=test]
    healthcheck:
      test: [CMD, demo, get, "http://127.0.0.1:8080/healthz"]
      interval: 200ms
      retries: 50
"#
        ),
    )
}

/// Names of the containers that `ps` with these options shows.
fn shown(project: &Project, options: &[&str]) -> Vec<String> {
    let ps = [&["ps", "--format", "{{.Name}}"], options].concat();
    let names = project.rcompose(&ps).success().stdout;
    names.lines().map(ToOwned::to_owned).collect()
}

#[test]
fn up_look_and_down() {
    let port = free_port();
    let project = shop("shop", port);
    project.rcompose(&["up", "--detach"]).success();
    let ps = project.rcompose(&["ps"]).success();
    assert!(ps.stdout.contains("web"), "{ps:?}");
    eventually(60, "the front end", || get(port, "/healthz"));
    let network = project
        .engine()
        .inspect(&format!("{}_default", project.name));
    assert_eq!(network["Labels"]["com.docker.compose.network"], "default");
    assert_eq!(
        network["Labels"]["com.docker.compose.project"],
        project.name.as_str()
    );
    assert!(network["Labels"]["com.docker.compose.version"].is_string());
    let labels = &project.engine().inspect(&project.container("web", 1))["Config"]["Labels"];
    assert_eq!(labels["my-label"], "test");
    for label in [
        "config-hash",
        "project.config_files",
        "project.working_dir",
        "version",
    ] {
        let name = format!("com.docker.compose.{label}");
        assert!(labels[&name].is_string(), "{name}: {labels}");
    }

    let top = project.rcompose(&["top"]).success().stdout;
    for word in [
        "UID",
        "PID",
        "PPID",
        "C",
        "STIME",
        "TTY",
        "TIME",
        "CMD",
        "demo web",
        "demo store /data",
    ] {
        assert!(top.contains(word), "{word}: {top}");
    }
    eventually(60, "health is shown", || {
        let ps = project.rcompose(&["ps", "web"]).success().stdout;
        ps.contains("(healthy)").then_some(())
    });
    let images = project.rcompose(&["images"]).success().stdout;
    for service in ["db", "web", "words"] {
        let name = project.container(service, 1);
        let line = images.lines().find(|line| line.starts_with(&name));
        let mut words = line.unwrap_or_default().split_whitespace();
        let words = (words.nth(1), words.next());
        assert_eq!(words, (Some("rcompose-fixtures/busybox"), Some("1")));
    }

    project
        .rcompose(&["down", "web", "--timeout", "0"])
        .success();
    let left = shown(&project, &["--all"]);
    assert_eq!(
        left,
        [project.container("db", 1), project.container("words", 1)]
    );
    project.down();
}

#[test]
fn orphans_are_not_what_a_named_down_leaves() {
    let project = shop("shoporphan", free_port());
    project.rcompose(&["up", "--detach"]).success();
    project
        .rcompose(&["down", "--remove-orphans", "--timeout", "0", "web"])
        .success();
    assert!(shown(&project, &[]).contains(&project.container("words", 1)));
    project.down();
}

#[test]
fn underscores_where_compatibility_is_asked_for() {
    let project = shop("shopcompat", free_port());
    project
        .rcompose(&["--compatibility", "up", "--detach"])
        .success();
    let names = shown(&project, &[]);
    let wanted = ["db", "web", "words"].map(|service| format!("{}_{service}_1", project.name));
    assert_eq!(names, wanted);
    project.down();
}

#[test]
fn rm_stops_and_removes_those_it_is_given_or_all() {
    let project = Project::new("rm", TWO);
    project.rcompose(&["up", "--detach"]).success();
    project
        .rcompose(&["rm", "--stop", "--force", "one"])
        .success()
        .says("Removed");
    assert_eq!(shown(&project, &["--all"]), [project.container("two", 1)]);
    project.rcompose(&["up", "--detach"]).success();
    project.rcompose(&["rm", "--stop", "--force"]).success();
    assert_eq!(shown(&project, &["--all"]), Vec::<String>::new());
    project.down();
}

#[test]
fn the_file_is_found_above_the_project_directory() {
    let project = Project::new("above", TWO);
    std::fs::create_dir(project.path().join("deep")).expect("the folder is ours");
    project
        .rcompose(&["--project-directory", "deep", "up", "--detach"])
        .success()
        .says("Started");
    project
        .rcompose(&["-p", &project.name, "down", "--timeout", "0"])
        .success()
        .says("Removed");
    project.assert_nothing_left();
}

#[test]
fn a_service_waits_for_one_that_ends() {
    let project = Project::new(
        "initc",
        r"
services:
  foo: {image: IMAGE, command: echo hello}
  bar:
    image: IMAGE
    command: echo world
    depends_on: {foo: {condition: service_completed_successfully}}
",
    );
    let up = project
        .rcompose(&["--ansi", "never", "up"])
        .success()
        .stdout;
    let first = up.find("foo-1  | hello").expect("foo said hello");
    let second = up.find("bar-1  | world").expect("bar said world");
    assert!(first < second, "{up}");
    project.down();
}

#[test]
fn a_container_that_restarts_is_shown_each_time() {
    let project = Project::new(
        "attachre",
        "services: {failing: {image: IMAGE, command: sh -c 'sleep 0.1; echo world; exit 1', restart: 'on-failure:2'}}",
    );
    let up = project.start(&["--ansi=never", "up"]);
    eventually(30, "it ends three times", || {
        let ends = up.stdout().matches("failing-1 exited with code 1").count();
        (ends == 3).then_some(())
    });
    let up = up.finish();
    let lines = up.stdout.matches("failing-1  | world").count();
    assert_eq!(lines, 3, "{up:?}");
    project.down();
}

#[test]
fn attached_dependencies_are_shown_until_they_end() {
    let project = Project::new(
        "stopdeps",
        r"
services:
  foo: {image: IMAGE, command: echo hello, depends_on: [bar]}
  bar: {image: IMAGE, command: echo bar, scale: 2}
",
    );
    let up = project
        .rcompose(&["up", "--attach-dependencies", "foo"])
        .success();
    assert!(up.stdout.contains("exited with code 0"), "{up:?}");
    assert!(up.stdout.contains("bar-2  | bar"), "{up:?}");
    project.down();
}

#[test]
fn config_shows_the_project_as_it_is_understood() {
    let project = Project::new("cfg", "services: {web: {build: ./web}}");
    project.file("web/Dockerfile", "FROM IMAGE\n");
    let config = project.rcompose(&["config"]).success().stdout;
    let (name, folder) = (&project.name, project.path().display());
    assert_eq!(
        config,
        format!(
            "name: {name}\nservices:\n  web:\n    build:\n      context: {folder}/web\n      dockerfile: Dockerfile\n    networks:\n      default: null\nnetworks:\n  default:\n    name: {name}_default\n"
        )
    );
    project.file(
        "compose.yaml",
        "services: {web: {build: {context: ./web, dockerfile: '${RECIPE}'}}}",
    );
    let config = project
        .rcompose(&["config", "--no-interpolate"])
        .success()
        .stdout;
    assert!(
        config.contains(&format!(
            "context: {folder}/web\n      dockerfile: ${{RECIPE}}\n"
        )),
        "{config}"
    );
}

#[test]
fn an_env_file_says_which_compose_files_and_profiles() {
    let project = Project::empty("dotenv");
    project.file(
        ".env",
        "COMPOSE_FILE=\"${COMPOSE_FILE:-dev/compose.yaml}\"\nNAME=test\nCOMPOSE_PROFILES=test\n",
    );
    project.file(
        "dev/.env",
        "NAME=\"${NAME:-backend}\"\nTAG=\"${TAG:-latest}\"\n",
    );
    project.file(
        "dev/compose.yaml",
        "services: {backend: {image: '$NAME:$TAG'}, test: {image: 'enabled:profile', profiles: [test]}}",
    );
    let config = project.rcompose(&["config"]).success().stdout;
    for image in ["image: test:latest", "image: enabled:profile"] {
        assert!(config.contains(image), "{image}: {config}");
    }
    // The folder itself says nothing of profiles.
    let config = ["--project-directory", "dev", "config"];
    let config = project.rcompose(&config).success().stdout;
    assert!(config.contains("image: backend:latest"), "{config}");

    project.file(
        "other.env",
        "COMPOSE_FILE=dev/compose.yaml\nNAME=test\nTAG=latest\nCOMPOSE_PROFILES=test\n",
    );
    let config = ["--env-file", "other.env", "config"];
    let config = project.rcompose(&config).success().stdout;
    for image in ["image: test:latest", "image: enabled:profile"] {
        assert!(config.contains(image), "{image}: {config}");
    }
}

#[test]
fn env_files_of_the_folder_and_of_the_project_are_read() {
    let project = Project::new(
        "nested",
        "services: {echo: {image: IMAGE, command: 'echo $ROOT $SUB win=$WIN'}}",
    );
    project.file(".env", "ROOT=root\nWIN=root\n");
    project.file("sub/.env", "SUB=sub\nWIN=sub\n");
    let run = |folder: &str| {
        let mut command = project.command(rcompose(), &["run", "--rm", "-T", "echo"]);
        command.current_dir(project.path().join(folder));
        start(command).finish().success().stdout
    };
    assert_eq!(run("."), "root win=root\n");
    assert_eq!(run("sub"), "root sub win=sub\n");
    project.down();
}

#[test]
fn what_is_external_has_to_be_there_only_where_it_is_used() {
    let project = Project::new(
        "unneeded",
        r"
services:
  test: {image: IMAGE, command: demo sleep}
  other: {image: IMAGE, command: demo sleep, networks: {away: {ipv4_address: 8.8.8.8}}}
networks:
  away: {external: true, name: not_there}
",
    );
    project
        .rcompose(&["up", "--detach"])
        .code(1)
        .says("network not_there declared as external, but could not be found");
    project.rcompose(&["up", "--detach", "test"]).success();
    project.down();
}
