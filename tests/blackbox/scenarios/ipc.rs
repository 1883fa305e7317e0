//! Shared memory of other containers.

use crate::support::project::Project;

#[test]
fn of_a_service_and_of_a_container_of_somebody_else() {
    let mut project = Project::new(
        "ipc",
        r"
services:
  service: {image: IMAGE, command: demo sleep, ipc: 'service:shareable'}
  container: {image: IMAGE, command: demo sleep, ipc: 'container:${OTHER}'}
  shareable: {image: IMAGE, command: demo sleep, ipc: shareable}
",
    );
    let other = format!("{}-other", project.name);
    project.set("OTHER", &other);
    let image = crate::support::project::IMAGE;
    let run = [
        "run",
        "--detach",
        "--rm",
        "--ipc=shareable",
        "--name",
        &other,
        image,
        "demo",
        "sleep",
    ];
    let engine = project.engine();
    let id = engine.docker(&run);
    project.rcompose(&["up", "--detach"]).success();
    let ps = project.rcompose(&["ps"]).success();
    assert!(ps.stdout.contains("shareable"), "{ps:?}");
    let inspect = |service| engine.inspect(&project.container(service, 1));
    let mode = |service| inspect(service)["HostConfig"]["IpcMode"].clone();
    assert_eq!(mode("shareable"), "shareable");
    let shareable = inspect("shareable")["Id"].clone();
    let shareable = shareable.as_str().expect("an id");
    assert_eq!(mode("service"), format!("container:{shareable}"));
    assert_eq!(mode("container"), format!("container:{id}"));
    project.down();
    engine.docker(&["rm", "--force", &other]);
}
