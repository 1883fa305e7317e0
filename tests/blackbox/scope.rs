//! What a project takes as its own, what it makes, and what it leaves to others.

use crate::support::project::Project;

const PROFILES: &str = r"
services:
  web: {image: IMAGE, command: demo sleep, stop_grace_period: 0s}
  debug: {image: IMAGE, command: demo sleep, stop_grace_period: 0s, profiles: [dev]}
";

#[test]
fn only_what_the_chosen_services_use_is_made() {
    let project = Project::new(
        "used",
        r"
services:
  web: {image: IMAGE, command: demo sleep, networks: [front], volumes: ['pages:/pages']}
  db: {image: IMAGE, command: demo sleep, networks: [back], volumes: ['data:/data'], configs: [missing]}
networks: {front: {}, back: {}, unused: {}}
volumes: {pages: {}, data: {}, unused: {}}
configs: {missing: {external: true}}
",
    );
    project.rcompose(&["up", "-d", "web"]).success();
    let wanted = [
        format!("container {}", project.container("web", 1)),
        format!("network {}_front", project.name),
        format!("volume {}_pages", project.name),
    ];
    assert_eq!(project.left(), wanted);
    project.down();
}

#[test]
fn a_network_of_something_else_is_an_error() {
    let project = Project::new("strangenet", PROFILES);
    let name = format!("{}_default", project.name);
    let label = format!("com.docker.compose.project={}", project.name);
    let other = ["--label", "com.docker.compose.network=other"];
    let create = [
        &["network", "create", "--label", &label],
        &other[..],
        &[&name],
    ]
    .concat();
    project.engine().docker(&create);
    let refused = project.rcompose(&["up", "-d"]).code(1);
    refused.says("was found but has incorrect label com.docker.compose.network set to \"other\"");
    assert_eq!(project.left(), [format!("network {name}")]);
    project.engine().docker(&["network", "rm", &name]);
}

#[test]
fn a_network_without_the_project_is_used_with_a_warning() {
    let project = Project::new("barenet", PROFILES);
    let name = format!("{}_default", project.name);
    let label = "com.docker.compose.network=default";
    let create = ["network", "create", "--label", label, &name];
    project.engine().docker(&create);
    let up = project.rcompose(&["up", "-d"]).success();
    assert!(
        up.stderr.contains(&name) && up.stderr.contains("external: true"),
        "{up:?}"
    );
    let web = project.engine().inspect(&project.container("web", 1));
    assert!(
        web["NetworkSettings"]["Networks"][&name].is_object(),
        "{web}"
    );
    project.rcompose(&["down", "--timeout", "0"]).success();
    project
        .engine()
        .docker(&["network", "rm", "--force", &name]);
    project.assert_nothing_left();
}

#[test]
fn down_keeps_one_offs_and_the_network_they_are_in() {
    let project = Project::new("keptoneoff", PROFILES);
    project.rcompose(&["up", "-d"]).success();
    project.rcompose(&["run", "-d", "web"]).success();
    let down = project.rcompose(&["down", "--timeout", "0"]).success();
    down.says("Resource is still in use");
    let left = project.left();
    let one_off = format!("container {}-web-run-", project.name);
    assert!(left.len() == 2 && left[0].starts_with(&one_off), "{left:?}");
    project
        .rcompose(&["down", "--remove-orphans", "--timeout", "0"])
        .success();
    project.assert_nothing_left();
}

#[test]
fn services_of_other_profiles_are_no_orphans() {
    let project = Project::new("profileorphan", PROFILES);
    project
        .rcompose(&["--profile", "dev", "up", "-d"])
        .success();
    let before = project.container_ids();
    let up = project
        .rcompose(&["up", "-d", "--remove-orphans"])
        .success();
    assert!(!up.stderr.contains("debug"), "{up:?}");
    assert_eq!(project.container_ids(), before);
    project
        .rcompose(&["--profile", "dev", "down", "--timeout", "0"])
        .success();
    project.assert_nothing_left();
}
