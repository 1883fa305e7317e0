//! A build that is given up ends at once and leaves nothing.

use std::path::PathBuf;

use nix::sys::signal::Signal;

use crate::support::engine::{Engine, is_bundled, quiet_engine};
use crate::support::eventually;
use crate::support::project::Project;

/// All that an engine shows of builds.
#[derive(Debug, PartialEq, Eq)]
struct Left {
    containers: String,
    images: Vec<String>,
    mounts: Vec<String>,
}

impl Left {
    fn of(engine: &Engine) -> Self {
        Self {
            containers: engine.docker(&["ps", "--all", "--quiet"]),
            images: images(engine),
            mounts: engine.mounts(),
        }
    }
}

/// The images that have names: steps that the classic builder has done are images without.
fn images(engine: &Engine) -> Vec<String> {
    let all = engine.docker(&["images", "--format", "{{.Repository}}"]);
    let named = all.lines().filter(|name| *name != "<none>");
    let mut named: Vec<String> = named.map(ToOwned::to_owned).collect();
    named.sort();
    named
}

/// The process that runs a command with this word, and its control groups.
fn process(word: &str) -> Option<(u32, Vec<PathBuf>)> {
    let processes = std::fs::read_dir("/proc").ok()?;
    let mut numbers = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let number: u32 = numbers.find(|number: &u32| {
        let words = std::fs::read(format!("/proc/{number}/cmdline")).unwrap_or_default();
        let mut words = words.split(|byte| *byte == 0);
        words.next() == Some(b"sleep") && words.next() == Some(word.as_bytes())
    })?;
    let groups = std::fs::read_to_string(format!("/proc/{number}/cgroup")).ok()?;
    let groups = groups.lines().filter_map(|line| {
        let (_, rest) = line.split_once(':')?;
        let (controllers, path) = rest.split_once(':')?;
        let folder = PathBuf::from("/sys/fs/cgroup").join(controllers.trim_start_matches("name="));
        (path != "/").then(|| folder.join(path.trim_start_matches('/')))
    });
    Some((number, groups.filter(|path| path.is_dir()).collect()))
}

