//! Services that exist only where they are asked for.

use crate::support::project::Project;

const COMPOSE: &str = r"
services:
  web: {image: IMAGE, command: demo sleep}
  debug: {image: IMAGE, command: demo sleep, profiles: [dev]}
  admin: {image: IMAGE, command: demo sleep, profiles: [ops], depends_on: [web]}
";

fn services(project: &Project) -> Vec<String> {
    let names = project.rcompose(&["ps", "--services"]).success().stdout;
    let mut names: Vec<String> = names.lines().map(ToOwned::to_owned).collect();
    names.sort();
    names
}

#[test]
fn only_with_their_profile() {
    let project = Project::new("profiles", COMPOSE);
    project.rcompose(&["up", "--detach"]).success();
    assert_eq!(services(&project), ["web"]);
    project
        .rcompose(&["--profile", "dev", "up", "--detach"])
        .success();
    assert_eq!(services(&project), ["debug", "web"]);
    project
        .rcompose(&["--profile", "*", "down", "--timeout", "0"])
        .success();
    project.assert_nothing_left();
}

#[test]
fn by_the_environment() {
    let mut project = Project::new("profilesenv", COMPOSE);
    project.set("COMPOSE_PROFILES", "dev,ops");
    project.rcompose(&["up", "--detach"]).success();
    assert_eq!(services(&project), ["admin", "debug", "web"]);
    project.down();
}

#[test]
fn naming_a_service_is_enough() {
    let project = Project::new("profilesname", COMPOSE);
    project.rcompose(&["up", "--detach", "admin"]).success();
    assert_eq!(services(&project), ["admin", "web"]);
    project
        .rcompose(&["--profile", "ops", "down", "--timeout", "0"])
        .success();
    project.assert_nothing_left();
}
