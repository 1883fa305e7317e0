//! Ctrl-C while an image is built.

use nix::sys::signal::Signal;

use crate::support::eventually;
use crate::support::project::Project;

#[test]
fn a_build_is_left_with_the_code_of_the_signal() {
    let project = Project::new(
        "buildcancel",
        "services: {app: {build: {dockerfile_inline: \"FROM rcompose-fixtures/busybox:1\\nRUN echo begins; sleep 1000\"}}}",
    );
    let build = project.start(&["build", "--progress", "plain"]);
    eventually(60, "the step runs", || {
        let said = build.stdout() + &build.stderr();
        said.contains("RUN echo begins; sleep 1000").then_some(())
    });
    build.signal(Signal::SIGINT);
    let build = build.finish().code(130);
    assert!(build.took < std::time::Duration::from_secs(60), "{build:?}");
    project.assert_nothing_left();
}