/// Starts a build of a command that sleeps so many seconds, ends it by a signal as soon as that runs, and checks that all is gone.
fn interrupt(project: &Project, seconds: &str, signal: Signal) {
    let engine = project.engine();
    let before = Left::of(engine);
    let build = project.start(&["--progress", "plain", "build"]);
    build.wait_for_stdout("it begins");
    let (number, groups) = eventually(60, "the command runs", || process(seconds));
    assert!(!groups.is_empty(), "the command is in no group of its own");
    build.signal(signal);
    build.finish().code(130);
    eventually(60, "the command has ended", || {
        process(seconds).is_none().then_some(())
    });
    for group in groups {
        eventually(60, &format!("{number} leaves {}", group.display()), || {
            (!group.exists()).then_some(())
        });
    }
    let mut after = Left::of(engine);
    for _ in 0..100 {
        if after == before {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
        after = Left::of(engine);
    }
    assert_eq!(after, before);
}

/// Checks that the engine's cache has nothing but what can be removed from it.
fn nothing_in_the_cache(engine: &Engine) {
    engine.docker(&["builder", "prune", "--all", "--force"]);
    if is_bundled() {
        for folder in ["images/coming", "snapshots", "containers"] {
            let folder = engine.data(folder);
            let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
            let names: Vec<_> = entries.map(|entry| entry.file_name()).collect();
            assert!(names.is_empty(), "{}: {names:?}", folder.display());
        }
    }
}

#[test]
fn by_a_signal() {
    let (engine, _turn) = quiet_engine();
    for (signal, seconds) in [(Signal::SIGINT, "98701"), (Signal::SIGTERM, "98702")] {
        let project = Project::new("interrupted", "services: {web: {build: .}}").on(engine);
        let text = format!("FROM IMAGE\nCOPY file /\nRUN echo it begins; sleep {seconds}\n");
        project.file("Dockerfile", &text);
        project.file("file", "");
        interrupt(&project, seconds, signal);
        nothing_in_the_cache(engine);
    }
}

#[test]
fn with_folders_as_further_contexts() {
    let (engine, _turn) = quiet_engine();
    for (buildkit, seconds) in [("0", "98711"), ("1", "98712")] {
        let mut project = Project::new(
            "interruptedcontexts",
            "services: {web: {build: {context: ., additional_contexts: {other: ./other}}}}",
        )
        .on(engine);
        project.set("DOCKER_BUILDKIT", buildkit);
        let text =
            format!("FROM IMAGE\nCOPY --from=other file /\nRUN echo it begins; sleep {seconds}\n");
        project.file("Dockerfile", &text);
        project.file("other/file", "");
        interrupt(&project, seconds, Signal::SIGINT);
        nothing_in_the_cache(engine);
    }
}

#[test]
fn on_a_terminal() {
    let (engine, _turn) = quiet_engine();
    let project = Project::new("interruptedtty", "services: {web: {build: .}}").on(engine);
    project.file("Dockerfile", "FROM IMAGE\nRUN sleep 98721\n");
    let before = Left::of(engine);
    let mut build = project.start_on_terminal(&["build"]);
    eventually(30, "the command runs", || process("98721"));
    build.type_in(b"\x03");
    build.finish().code(130);
    eventually(60, "the command has ended", || {
        process("98721").is_none().then_some(())
    });
    eventually(60, "nothing is left", || {
        (Left::of(engine) == before).then_some(())
    });
}

#[test]
fn a_step_that_another_build_needs_goes_on() {
    let compose = "services: {web: {build: .}}";
    let first = Project::new("sharedfirst", compose);
    let second = Project::new("sharedsecond", compose);
    let text = "FROM IMAGE\nRUN echo it begins; until [ $((n=n+1)) -gt 30 ]; do sleep 0.1; done; cat /proc/sys/kernel/random/uuid >/id\n";
    for project in [&first, &second] {
        project.file("Dockerfile", text);
    }
    let one = first.start(&["--progress", "plain", "build"]);
    one.wait_for_stdout("it begins");
    let other = second.start(&["--progress", "plain", "build"]);
    other.wait_for_stdout("RUN echo it begins");
    one.signal(Signal::SIGINT);
    one.finish().code(130);
    other.finish().success();
    let image = format!("{}-web", second.name);
    second.engine().docker(&["image", "rm", "--force", &image]);
}

#[test]
fn a_step_that_two_services_need_is_done_once() {
    let project = Project::new(
        "sharedstage",
        r"
services:
  one: {build: {context: ., target: one}}
  two: {build: {context: ., target: two}}
  three: {build: {context: ., target: three}}
",
    );
    project.file(
        "Dockerfile",
        "FROM IMAGE AS common\nRUN sleep 1; cat /proc/sys/kernel/random/uuid >/id\n\
         FROM common AS one\nRUN echo 1 >/name\nFROM common AS two\nRUN echo 2 >/name\n\
         FROM IMAGE AS three\nCOPY --from=common /id /id\n",
    );
    let engine = project.engine();
    let image = |service: &str| format!("{}-{service}", project.name);
    let id = |service: &str| {
        let arguments = [
            "run",
            "--rm",
            "--network",
            "none",
            &image(service),
            "cat",
            "/id",
        ];
        engine.docker(&arguments)
    };
    for arguments in [&["build"][..], &["build", "--no-cache"]] {
        project.rcompose(arguments).success();
        assert_eq!(id("one"), id("two"), "{arguments:?}");
        assert_eq!(id("one"), id("three"), "{arguments:?}");
    }
    for service in ["one", "two", "three"] {
        engine.docker(&["image", "rm", "--force", &image(service)]);
    }
}
