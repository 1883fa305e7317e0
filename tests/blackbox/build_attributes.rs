//! What each attribute of `build` does with the engine's builders, as docs/build.md tells it.

use crate::support::engine::{containerd_engine, is_bundled, quiet_engine};
use crate::support::project::Project;
use crate::support::registry::Registry;

/// A builder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Builder {
    BuildKit,
    Classic,
    Bundled,
}

impl Builder {
    /// Those of the engine of this run.
    fn all() -> &'static [Self] {
        if is_bundled() {
            &[Self::Bundled]
        } else {
            &[Self::BuildKit, Self::Classic]
        }
    }

    /// All but the classic one.
    fn newer() -> impl Iterator<Item = Self> {
        let all = Self::all().iter().copied();
        all.filter(|builder| *builder != Self::Classic)
    }

    /// Has the project build with it.
    fn choose(self, project: &mut Project) {
        let buildkit = if self == Self::Classic { "0" } else { "1" };
        project.set("DOCKER_BUILDKIT", buildkit);
    }
}

/// A service whose `build` has these lines beside its instructions; the attribute under test is in line 9 and below.
fn project(topic: &str, instructions: &str, attributes: &[&str]) -> Project {
    let mut compose = String::from("services:\n  web:\n    build:\n");
    compose.push_str("      dockerfile_inline: |\n");
    for line in instructions.lines() {
        compose.extend(["        ", line, "\n"]);
    }
    for line in attributes {
        compose.extend(["      ", line, "\n"]);
    }
    Project::new(topic, &compose)
}

/// What a file of the image has.
fn read(project: &Project, path: &str) -> String {
    let image = format!("{}-web", project.name);
    let engine = project.engine();
    engine.docker(&["run", "--rm", "--network", "none", &image, "cat", path])
}

fn forget(project: &Project) {
    let image = format!("{}-web", project.name);
    project.engine().docker(&["image", "rm", "--force", &image]);
    project.assert_nothing_left();
}

/// Checks that the build is refused, and where the attribute is.
#[track_caller]
fn refused(project: &Project, attribute: &str, line: usize) {
    let build = project.rcompose(&["build"]);
    assert_eq!(build.code, 1, "{build:?}");
    build
        .says(attribute)
        .says(&format!("at compose.yaml:{line}:"))
        .says(&format!("(services.web.build.{attribute})"));
}

#[test]
fn limits_of_commands() {
    for builder in Builder::newer() {
        let mut project = project(
            "buildlimits",
            "FROM IMAGE\nRUN ulimit -Sn >/limits; ulimit -Hn >>/limits; ulimit -t >>/limits",
            &["ulimits: {nofile: {soft: 123, hard: 456}, cpu: 77}"],
        );
        builder.choose(&mut project);
        project.rcompose(&["build"]).success();
        assert_eq!(read(&project, "/limits"), "123\n456\n77", "{builder:?}");
        // Other limits are a reason to run it again.
        let compose = std::fs::read_to_string(project.path().join("compose.yaml"));
        let compose = compose.expect("the file is ours").replace("77", "78");
        project.file("compose.yaml", &compose);
        project.rcompose(&["build"]).success();
        assert_eq!(read(&project, "/limits"), "123\n456\n78", "{builder:?}");
        forget(&project);
    }
}

#[test]
fn limits_are_refused_by_the_classic_builder() {
    if Builder::all().contains(&Builder::Classic) {
        let attributes = ["ulimits: {nofile: 100}"];
        let mut project = project("classiclimits", "FROM IMAGE", &attributes);
        Builder::Classic.choose(&mut project);
        refused(&project, "ulimits", 6);
    }
}

const SHARED_MEMORY: &str =
    "FROM IMAGE\nRUN df -k /dev/shm | tail -n 1 | tr -s ' ' | cut -d ' ' -f 2 >/size";

