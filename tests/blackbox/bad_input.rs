//! Mistakes get one clear message, a code that is not 0, and nothing half-made.

use crate::support::engine::small_engine;
use crate::support::project::{IMAGE, Project, free_port};
use crate::support::proxy::Proxy;

/// Compose text, the line the message has to name (0: none), and words that have to be in it.
const MISTAKES: &[(&str, &str, u32, &[&str])] = &[
    (
        "syntax",
        "services:\n  web:\n    image: [IMAGE\n  db: x\n",
        4,
        &[],
    ),
    ("tabs", "services:\n  web:\n\timage: IMAGE\n", 3, &[]),
    (
        "duplicate",
        "services:\n  web:\n    image: IMAGE\n    image: IMAGE\n",
        4,
        &["image"],
    ),
    (
        "unknown",
        "services:\n  web:\n    image: IMAGE\n    depend_on: [db]\n",
        4,
        &["depend_on", "depends_on"],
    ),
    (
        "unknowntop",
        "services:\n  web: {image: IMAGE}\nservice: {}\n",
        3,
        &["service"],
    ),
    (
        "type",
        "services:\n  web:\n    image: IMAGE\n    ports: 80\n",
        4,
        &["ports"],
    ),
    (
        "typedeep",
        "services:\n  web:\n    image: IMAGE\n    healthcheck:\n      retries: many\n",
        5,
        &["retries"],
    ),
    (
        "service",
        "services:\n  web:\n    image: IMAGE\n    depends_on: [nosuch]\n",
        4,
        &["nosuch", "web"],
    ),
    (
        "network",
        "services:\n  web:\n    image: IMAGE\n    networks: [nosuch]\n",
        4,
        &["nosuch"],
    ),
    (
        "volume",
        "services:\n  web:\n    image: IMAGE\n    volumes: ['nosuch:/data']\n",
        4,
        &["nosuch"],
    ),
    (
        "secret",
        "services:\n  web:\n    image: IMAGE\n    secrets: [nosuch]\n",
        4,
        &["nosuch"],
    ),
    (
        "config",
        "services:\n  web:\n    image: IMAGE\n    configs: [nosuch]\n",
        4,
        &["nosuch"],
    ),
    (
        "noimage",
        "services:\n  web:\n    command: x\n",
        2,
        &["web", "image", "build"],
    ),
    (
        "cycle",
        "services:\n  a: {image: IMAGE, depends_on: [b]}\n  b: {image: IMAGE, depends_on: [c]}\n  c: {image: IMAGE, depends_on: [a]}\n",
        0,
        &["a -> b -> c -> a"],
    ),
    (
        "variable",
        "services:\n  web:\n    image: ${NOSUCH:?say which image}\n",
        3,
        &["NOSUCH", "say which image"],
    ),
    ("template", "services:\n  web:\n    image: ${}\n", 3, &[]),
    (
        "duration",
        "services:\n  web:\n    image: IMAGE\n    stop_grace_period: soon\n",
        4,
        &["soon"],
    ),
    (
        "size",
        "services:\n  web:\n    image: IMAGE\n    mem_limit: huge\n",
        4,
        &["huge"],
    ),
    (
        "port",
        "services:\n  web:\n    image: IMAGE\n    ports: ['http:80']\n",
        4,
        &["http"],
    ),
    (
        "porthigh",
        "services:\n  web:\n    image: IMAGE\n    ports: ['80:70000']\n",
        4,
        &["70000"],
    ),
    (
        "envfile",
        "services:\n  web:\n    image: IMAGE\n    env_file: nosuch.env\n",
        0,
        &["nosuch.env"],
    ),
    (
        "extends",
        "services:\n  web:\n    extends: {file: nosuch.yaml, service: x}\n",
        0,
        &["nosuch.yaml"],
    ),
    (
        "include",
        "include: [nosuch.yaml]\nservices: {web: {image: IMAGE}}\n",
        0,
        &["nosuch.yaml"],
    ),
    ("empty", "", 0, &["compose.yaml"]),
];

#[test]
fn in_a_compose_file() {
    for (topic, text, line, words) in MISTAKES {
        let project = Project::new("bad", text);
        let up = project.rcompose(&["up", "--detach"]);
        assert_ne!(up.code, 0, "{topic}: {up:#?}");
        assert_eq!(up.stdout, "", "{topic}");
        if *line > 0 {
            let place = format!("compose.yaml:{line}:");
            assert!(up.stderr.contains(&place), "{topic}: no {place} in {up:#?}");
        }
        for word in *words {
            assert!(up.stderr.contains(word), "{topic}: no {word} in {up:#?}");
        }
        for trace in ["panicked", "RUST_BACKTRACE", "Some(", "Err(", "serde"] {
            assert!(!up.stderr.contains(trace), "{topic}: {trace} in {up:#?}");
        }
        project.assert_nothing_left();
    }
}

#[test]
fn all_mistakes_of_a_file_at_once() {
    let project = Project::new(
        "badmany",
        "services:\n  web:\n    image: IMAGE\n    depend_on: [db]\n    mem_limit: huge\n  db:\n    image: IMAGE\n    stop_grace_period: soon\n",
    );
    let config = project.rcompose(&["config", "--quiet"]);
    assert_ne!(config.code, 0);
    for place in ["compose.yaml:4:", "compose.yaml:5:", "compose.yaml:8:"] {
        assert!(config.stderr.contains(place), "no {place} in {config:#?}");
    }
}

