//! `run`.

use std::io::Write as _;

use crate::support::eventually;
use crate::support::process::{Outcome, start};
use crate::support::project::{Project, free_port, rcompose};

const COMPOSE: &str = r"
services:
  back:
    image: IMAGE
    command: echo from the file
    depends_on: [db]
    networks: [backnet]
  db:
    image: IMAGE
    command: demo sleep
    networks: [backnet]
    volumes: ['data:/data']
  front:
    image: IMAGE
    networks: [frontnet]
networks: {frontnet: {}, backnet: {}}
volumes: {data: {}}
";

/// Names of the project's containers.
fn names(project: &Project) -> Vec<String> {
    let left = project.left();
    let names = left
        .iter()
        .filter_map(|line| line.strip_prefix("container "));
    names.map(ToOwned::to_owned).collect()
}

fn is_one_off(project: &Project, name: &str) -> bool {
    name.starts_with(&format!("{}-back-run-", project.name))
}

/// `down` of everything, one-offs included.
fn forget(project: &Project) {
    project
        .rcompose(&["down", "--volumes", "--timeout", "0", "--remove-orphans"])
        .success();
    project.assert_nothing_left();
}

#[test]
fn one_offs_are_kept_named_and_labelled_unless_asked() {
    let project = Project::new("runs", COMPOSE);
    let first = project.rcompose(&["run", "back"]).success();
    assert!(first.stdout.ends_with("from the file\n"), "{first:?}");
    assert!(!first.stderr.contains("orphan"), "{first:?}");
    let db = project.engine().inspect(&project.container("db", 1));
    assert_eq!(db["State"]["Running"], true);
    let all = names(&project);
    assert_eq!(
        all.len(),
        2,
        "neither front nor the service itself: {all:?}"
    );
    let one_off = all.iter().find(|name| is_one_off(&project, name));
    let one_off = project.engine().inspect(one_off.expect("a one-off"));
    assert_eq!(one_off["State"]["Status"], "exited");
    let labels = &one_off["Config"]["Labels"];
    assert_eq!(labels["com.docker.compose.project"], project.name.as_str());
    assert_eq!(labels["com.docker.compose.oneoff"], "True");
    let slug = labels["com.docker.compose.slug"].as_str().expect("a slug");
    let name = one_off["Name"].as_str().expect("a name");
    let short = name.rsplit_once('-').map_or("", |(_, short)| short);
    assert!(
        short.len() == 12 && slug.starts_with(short),
        "{name} {slug}"
    );

    // The one that is left is not of any service.
    let second = project
        .rcompose(&["run", "back", "echo", "once more"])
        .success();
    assert!(second.stdout.ends_with("once more\n"), "{second:?}");
    second.says("orphan");
    assert_eq!(names(&project).len(), 3);
    let removed = ["run", "--rm", "back", "echo", "again"];
    assert_eq!(project.rcompose(&removed).success().stdout, "again\n");
    assert_eq!(names(&project).len(), 3);
    forget(&project);
}

#[test]
fn volumes_ports_and_variables_of_the_command_line() {
    let (of_file, of_line) = (free_port(), free_port());
    let project = Project::new(
        "runline",
        &format!(
            "services: {{back: {{image: IMAGE, command: demo sleep, ports: ['{of_file}:80']}}}}"
        ),
    );
    project.file("there/file", "");
    project.file("run.env", "COLOUR=red\n");
    let folder = format!("{}:/here", project.path().join("there").display());
    for (arguments, said) in [
        (&["--volume", &folder, "back", "ls", "/here"][..], "file"),
        (
            &[
                "--env-from-file",
                "run.env",
                "back",
                "sh",
                "-c",
                "echo $COLOUR",
            ],
            "red",
        ),
        (
            &["--env", "COLOUR=blue", "back", "sh", "-c", "echo $COLOUR"],
            "blue",
        ),
    ] {
        let run = [&["run", "--rm", "-T"][..], arguments].concat();
        assert_eq!(project.rcompose(&run).success().stdout.trim_end(), said);
    }
    let ports = |arguments: &[&str]| {
        let run = [&["run", "--rm", "--detach"], arguments, &["back"]].concat();
        let name = project.rcompose(&run).success().stdout;
        let ports = project.engine().docker(&["port", name.trim()]);
        project
            .engine()
            .docker(&["stop", "--time", "0", name.trim()]);
        ports
    };
    let (of_file, of_line) = (of_file.to_string(), of_line.to_string());
    let published = ports(&["--publish", &format!("{of_line}:80")]);
    assert!(
        published.contains(&of_line) && !published.contains(&of_file),
        "{published}"
    );
    let published = ports(&["--service-ports"]);
    assert!(published.contains(&of_file), "{published}");
    // Stopped by somebody else, they are removed as well.
    eventually(60, "they are gone", || {
        names(&project).is_empty().then_some(())
    });
    project.down();
}