#[test]
fn size_of_shared_memory() {
    for builder in Builder::newer() {
        for (size, kilobytes) in [("96m", "98304"), ("3gb", "3145728")] {
            let attribute = format!("shm_size: {size}");
            let mut project = project("buildshm", SHARED_MEMORY, &[&attribute]);
            builder.choose(&mut project);
            project.rcompose(&["build"]).success();
            assert_eq!(read(&project, "/size"), kilobytes, "{builder:?}");
            forget(&project);
        }
    }
}

#[test]
fn size_of_shared_memory_with_the_classic_builder() {
    if !Builder::all().contains(&Builder::Classic) {
        return;
    }
    let mut small = project("classicshm", SHARED_MEMORY, &["shm_size: 96m"]);
    Builder::Classic.choose(&mut small);
    small.rcompose(&["build"]).success();
    assert_eq!(read(&small, "/size"), "98304");
    forget(&small);
    let mut large = project("classicshm", SHARED_MEMORY, &["shm_size: 3gb"]);
    Builder::Classic.choose(&mut large);
    refused(&large, "shm_size", 7);
}

#[test]
fn memory_of_commands() {
    const LIMIT: &str = "FROM IMAGE\nRUN cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null >/limit || true";
    for builder in Builder::all() {
        let mut project = project("buildmemory", LIMIT, &[]);
        builder.choose(&mut project);
        for (size, bytes) in [("256m", 256_u64 << 20), ("3g", 3 << 30)] {
            let build = project.rcompose(&["build", "--no-cache", "--memory", size]);
            if *builder == Builder::BuildKit {
                build.code(1).says("--memory is not supported by BuildKit");
                continue;
            }
            if *builder == Builder::Classic && bytes >= 2 << 30 {
                build.code(1).says("--memory of 2 GiB or more");
                continue;
            }
            build.success();
            assert_eq!(read(&project, "/limit"), bytes.to_string(), "{builder:?}");
        }
        if *builder != Builder::BuildKit {
            forget(&project);
        }
    }
}

#[test]
fn many_large_secrets() {
    let names: Vec<String> = (0..6).map(|number| format!("large{number}")).collect();
    let mounts = names
        .iter()
        .map(|name| format!("--mount=type=secret,id={name}"));
    let mounts = mounts.collect::<Vec<_>>().join(" ");
    let instructions = format!("FROM IMAGE\nRUN {mounts} cat /run/secrets/* | wc -c >/size");
    for builder in Builder::newer() {
        let attribute = format!("secrets: [{}]", names.join(", "));
        let mut project = project("buildsecrets", &instructions, &[&attribute]);
        builder.choose(&mut project);
        let mut compose =
            std::fs::read_to_string(project.path().join("compose.yaml")).expect("the file is ours");
        compose.push_str("secrets:\n");
        for name in &names {
            project.file(name, &"x".repeat(480 << 10));
            compose.extend(["  ", name, ": {file: ", name, "}\n"]);
        }
        project.file("compose.yaml", &compose);
        project.rcompose(&["build"]).success();
        let size = (names.len() * (480 << 10)).to_string();
        assert_eq!(read(&project, "/size"), size, "{builder:?}");
        forget(&project);
    }
}

/// Writes down whether it may do what only privileged processes may.
const PRIVILEGED: &str =
    "FROM IMAGE\nRUN --security=insecure grep CapEff /proc/self/status >/capabilities";

#[test]
fn privileged_commands() {
    for attribute in ["privileged: true", "entitlements: [security.insecure]"] {
        for builder in Builder::all() {
            let instructions = match builder {
                Builder::Bundled => PRIVILEGED,
                _ => "FROM IMAGE\nRUN true",
            };
            let mut project = project("buildprivileged", instructions, &[attribute]);
            builder.choose(&mut project);
            let name = attribute.split(':').next().unwrap_or_default();
            match builder {
                Builder::Bundled => {
                    project.rcompose(&["build"]).success();
                    let all = read(&project, "/capabilities");
                    let all = all.trim_start_matches("CapEff:").trim();
                    let all = u64::from_str_radix(all, 16).expect("a number");
                    // Of administration.
                    assert_ne!(all & (1 << 21), 0, "{all:x}");
                    forget(&project);
                }
                // Its configuration does not allow it.
                Builder::BuildKit => {
                    let build = project.rcompose(&["build"]);
                    assert_eq!(build.code, 1, "{build:?}");
                    build.says("security.insecure").says("compose.yaml:");
                }
                Builder::Classic => refused(&project, name, 7),
            }
        }
    }
}

