//! `run` of an image that has to be pulled first.

use crate::support::process::Outcome;
use crate::support::project::Project;
use crate::support::registry::Registry;

/// An image of its own for each project: an engine does not read again what another one has brought.
fn repository(topic: &str) -> String {
    format!("shop/{topic}")
}

/// A project whose service has an image of `registry`, with a program from here in the place of one of its own.
fn project(topic: &str, registry: &Registry) -> Project {
    registry.add(&repository(topic), "1");
    let repository = repository(topic);
    let host = &registry.host;
    let project = Project::new(
        topic,
        &format!(
            "services: {{backend: {{image: '{host}/{repository}:1', volumes: ['./bin:/bin'], entrypoint: [/bin/echo], command: [said]}}}}"
        ),
    );
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let busybox = std::env::split_paths(&folders)
        .map(|folder| folder.join("busybox"))
        .find(|path| path.is_file());
    let bin = project.path().join("bin");
    std::fs::create_dir(&bin).expect("the folder is ours");
    // It does what it is called.
    std::fs::copy(busybox.expect("busybox"), bin.join("echo")).expect("a copy");
    project
}

/// Runs the service once.
#[track_caller]
fn run(project: &Project, options: &[&str]) -> Outcome {
    let run = [&["run", "--rm", "-T"], options, &["backend"]].concat();
    let outcome = project.rcompose(&run).success();
    assert_eq!(outcome.stdout, "said\n");
    outcome
}

/// Checks that the image was pulled, and removes everything.
#[track_caller]
fn forget(project: &Project, registry: &Registry, topic: &str) {
    let repository = repository(topic);
    assert_ne!(registry.pulls(&repository), 0, "{repository}");
    project.down();
    let image = format!("{}/{repository}:1", registry.host);
    project.engine().docker(&["image", "rm", &image]);
}

#[test]
fn quietly_only_its_end_is_told() {
    let registry = Registry::start(&[]);
    let project = project("runpullq", &registry);
    let quiet = run(&project, &["--quiet-pull"]);
    assert!(!quiet.stderr.contains("Pull complete"), "{quiet:?}");
    assert!(quiet.stderr.contains("Pulled"), "{quiet:?}");
    forget(&project, &registry, "runpullq");
}

#[test]
fn without_progress_nothing_is_told() {
    let registry = Registry::start(&[]);
    let mut project = project("runpulln", &registry);
    project.set("COMPOSE_PROGRESS", "quiet");
    let silent = run(&project, &[]);
    assert!(!silent.stderr.contains("Pull"), "{silent:?}");
    forget(&project, &registry, "runpulln");
}

#[test]
fn always_means_again() {
    let registry = Registry::start(&[]);
    let project = project("runpulla", &registry);
    for _ in 0..2 {
        let pulled = run(&project, &["--pull", "always"]);
        for words in ["backend Pulling", "backend Pulled"] {
            assert!(pulled.stderr.contains(words), "{words}: {pulled:?}");
        }
    }
    forget(&project, &registry, "runpulla");
}
