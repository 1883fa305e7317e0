//! `run` builds each image once.

use crate::support::project::Project;

/// A service whose image says in its build which one it is.
fn service(name: &str, rest: &str) -> String {
    format!(
        "  {name}:\n    pull_policy: build\n    build: {{dockerfile_inline: \"FROM rcompose-fixtures/busybox:1\\nRUN echo ${{COMPOSE_PROJECT_NAME}} made {name} at $$(date +%s)\"}}\n{rest}"
    )
}

/// Runs `app`, and checks that each of `built` was built once and the program ran.
#[track_caller]
fn run(project: &Project, built: &[&str]) {
    let run = ["--progress", "plain", "run", "--build", "--rm", "app"];
    let run = project.rcompose(&run).success();
    for service in built {
        // What the step says, with the digits of the time after it.
        let mark = format!("made {service} at ");
        let said = format!("{}{}", run.stdout, run.stderr);
        let builds = said.split(&mark).skip(1);
        let builds = builds.filter(|rest| rest.starts_with(|first: char| first.is_ascii_digit()));
        assert_eq!(builds.count(), 1, "builds of {service}: {run:?}");
    }
    assert!(run.stdout.ends_with("running\n"), "{run:?}");
    project
        .rcompose(&["down", "--timeout", "0", "--rmi", "local"])
        .success();
    project.assert_nothing_left();
}

#[test]
fn of_a_dependency() {
    let db = service("db", "    command: demo sleep\n");
    let project = Project::new(
        "oncedep",
        &format!(
            "services:\n{db}  app: {{image: IMAGE, command: echo running, depends_on: [db]}}\n"
        ),
    );
    run(&project, &["db"]);
}

#[test]
fn of_dependencies_of_dependencies() {
    let db = service("db", "    command: demo sleep\n");
    let api = service("api", "    command: demo sleep\n    depends_on: [db]\n");
    let app = service("app", "    command: echo running\n    depends_on: [api]\n");
    let project = Project::new("oncenested", &format!("services:\n{db}{api}{app}"));
    run(&project, &["db", "api", "app"]);
}

#[test]
fn of_the_service_itself() {
    let app = service("app", "    command: echo running\n");
    let project = Project::new("onceself", &format!("services:\n{app}"));
    run(&project, &["app"]);
}
