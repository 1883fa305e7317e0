//! `up --no-deps` of a service that shares what its dependency has.

use crate::support::project::Project;

fn without_the_dependency(topic: &str, shared: &str, complaint: &str) {
    let project = Project::new(
        topic,
        &format!(
            "services:\n  app: {{image: IMAGE, command: demo sleep, {shared}}}\n  db: {{image: IMAGE, command: demo sleep, volumes: [/var/data]}}\n"
        ),
    );
    project.rcompose(&["up", "-d"]).success();
    let app = ["up", "--no-deps", "-d", "app"];
    project.rcompose(&app).success();
    let db = project.container("db", 1);
    project
        .engine()
        .docker(&["rm", "--force", "--volumes", &db]);
    project.rcompose(&app).code(1).says(complaint);
    project.down();
}

#[test]
fn volumes_of_another_service() {
    let complaint = "cannot share volume with service db: container missing";
    without_the_dependency("nodepsvol", "volumes_from: [db]", complaint);
}

#[test]
fn the_network_of_another_service() {
    let complaint = "cannot share network namespace with service db: container missing";
    without_the_dependency("nodepsnet", "network_mode: 'service:db'", complaint);
}