#[test]
fn commands_are_not_privileged_of_themselves() {
    for builder in Builder::all()
        .iter()
        .filter(|one| **one == Builder::Bundled)
    {
        let mut project = project("buildsandbox", PRIVILEGED, &[]);
        builder.choose(&mut project);
        let build = project.rcompose(&["build"]);
        assert_eq!(build.code, 1, "{build:?}");
        build
            .says("compose.yaml:6:9")
            .says("6 |         RUN --security=insecure")
            .says("needs the entitlement security.insecure");
    }
}

#[test]
fn entitlements_that_no_builder_has() {
    for builder in Builder::all() {
        let mut project = project("buildentitled", "FROM IMAGE", &["entitlements: [device]"]);
        builder.choose(&mut project);
        if *builder == Builder::BuildKit {
            let build = project.rcompose(&["build"]);
            assert_eq!(build.code, 1, "{build:?}");
            build.says("device");
        } else {
            refused(&project, "entitlements", 6);
        }
    }
}

#[test]
fn isolation() {
    for builder in Builder::all() {
        let mut taken = project("buildisolated", "FROM IMAGE", &["isolation: default"]);
        builder.choose(&mut taken);
        taken.rcompose(&["build"]).success();
        forget(&taken);
        let mut other = project("buildisolated", "FROM IMAGE", &["isolation: hyperv"]);
        builder.choose(&mut other);
        refused(&other, "isolation", 6);
    }
}

/// A line that no other run of the same command writes.
const UNIQUE: &str = "cat /proc/sys/kernel/random/uuid";

#[test]
fn some_stages_take_nothing_from_the_cache() {
    let instructions = format!(
        "FROM IMAGE AS kept\nRUN {UNIQUE} >/kept\nFROM kept AS fresh\nRUN {UNIQUE} >/fresh"
    );
    for builder in Builder::all() {
        let attributes = ["no_cache_filter: [fresh]"];
        let mut project = project("buildfilter", &instructions, &attributes);
        builder.choose(&mut project);
        if *builder == Builder::Classic {
            refused(&project, "no_cache_filter", 9);
            continue;
        }
        let both = || {
            project.rcompose(&["build"]).success();
            (read(&project, "/kept"), read(&project, "/fresh"))
        };
        let (first, second) = (both(), both());
        assert_eq!(first.0, second.0, "{builder:?}");
        assert_ne!(first.1, second.1, "{builder:?}");
        forget(&project);
    }
}

#[test]
fn caches_that_cannot_be_written_are_no_failure() {
    let attributes = ["cache_to: ['type=registry,ref=127.0.0.1:1/none/cache:1']"];
    for builder in Builder::all() {
        if *builder == Builder::BuildKit {
            continue;
        }
        let mut project = project("buildcacheto", "FROM IMAGE", &attributes);
        builder.choose(&mut project);
        let build = project.rcompose(&["build"]).success();
        build.says("`build.cache_to` has no effect");
        forget(&project);
    }
}

#[test]
fn caches_that_are_not_there_are_no_failure() {
    for builder in Builder::all() {
        let attributes = ["cache_from: ['127.0.0.1:1/none/cache:1']"];
        let mut project = project("buildcachefrom", "FROM IMAGE", &attributes);
        builder.choose(&mut project);
        let build = project.rcompose(&["build"]).success();
        if *builder == Builder::Bundled {
            build.says("`build.cache_from` has no effect");
        }
        forget(&project);
    }
}

