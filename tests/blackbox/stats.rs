//! `stats`.

use nix::sys::signal::Signal;

use crate::support::eventually;
use crate::support::project::Project;

const COMPOSE: &str = r#"
services:
  web:
    image: IMAGE
    command: demo sleep
  busy:
    image: IMAGE
    command: [sh, -c, "while :; do :; done"]
    stop_grace_period: 0s
  ended:
    image: IMAGE
    command: "true"
"#;

#[test]
fn stats_once() {
    let project = Project::new("stats", COMPOSE);
    project.rcompose(&["up", "--detach"]).success();
    let ended = project.container("ended", 1);
    eventually(30, "one has ended", || {
        let state = &project.engine().inspect(&ended)["State"];
        (state["Running"] == false).then_some(())
    });
    let table = project.rcompose(&["stats", "--no-stream"]).success();
    let lines: Vec<_> = table.stdout.lines().collect();
    assert!(lines[0].starts_with("CONTAINER ID   NAME "), "{table:?}");
    let titles = [
        "CPU %",
        "MEM USAGE / LIMIT",
        "MEM %",
        "NET I/O",
        "BLOCK I/O",
        "PIDS",
    ];
    assert!(
        titles.iter().all(|title| lines[0].contains(title)),
        "{table:?}"
    );
    assert_eq!(lines.len(), 3, "{table:?}");
    assert!(lines[1].contains(&project.container("busy", 1)));
    let json = project
        .rcompose(&[
            "stats",
            "--no-stream",
            "--no-trunc",
            "--format",
            "json",
            "busy",
        ])
        .success();
    let stat: serde_json::Value = serde_json::from_str(&json.stdout).expect("one object");
    let id = project.engine().inspect(&project.container("busy", 1))["Id"].clone();
    assert_eq!(stat["ID"], id);
    assert_eq!(stat["PIDs"], "1");
    let share = stat["CPUPerc"]
        .as_str()
        .and_then(|text| text.strip_suffix('%'));
    let share: f64 = share.and_then(|text| text.parse().ok()).expect("a share");
    assert!(share > 1.0, "{stat}");
    assert!(
        !stat["MemUsage"]
            .as_str()
            .unwrap_or("0B /")
            .starts_with("0B /"),
        "{stat}"
    );
    let all = project
        .rcompose(&[
            "stats",
            "-a",
            "--no-stream",
            "--format",
            "{{.Name}} {{.PIDs}}",
        ])
        .success();
    let ended = format!("{ended} 0\n");
    assert!(all.stdout.contains(&ended), "{all:?}");
    project
        .rcompose(&["stats", "--no-stream", "--format", "{{.Nothing}}"])
        .code(1);
    project.down();
}

#[test]
fn stats_follow_containers_that_come_and_go() {
    let project = Project::new("statsf", COMPOSE);
    project.rcompose(&["up", "--detach", "web"]).success();
    let stats = project.start(&["stats", "--format", "{{.Name}} {{.CPUPerc}}"]);
    let web = project.container("web", 1);
    stats.wait_for_stdout(&format!("{web} 0."));
    project.rcompose(&["up", "--detach", "busy"]).success();
    let busy = project.container("busy", 1);
    stats.wait_for_stdout(&format!("{busy} "));
    project.rcompose(&["stop", "web"]).success();
    eventually(30, "only the other one is shown", || {
        let said = stats.stdout();
        let last: Vec<_> = said.lines().rev().take(2).collect();
        last.iter()
            .all(|line| line.starts_with(&busy))
            .then_some(())
    });
    stats.signal(Signal::SIGTERM);
    assert_eq!(stats.finish().code, 143);
    // On a terminal the table is drawn over itself.
    let drawn = project.start_on_terminal(&["stats"]);
    drawn.wait_for_stdout("\u{1b}[H");
    drawn.wait_for_stdout("CONTAINER ID");
    drop(drawn);
    project.down();
}
