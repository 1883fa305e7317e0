//! `exec`.

use crate::support::eventually;
use crate::support::project::Project;

const COMPOSE: &str = "services: {web: {image: IMAGE, command: demo sleep}}";

#[test]
fn exit_codes_and_variables_of_the_shell() {
    let mut project = Project::new("execenv", COMPOSE);
    project.rcompose(&["up", "--detach"]).success();
    project.rcompose(&["exec", "web", "/bin/true"]).success();
    project.rcompose(&["exec", "web", "/bin/false"]).code(1);
    let environment = ["exec", "-e", "COLOUR", "web", "env"];
    let unset = project.rcompose(&environment).success();
    assert!(!unset.stdout.contains("COLOUR"), "{unset:?}");
    project.set("COLOUR", "red");
    let set = project.rcompose(&environment).success();
    assert!(set.stdout.contains("COLOUR=red"), "{set:?}");
    project.down();
}

#[test]
fn a_one_off_is_taken_where_the_service_has_no_other() {
    let project = Project::new("execoneoff", COMPOSE);
    project
        .rcompose(&["run", "--detach", "web", "demo", "tick", "once"])
        .success();
    let first = ["exec", "-T", "--index", "1", "web", "ps"];
    project
        .rcompose(&first)
        .code(1)
        .says("service \"web\" is not running container #1");
    let any = ["exec", "-T", "web", "ps"];
    let oneoff = project.rcompose(&any).success();
    assert!(oneoff.stdout.contains("demo tick once"), "{oneoff:?}");
    // As soon as the service runs, its own container is meant.
    project.rcompose(&["up", "--detach"]).success();
    eventually(60, "the service's container", || {
        let service = project.rcompose(&any).success();
        service.stdout.contains("demo sleep").then_some(())
    });
    project
        .rcompose(&["down", "--remove-orphans", "--timeout", "0"])
        .success();
    project.assert_nothing_left();
}