#[test]
fn what_a_registry_has_is_not_built_again() {
    if !Builder::all().contains(&Builder::BuildKit) {
        return;
    }
    let (engine, _turn) = quiet_engine();
    let registry = Registry::at(engine);
    let image = format!("{}/shop/cached:1", registry.host);
    let compose = format!(
        "services:\n  web:\n    image: {image}\n    build:\n      dockerfile_inline: |\n        FROM IMAGE\n        \
         RUN {UNIQUE} >/unique\n      cache_to: [type=inline]\n      cache_from: ['{image}']\n"
    );
    let mut project = Project::new("buildcaches", &compose).on(engine);
    Builder::BuildKit.choose(&mut project);
    let unique = || engine.docker(&["run", "--rm", "--network", "none", &image, "cat", "/unique"]);
    let forget = || {
        engine.docker(&["image", "rm", "--force", &image]);
        engine.docker(&["builder", "prune", "--all", "--force"]);
    };
    project.rcompose(&["build"]).success();
    let first = unique();
    project.rcompose(&["push"]).success();
    forget();
    project.rcompose(&["build"]).success();
    assert_eq!(unique(), first);
    forget();
}

#[test]
fn what_a_folder_has_is_not_built_again() {
    if !Builder::all().contains(&Builder::BuildKit) {
        return;
    }
    let engine = containerd_engine();
    let instructions = format!("FROM IMAGE\nRUN {UNIQUE} >/unique");
    let attributes = [
        "cache_to: ['type=local,dest=./k\u{e9}pt']",
        "cache_from: ['type=local,src=./k\u{e9}pt']",
    ];
    let project = project("foldercache", &instructions, &attributes).on(engine);
    let built = || {
        let build = project.rcompose(&["build"]).success();
        let unique = read(&project, "/unique");
        forget(&project);
        engine.docker(&["builder", "prune", "--all", "--force"]);
        (build, unique)
    };
    let (build, first) = built();
    build.says("there is no cache \"latest\"");
    for _ in 0..2 {
        assert_eq!(built().1, first);
    }
}

#[test]
fn caches_of_kinds_that_the_engine_cannot_write() {
    if Builder::all().contains(&Builder::BuildKit) {
        let attributes = ["cache_to: ['type=local,dest=kept']"];
        let mut project = project("unknowncache", "FROM IMAGE", &attributes);
        Builder::BuildKit.choose(&mut project);
        refused(&project, "cache_to", 6);
        project.file(
            "compose.yaml",
            "services: {web: {build: {dockerfile_inline: FROM IMAGE, cache_to: [type=local]}}}",
        );
        refused(&project, "cache_to", 1);
    }
}

#[test]
fn the_cache_of_workflows_is_passed_over_elsewhere() {
    if Builder::all().contains(&Builder::BuildKit) {
        let attributes = ["cache_to: ['type=gha']", "cache_from: ['type=gha']"];
        let mut project = project("workflowcache", "FROM IMAGE", &attributes);
        Builder::BuildKit.choose(&mut project);
        for name in [
            "ACTIONS_RUNTIME_TOKEN",
            "ACTIONS_CACHE_URL",
            "ACTIONS_RESULTS_URL",
        ] {
            project.set(name, "");
        }
        project.rcompose(&["build"]).success();
        forget(&project);
    }
}

#[test]
fn the_classic_builder_takes_steps_of_images() {
    if !Builder::all().contains(&Builder::Classic) {
        return;
    }
    let instructions = format!("FROM IMAGE\nRUN {UNIQUE} >/unique");
    let attributes = ["cache_from: ['${BASE}']"];
    let mut project = project("classiccache", &instructions, &attributes);
    Builder::Classic.choose(&mut project);
    project.set("BASE", &format!("{}-web", project.name));
    project.rcompose(&["build"]).success();
    let first = read(&project, "/unique");
    let build = project
        .rcompose(&["--progress", "plain", "build"])
        .success();
    assert!(build.stdout.contains("CACHED"), "{build:?}");
    assert_eq!(read(&project, "/unique"), first);
    forget(&project);
}
