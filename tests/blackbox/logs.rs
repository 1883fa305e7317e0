//! What containers write, on the screen.

use nix::sys::signal::Signal;

use crate::support::eventually;
use crate::support::project::Project;

const TICKS: &str = r"
services:
  tick: {image: IMAGE, command: demo tick tick 100}
  tock: {image: IMAGE, command: sh -c 'echo out; echo err >&2; exec demo sleep'}
";

#[test]
fn each_line_says_whose_it_is() {
    let project = Project::new("logs", TICKS);
    project.rcompose(&["up", "--detach"]).success();
    eventually(60, "lines come", || {
        let logs = project.rcompose(&["logs", "--no-color"]).success().stdout;
        (logs.contains("tick-1  | tick 2\n") && logs.contains("tock-1  | err\n")).then_some(())
    });
    let plain = project
        .rcompose(&["logs", "--no-log-prefix", "tock"])
        .success()
        .stdout;
    let mut lines: Vec<&str> = plain.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["err", "out"]);
    project.rcompose(&["stop"]).success();
    let last = project
        .rcompose(&["logs", "--no-log-prefix", "--tail", "2", "tick"])
        .success()
        .stdout;
    assert_eq!(last.lines().count(), 2, "{last}");
    let stamped = project
        .rcompose(&[
            "logs",
            "--timestamps",
            "--no-log-prefix",
            "--tail",
            "1",
            "tick",
        ])
        .success()
        .stdout;
    assert!(
        stamped.starts_with("20") && stamped.contains('T'),
        "{stamped}"
    );
    let none = project
        .rcompose(&["logs", "--until", "2001-01-01T00:00:00Z"])
        .success()
        .stdout;
    assert_eq!(none, "");
    project.down();
}

#[test]
fn followed_across_a_restart_and_to_new_replicas() {
    let project = Project::new(
        "follow",
        "services: {tick: {image: IMAGE, command: sh -c 'echo begins; exec demo tick tick 200'}, other: {image: IMAGE, command: demo sleep}}",
    );
    project.rcompose(&["up", "--detach"]).success();
    let logs = project.start(&["logs", "--follow", "--no-color"]);
    logs.wait_for_stdout("tick-1   | begins");
    project
        .rcompose(&["restart", "--timeout", "0", "tick"])
        .success();
    eventually(60, "the restarted container's lines", || {
        (logs.stdout().matches("tick-1   | begins").count() == 2).then_some(())
    });
    project
        .rcompose(&["up", "--detach", "--scale", "tick=2"])
        .success();
    logs.wait_for_stdout("tick-2   | begins");
    let seen = logs.stdout();
    assert_eq!(
        seen.matches("tick-1   | begins").count(),
        2,
        "no line comes twice: {seen}"
    );
    logs.signal(Signal::SIGINT);
    logs.finish();
    project.down();
}

#[test]
fn following_ends_with_the_last_container() {
    let project = Project::new(
        "followend",
        "services: {job: {image: IMAGE, command: demo tick tick 100 10}}",
    );
    project.rcompose(&["up", "--detach"]).success();
    let logs = project.rcompose(&["logs", "--follow"]).success();
    assert!(logs.stdout.contains("tick 10"), "{logs:?}");
    project.down();
}

#[test]
fn up_shows_them_until_the_end() {
    let project = Project::new(
        "attached",
        "services: {job: {image: IMAGE, command: sh -c 'echo out; echo err >&2; exit 4'}}",
    );
    let up = project.rcompose(&["up"]);
    assert!(up.stdout.contains("job-1  | out\n"), "{up:?}");
    assert!(up.stderr.contains("job-1  | err\n"), "{up:?}");
    assert!(up.stdout.contains("job-1 exited with code 4"), "{up:?}");
    project.down();
}