#[test]
fn in_names_and_places() {
    let mut project = Project::empty("badname");
    project.rcompose(&["up", "--detach"]).code(1);
    let none = project.rcompose(&["config"]);
    assert_ne!(none.code, 0);
    assert!(
        none.stderr.contains("compose.yaml") || none.stderr.contains("configuration file"),
        "{none:?}"
    );
    project
        .rcompose(&["-f", "nosuch.yaml", "config"])
        .code(1)
        .says("nosuch.yaml");
    project.file("compose.yaml", "services: {web: {image: IMAGE}}");
    project
        .rcompose(&["-p", "Bad Name!", "config"])
        .code(1)
        .says("Bad Name!");
    project
        .rcompose(&["--env-file", "nosuch.env", "config"])
        .code(1)
        .says("nosuch.env");
    project.set("COMPOSE_PROJECT_NAME", "-bad");
    project.rcompose(&["config"]).code(1).says("-bad");
}

#[test]
fn in_an_env_file() {
    let project = Project::new("badenv", "services: {web: {image: IMAGE}}");
    project.file(".env", "GOOD=1\nBAD='never ends\n");
    let config = project.rcompose(&["config"]);
    assert_ne!(config.code, 0, "{config:?}");
    assert!(config.stderr.contains(".env"), "{config:?}");
}

#[test]
fn no_engine() {
    let mut project = Project::new("noengine", "services: {web: {image: IMAGE}}");
    project.set("DOCKER_HOST", "unix:///nonexistent/docker.sock");
    for arguments in [&["up", "--detach"][..], &["ps"], &["down"], &["logs"]] {
        let outcome = project.rcompose(arguments);
        assert_ne!(outcome.code, 0, "{outcome:?}");
        outcome.says("/nonexistent/docker.sock");
    }
}

#[test]
fn an_image_nobody_has() {
    let project = Project::new(
        "noimage",
        "services: {web: {image: 'rcompose-test/nosuch:1', pull_policy: never}}",
    );
    project
        .rcompose(&["up", "--detach"])
        .code(1)
        .says("rcompose-test/nosuch:1");
    assert_eq!(project.container_ids().len(), 0);
    project.down();
}

#[test]
fn a_port_that_is_taken() {
    let port = free_port();
    let project = Project::new(
        "taken",
        &format!(
            "services:\n  one: {{image: IMAGE, command: demo sleep, ports: ['{port}:80']}}\n  two: {{image: IMAGE, command: demo sleep, ports: ['{port}:80'], depends_on: [one]}}\n"
        ),
    );
    project
        .rcompose(&["up", "--detach"])
        .code(1)
        .says(&port.to_string());
    // The second attempt converges once the reason is gone.
    project.file(
        "compose.override.yaml",
        "services: {two: {ports: !reset []}}",
    );
    project.rcompose(&["up", "--detach"]).success();
    assert_eq!(project.container_ids().len(), 2);
    project.down();
}

#[test]
fn a_command_that_does_not_exist_in_the_image() {
    let project = Project::new(
        "nocommand",
        "services: {web: {image: IMAGE, command: nosuchprogram}}",
    );
    project
        .rcompose(&["up", "--detach"])
        .code(1)
        .says("nosuchprogram");
    project.file(
        "compose.yaml",
        "services: {web: {image: IMAGE, command: demo sleep}}",
    );
    project.rcompose(&["up", "--detach"]).success();
    project.down();
}

#[test]
fn an_engine_that_goes_away_in_the_middle() {
    let proxy = Proxy::cut_at("/start");
    let mut project = Project::new(
        "lost",
        "services: {db: {image: IMAGE, command: demo sleep}, web: {image: IMAGE, command: demo sleep, depends_on: [db]}}",
    );
    project.set("DOCKER_HOST", &proxy.host());
    let up = project.rcompose(&["up", "--detach"]);
    assert_ne!(up.code, 0, "{up:?}");
    assert!(
        up.stderr.contains("connection") || up.stderr.contains("engine"),
        "{up:?}"
    );
    // Reached again, the project comes up from where it was.
    project.set("DOCKER_HOST", &project.engine().host);
    project.rcompose(&["up", "--detach"]).success();
    assert_eq!(project.container_ids().len(), 2);
    project.down();
}

#[test]
fn a_disk_that_is_full() {
    let engine = small_engine("48m");
    let project = Project::new(
        "full",
        "services: {db: {image: IMAGE, command: demo sleep}, web: {image: IMAGE, command: demo sleep, depends_on: [db]}}",
    )
    .on(engine);
    let fill = "dd if=/dev/zero of=/fill bs=64k >/dev/null 2>&1; exit 0";
    engine.docker(&[
        "run",
        "--name",
        "fill",
        "--network",
        "none",
        IMAGE,
        "sh",
        "-c",
        fill,
    ]);
    project
        .rcompose(&["up", "--detach"])
        .code(1)
        .says("no space left on device");
    engine.docker(&["rm", "--force", "fill"]);
    project.rcompose(&["up", "--detach"]).success();
    assert_eq!(project.container_ids().len(), 2);
    project.down();
}
