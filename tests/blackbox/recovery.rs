//! What was cut short or failed half-way is put right by the next command.

use nix::sys::signal::Signal;

use crate::support::eventually;
use crate::support::project::Project;

#[test]
fn a_replacement_that_was_cut_short() {
    let text = |argument: &str| {
        format!(
            "services: {{web: {{image: IMAGE, command: demo stubborn, environment: {{A: {argument}}}, stop_grace_period: 5s}}}}"
        )
    };
    let project = Project::new("cutshort", &text("one"));
    project.rcompose(&["up", "--detach"]).success();
    let old = project.container_ids();
    project.file("compose.yaml", &text("two"));
    let up = project.start(&["up", "--detach"]);
    eventually(60, "the replacement exists", || {
        (project.container_ids().len() == 2).then_some(())
    });
    up.signal(Signal::SIGKILL);
    up.finish();
    project.rcompose(&["up", "--detach"]).success();
    let now = project.container_ids();
    assert_eq!(now.len(), 1, "{now:?}");
    assert_ne!(now, old);
    let web = project.engine().inspect(&project.container("web", 1));
    assert_eq!(web["State"]["Running"], true);
    project.rcompose(&["up", "--detach"]).success();
    assert_eq!(project.container_ids(), now);
    project.rcompose(&["down", "--timeout", "0"]).success();
    project.assert_nothing_left();
}

#[test]
fn a_hook_that_failed_before_the_start() {
    let text = |code: u8| {
        format!(
            "services: {{web: {{image: rcompose-fixtures/busybox:1, command: [sleep, '100'], stop_grace_period: 1s, pre_start: [{{command: [sh, -c, 'echo why >&2; exit {code}']}}]}}}}"
        )
    };
    let project = Project::new("prestart", &text(9));
    project
        .rcompose(&["up", "--detach"])
        .code(1)
        .says("pre_start[0] exited with code 9: why");
    project.file("compose.yaml", &text(0));
    project.rcompose(&["up", "--detach"]).success();
    let web = project.engine().inspect(&project.container("web", 1));
    assert_eq!(web["State"]["Running"], true);
    project.file("compose.yaml", &text(9));
    project
        .rcompose(&["up", "--detach", "--force-recreate"])
        .code(1);
    project.rcompose(&["down"]).success();
    project.assert_nothing_left();
}
