//! Plans of `down`, `restart`, `stop` and `run`.

use super::*;

#[test]
fn down_takes_dependents_first_and_keeps_one_offs() {
    let project = project(CHAIN);
    let mut observed = running(&project);
    let one_off = {
        let mut container = observed.containers[0].clone();
        container.name = "p-web-run-1".to_owned();
        container.id = "f".repeat(64);
        container
            .labels
            .insert("com.docker.compose.oneoff".to_owned(), "True".to_owned());
        container
    };
    observed.containers.push(one_off);
    let settings = Settings::default();
    for scope in [Scope::of(&project), Scope::observed("p", &observed)] {
        let plan = down(&scope, &observed, &settings, &Down::default()).unwrap();
        assert_eq!(
            lines(&plan),
            [
                "stop container p-web-1 (requested)",
                "remove container p-web-1 (requested)",
                "stop container p-job-1 (requested)",
                "remove container p-job-1 (requested)",
                "stop container p-db-1 (requested)",
                "remove container p-db-1 (requested)",
                "remove network p_default (requested)",
            ]
        );
        let before = before(&plan, "stop container p-db-1");
        assert_eq!(before.len(), 2, "{before:?}");
    }
    let all = Down {
        remove_orphans: true,
        ..Down::default()
    };
    let plan = down(&Scope::of(&project), &observed, &settings, &all).unwrap();
    assert!(lines(&plan).contains(&"remove container p-web-run-1 (requested)".to_owned()));
}

#[test]
fn down_of_nothing() {
    let project = project("services: {web: {image: img}}");
    let settings = Settings::default();
    let quiet = down(&Scope::of(&project), &empty(), &settings, &Down::default()).unwrap();
    assert!(quiet.steps.is_empty() && quiet.warnings.is_empty());
    let scope = Scope::observed("p", &empty());
    let told = down(&scope, &empty(), &settings, &Down::default()).unwrap();
    assert_eq!(
        told.warnings[0].message,
        "no resource found to remove for project \"p\""
    );
}

#[test]
fn down_removes_images_of_the_asked_kind() {
    let project = project("services: {web: {image: img}, own: {build: {context: /c}}}");
    let mut observed = empty();
    observed.images.insert("p-own".to_owned(), Image::default());
    let removed = |images| {
        let options = Down {
            images,
            ..Down::default()
        };
        let scope = Scope::of(&project);
        lines(&down(&scope, &observed, &Settings::default(), &options).unwrap())
    };
    assert_eq!(
        removed(RemoveImages::Local),
        ["remove image p-own:latest (requested)"]
    );
    assert_eq!(removed(RemoveImages::All).len(), 2);
}

#[test]
fn restart_follows_dependents_that_ask_for_it() {
    let text = "
services:
  web: {image: img, depends_on: {db: {condition: service_healthy, restart: true}}}
  other: {image: img, depends_on: {db: {condition: service_started}}}
  db: {image: img, healthcheck: {test: [CMD, a]}}
";
    let project = project(text);
    let observed = running(&project);
    let options = |no_deps| Restart {
        services: vec!["db".to_owned()],
        no_deps,
        ..Restart::default()
    };
    for scope in [Scope::of(&project), Scope::observed("p", &observed)] {
        let plan = restart(&scope, &observed, &options(false)).unwrap();
        assert_eq!(
            lines(&plan),
            [
                "restart container p-db-1 (requested)",
                "wait service db to be healthy (needed by web)",
                "restart container p-web-1 (restarts with its dependency db)",
            ]
        );
        let alone = restart(&scope, &observed, &options(true)).unwrap();
        assert_eq!(lines(&alone), ["restart container p-db-1 (requested)"]);
    }
}

#[test]
fn stop_goes_against_the_dependencies_across_gaps() {
    let project = project(
        "
services:
  a: {image: img, depends_on: {b: {condition: service_started}}}
  b: {image: img, depends_on: {c: {condition: service_started}}}
  c: {image: img}
",
    );
    let mut observed = running(&project);
    let b = observed.containers.iter_mut().find(|c| c.name == "p-b-1");
    b.unwrap().state = State::Exited;
    let plan = stop(&Scope::of(&project), &observed, &Stop::default()).unwrap();
    assert_eq!(lines(&plan).len(), 3);
    assert_eq!(before(&plan, "stop container p-c-1").len(), 2);
}

#[test]
fn run_brings_up_dependencies_and_creates_a_one_off() {
    let project = project(CHAIN);
    let options = Run {
        service: "web".to_owned(),
        slug: "0123456789abcdef".repeat(4),
        command: vec!["sh".to_owned()],
        interactive: true,
        ..Run::default()
    };
    let settings = Settings::default();
    let plan = run(&project, &empty(), &settings, &options).unwrap();
    assert_eq!(
        lines(&plan),
        [
            "create network p_default (does not exist)",
            "create container p-db-1 (does not exist)",
            "create container p-job-1 (does not exist)",
            "start container p-db-1 (new)",
            "start container p-job-1 (new)",
            "wait service db to be healthy (needed by web)",
            "wait service job to complete successfully (needed by web)",
            "create container p-web-run-0123456789ab (requested)",
        ]
    );
    let alone = Run {
        no_deps: true,
        ..options
    };
    let plan = run(&project, &empty(), &settings, &alone).unwrap();
    assert_eq!(lines(&plan).len(), 2);
    let Action::Create(create) = &plan.steps.last().unwrap().action else {
        panic!("no create at the end");
    };
    assert_eq!(create.number, None);
    assert_eq!(
        create.service.command.as_deref(),
        Some(&["sh".to_owned()][..])
    );
}
