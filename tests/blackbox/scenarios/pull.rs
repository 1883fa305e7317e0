//! `pull` from a registry.

use crate::support::project::Project;
use crate::support::registry::Registry;

/// A project whose services have these images of `registry`, `HOST` standing for the registry's address.
fn project(topic: &str, registry: &Registry, services: &[(&str, &str)]) -> Project {
    let line = |(name, rest): &(&str, &str)| format!("  {name}: {{{rest}, command: demo sleep}}");
    let lines: Vec<String> = services.iter().map(line).collect();
    let compose = format!("services:\n{}\n", lines.join("\n"));
    Project::new(topic, &compose.replace("HOST", &registry.host))
}

fn forget(project: &Project, registry: &Registry, images: &[&str]) {
    for image in images {
        let image = format!("{}/{image}", registry.host);
        project.engine().docker(&["image", "rm", &image]);
    }
}

#[test]
fn every_image_every_time() {
    let registry = Registry::start(&[]);
    registry.add("shop/simple", "1");
    registry.add("shop/another", "1");
    let services = [
        ("simple", "image: HOST/shop/simple:1"),
        ("another", "image: HOST/shop/another:1"),
    ];
    let project = project("pull", &registry, &services);
    for _ in 0..2 {
        let said = project.rcompose(&["pull"]).success();
        for service in ["simple", "another"] {
            assert!(
                said.stderr.contains(&format!("{service} Pulled")),
                "{said:?}"
            );
        }
    }
    forget(&project, &registry, &["shop/simple:1", "shop/another:1"]);
}

#[test]
fn an_image_of_two_services_once() {
    let registry = Registry::start(&[]);
    registry.add("shop/both", "1");
    let services = [
        ("another", "image: HOST/shop/both:1"),
        ("simple", "image: HOST/shop/both:1"),
    ];
    let project = project("pullonce", &registry, &services);
    let said = project.rcompose(&["pull"]).success();
    let skipped = ["another", "simple"].map(|first| {
        said.stderr.contains(&format!("{first} Pulled"))
            && said.stderr.contains(&format!(
                "Skipped - Image is already being pulled by {first}"
            ))
    });
    assert!(skipped[0] != skipped[1], "{said:?}");
    assert_eq!(registry.pulls("shop/both"), 1);
    forget(&project, &registry, &["shop/both:1"]);
}

#[test]
fn what_is_there_is_skipped_unless_it_is_the_latest() {
    let registry = Registry::start(&[]);
    registry.add("shop/simple", "1");
    registry.add("shop/moving", "latest");
    let services = [
        ("simple", "image: HOST/shop/simple:1, pull_policy: missing"),
        (
            "moving",
            "image: HOST/shop/moving:latest, pull_policy: missing",
        ),
    ];
    let project = project("pullmissing", &registry, &services);
    project.rcompose(&["pull"]).success();
    let said = project.rcompose(&["pull"]).success();
    for wanted in [
        "simple Skipped - Image is already present locally",
        "moving Pulled",
    ] {
        assert!(said.stderr.contains(wanted), "{wanted}: {said:?}");
    }
    forget(
        &project,
        &registry,
        &["shop/simple:1", "shop/moving:latest"],
    );
}

#[test]
fn a_service_without_an_image_is_skipped() {
    let project = Project::new("pullnothing", "services: {built: {build: .}}");
    let said = project.rcompose(&["pull"]).success();
    said.says("Skipped - No image to be pulled");
}

#[test]
fn what_cannot_be_pulled_is_told_or_ignored() {
    let registry = Registry::start(&["shop/closed", "shop/own"]);
    registry.add("shop/simple", "1");
    let services = [
        ("fail", "image: HOST/shop/closed"),
        ("can_build", "image: HOST/shop/own, build: ."),
        ("valid", "image: HOST/shop/simple:1"),
    ];
    let project = project("pullfail", &registry, &services);
    project.rcompose(&["pull"]).code(1).says("denied");
    let said = project
        .rcompose(&["pull", "--ignore-pull-failures"])
        .success();
    said.says("build can_build");
    forget(&project, &registry, &["shop/simple:1"]);
}
