//! `scale` and `up --scale`.

use super::look::containers;
use crate::support::process::Outcome;
use crate::support::project::Project;

const COMPOSE: &str = r"
services:
  back: {image: IMAGE, command: demo sleep, stop_grace_period: 0s, depends_on: [db]}
  db: {image: IMAGE, command: demo sleep, stop_grace_period: 0s, environment: [MAYBE]}
  front: {image: IMAGE, command: demo sleep, stop_grace_period: 0s, deploy: {replicas: 2}}
  admin: {image: IMAGE, command: demo sleep, stop_grace_period: 0s, deploy: {replicas: 0}}
";

/// How many lines of progress say `what` of containers of `service`.
fn lines(project: &Project, said: &Outcome, service: &str, what: &str) -> usize {
    let container = format!("{}-{service}-", project.name);
    let lines = said.stderr.lines();
    lines
        .filter(|line| line.contains(&container) && line.contains(what))
        .count()
}

fn names(project: &Project, service: &str, numbers: &[u32]) -> Vec<String> {
    let number = |number: &u32| project.container(service, *number);
    numbers.iter().map(number).collect()
}

#[test]
fn one_and_several_services_up_and_down() {
    let project = Project::new("scaling", COMPOSE);
    project.rcompose(&["up", "-d"]).success();
    let scale = |wanted: &[&str]| project.rcompose(&[&["scale"], wanted].concat()).success();

    let said = scale(&["admin=2"]);
    assert_eq!(lines(&project, &said, "admin", "Started"), 2, "{said:?}");

    let said = scale(&["front=3", "back=2"]);
    assert_eq!(lines(&project, &said, "front", "Running"), 2, "{said:?}");
    assert_eq!(lines(&project, &said, "front", "Started"), 1, "{said:?}");
    assert_eq!(lines(&project, &said, "back", "Running"), 1, "{said:?}");
    assert_eq!(lines(&project, &said, "back", "Started"), 1, "{said:?}");

    let said = scale(&["admin=1"]);
    assert_eq!(lines(&project, &said, "admin", "Running"), 1, "{said:?}");
    assert_eq!(scale(&["admin=0"]).stdout, "");
    assert_eq!(
        containers(&project, &["--all", "admin"]),
        Vec::<String>::new()
    );

    let said = scale(&["front=2", "back=1"]);
    assert_eq!(lines(&project, &said, "front", "Running"), 2, "{said:?}");
    assert_eq!(lines(&project, &said, "front-3", "Running"), 0, "{said:?}");
    assert_eq!(lines(&project, &said, "back", "Running"), 1, "{said:?}");
    assert_eq!(
        containers(&project, &["front"]),
        names(&project, "front", &[1, 2])
    );
    project.down();
}

#[test]
fn dependencies_keep_their_number_when_left_out() {
    let project = Project::new("scaledeps", COMPOSE);
    project.rcompose(&["up", "-d", "--scale", "db=2"]).success();
    assert_eq!(
        containers(&project, &["db"]),
        names(&project, "db", &[1, 2])
    );
    project
        .rcompose(&["scale", "--no-deps", "back=2"])
        .success();
    assert_eq!(
        containers(&project, &["back"]),
        names(&project, "back", &[1, 2])
    );
    assert_eq!(
        containers(&project, &["db"]),
        names(&project, "db", &[1, 2])
    );
    project.rcompose(&["scale", "back=2"]).success();
    assert_eq!(
        containers(&project, &["back"]),
        names(&project, "back", &[1, 2])
    );
    assert_eq!(containers(&project, &["db"]).len(), 1);
    project.down();
}

#[test]
fn numbers_are_taken_again_and_nothing_is_recreated() {
    let project = Project::new("scalenumbers", COMPOSE);
    let db = |count: &str| {
        project
            .rcompose(&["up", "-d", "--scale", count, "db"])
            .success()
    };
    for (count, numbers) in [("db=2", &[1, 2][..]), ("db=1", &[1]), ("db=2", &[1, 2])] {
        let said = db(count);
        assert!(!said.stderr.contains("Recreated"), "{said:?}");
        assert_eq!(
            containers(&project, &["db"]),
            names(&project, "db", numbers)
        );
    }
    project.down();
}

#[test]
fn changed_replicas_go_first() {
    let mut project = Project::new("scaleobsolete", COMPOSE);
    project.rcompose(&["up", "-d", "db"]).success();
    assert_eq!(containers(&project, &["db"]), names(&project, "db", &[1]));
    project.set("MAYBE", "value");
    for (count, numbers) in [("db=2", &[1, 2][..]), ("db=1", &[1])] {
        project
            .rcompose(&["up", "-d", "--scale", count, "db"])
            .success();
        assert_eq!(
            containers(&project, &["db"]),
            names(&project, "db", numbers)
        );
    }
    let db = project.engine().inspect(&project.container("db", 1));
    assert!(
        db["Config"]["Env"].to_string().contains("MAYBE=value"),
        "{db}"
    );
    project.down();
}

#[test]
fn replicas_of_an_old_image_go_first() {
    let project = Project::new(
        "scaleimage",
        "services: {test: {build: ., command: demo sleep, stop_grace_period: 0s}}",
    );
    project.file(
        "Dockerfile",
        "FROM IMAGE\nARG VERSION\nRUN echo $VERSION >/version\n",
    );
    let build = |version: &str| {
        let argument = format!("VERSION={version}");
        project
            .rcompose(&["build", "--quiet", "--build-arg", &argument])
            .success();
    };
    build("one");
    project
        .rcompose(&["up", "-d", "--scale", "test=2"])
        .success();
    build("two");
    let more = ["up", "-d", "--scale", "test=4", "--no-recreate"];
    project.rcompose(&more).success();
    let all = containers(&project, &["test"]);
    assert_eq!(all, names(&project, "test", &[1, 2, 3, 4]));
    project
        .rcompose(&["up", "-d", "--scale", "test=2"])
        .success();
    assert_eq!(
        containers(&project, &["test"]),
        names(&project, "test", &[3, 4])
    );
    project
        .rcompose(&["down", "--rmi", "local", "--timeout", "0"])
        .success();
    project.assert_nothing_left();
}
