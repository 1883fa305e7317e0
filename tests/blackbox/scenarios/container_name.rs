//! Two services that want the same name.

use crate::support::project::Project;

#[test]
fn a_name_can_be_used_by_one_of_them_at_a_time() {
    let mut project = Project::new(
        "samename",
        r"
services:
  one: {image: IMAGE, container_name: '${NAME}', command: echo one}
  two: {image: IMAGE, container_name: '${NAME}', command: echo two}
",
    );
    let name = format!("{}-same", project.name);
    project.set("NAME", &name);
    project
        .rcompose(&["up"])
        .code(1)
        .says(&format!("container name \"{name}\" is already in use"));
    project.down();
    for service in ["one", "two"] {
        let up = project.rcompose(&["up", service]).success();
        assert!(up.stdout.contains(service), "{up:?}");
        project.down();
    }
}