#[test]
fn containers_of_another_file_are_named_unless_told_not_to() {
    let mut project = Project::new("runlost", COMPOSE);
    project.file(
        "other.yaml",
        "services: {simple: {image: IMAGE, command: echo hi}}",
    );
    project
        .rcompose(&["-f", "other.yaml", "run", "simple"])
        .success();
    let run = ["run", "--rm", "back", "echo", "hello"];
    project.rcompose(&run).success().says("orphan");
    project.set("COMPOSE_IGNORE_ORPHANS", "True");
    let quiet = project.rcompose(&run).success();
    assert!(!quiet.stderr.contains("orphan"), "{quiet:?}");
    project.set("COMPOSE_IGNORE_ORPHANS", "False");
    project.set("COMPOSE_REMOVE_ORPHANS", "True");
    project
        .rcompose(&["down", "--volumes", "--timeout", "0"])
        .success();
    assert_eq!(names(&project), Vec::<String>::new());
    // The network of the other file is that file's.
    project.rcompose(&["-f", "other.yaml", "down"]).success();
    project.assert_nothing_left();
}

#[test]
fn only_what_it_needs_is_started() {
    let project = Project::new(
        "rundeps",
        r"
services:
  a: {image: IMAGE, command: echo a, depends_on: [shared]}
  b: {image: IMAGE, command: echo b, depends_on: [shared]}
  shared: {image: IMAGE, command: echo shared}
  alone:
    image: IMAGE
    command: echo alone
    depends_on: {off: {condition: service_healthy, required: false}}
  off: {image: IMAGE, command: demo sleep, profiles: [off]}
",
    );
    project.rcompose(&["up", "b"]).success();
    let mentions =
        |run: &Outcome, service: &str| run.stderr.contains(&project.container(service, 1));
    let run = project.rcompose(&["run", "--rm", "a"]).success();
    assert!(mentions(&run, "shared") && !mentions(&run, "b"), "{run:?}");
    let run = project
        .rcompose(&["run", "--rm", "--no-deps", "a"])
        .success();
    assert!(!mentions(&run, "shared") && !mentions(&run, "b"), "{run:?}");
    let run = project.rcompose(&["run", "--rm", "alone"]).success();
    assert_eq!(run.stdout, "alone\n");
    assert!(!mentions(&run, "off"), "{run:?}");
    forget(&project);
}

/// Runs with `input` on standard input.
fn piped(project: &Project, arguments: &[&str], input: &[u8]) -> Outcome {
    let (reader, mut writer) = std::io::pipe().expect("a pipe");
    writer.write_all(input).expect("there is room in it");
    drop(writer);
    let mut command = project.command(rcompose(), arguments);
    command.stdin(reader);
    start(command).finish()
}

#[test]
fn a_pipe_is_no_terminal() {
    let project = Project::new(
        "runpipe",
        "services: {cat: {image: IMAGE, command: cat}, tty: {image: IMAGE, command: \"sh -c 'if [ -t 0 ]; then echo terminal; else echo pipe; fi'\"}}",
    );
    let text = piped(&project, &["run", "--rm", "cat"], b"through\n").success();
    assert_eq!(text.stdout, "through\n");
    let kind = piped(&project, &["run", "--rm", "tty"], b"\n").success();
    assert_eq!(kind.stdout, "pipe\n");
    for asked in ["--tty", "--no-TTY=false"] {
        piped(&project, &["run", "--rm", asked, "cat"], b"x\n")
            .code(1)
            .says("the input device is not a TTY");
    }
    project.down();
}
