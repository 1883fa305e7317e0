//! `--parallel` and `COMPOSE_PARALLEL_LIMIT` limit everything that is done side by side; variables about orphans.

use crate::support::events::Event;
use crate::support::project::Project;

const COMPOSE: &str = r"
services:
  web:
    image: IMAGE
    command: sh -c 'trap true TERM; sleep 1000 & wait; sleep 0.5'
    scale: 4
    stop_grace_period: 20s
";

/// The most containers that were between these two actions at the same time.
fn overlap(events: &[Event], begin: &str, end: &str) -> usize {
    let (mut open, mut most) = (0_usize, 0);
    for event in events {
        if event.action == begin {
            open += 1;
            most = most.max(open);
        } else if event.action == end {
            open = open.saturating_sub(1);
        }
    }
    most
}

#[test]
fn the_limit_holds_for_stopping_too() {
    for (limit, most) in [(Some("1"), 1), (Some("2"), 2), (None, 4)] {
        let mut project = Project::new("parallel", COMPOSE);
        project.rcompose(&["up", "--detach"]).success();
        if let Some(limit) = limit {
            project.set("COMPOSE_PARALLEL_LIMIT", limit);
        }
        project.rcompose(&["stop"]).success();
        let events = project.engine().events.of(&project.name);
        assert_eq!(
            overlap(&events, "kill", "die"),
            most,
            "{limit:?}: {events:#?}"
        );
        project.down();
    }
}

#[test]
fn the_limit_holds_for_builds() {
    let project = Project::new(
        "parallelbuild",
        r"
services:
  a: {build: {context: ., dockerfile_inline: 'FROM IMAGE'}}
  b: {build: {context: ., dockerfile_inline: 'FROM IMAGE'}}
  c: {build: {context: ., dockerfile_inline: 'FROM IMAGE'}}
",
    );
    let built = project.rcompose(&["--parallel", "1", "--progress", "plain", "build"]);
    let built = built.success();
    let steps: Vec<&str> = built
        .stderr
        .lines()
        .map(str::trim)
        .filter(|line| line.ends_with("Building") || line.ends_with("Built"))
        .collect();
    let ends: Vec<bool> = steps.iter().map(|line| line.ends_with("Built")).collect();
    assert_eq!(ends, [false, true, false, true, false, true], "{built:#?}");
    for service in ["a", "b", "c"] {
        let image = format!("{}-{service}", project.name);
        project.engine().docker(&["image", "rm", &image]);
    }
}

#[test]
fn orphans_are_removed_or_passed_over_as_the_environment_says() {
    let both = "services: {web: {image: IMAGE, command: demo sleep, stop_grace_period: 0s}, old: {image: IMAGE, command: demo sleep, stop_grace_period: 0s}}";
    let one = "services: {web: {image: IMAGE, command: demo sleep, stop_grace_period: 0s}}";
    let mut project = Project::new("leftenv", both);
    project.rcompose(&["up", "--detach"]).success();
    project.file("compose.yaml", one);
    let told = project.rcompose(&["up", "--detach"]).success();
    assert!(told.stderr.contains("found orphan"), "{told:?}");
    project.set("COMPOSE_IGNORE_ORPHANS", "true");
    let told = project.rcompose(&["up", "--detach"]).success();
    assert!(!told.stderr.contains("found orphan"), "{told:?}");
    project.set("COMPOSE_IGNORE_ORPHANS", "false");
    project.set("COMPOSE_REMOVE_ORPHANS", "true");
    project.rcompose(&["up", "--detach"]).success();
    assert_eq!(project.container_ids().len(), 1);
    project.down();
}
