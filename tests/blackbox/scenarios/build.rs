//! `build` and `up --build`: by which builder, in which order, and what is said of it.

use crate::support::process::Outcome;
use crate::support::project::Project;

/// Everything that a command said.
fn said(outcome: &Outcome) -> String {
    format!("{}{}", outcome.stdout, outcome.stderr)
}

/// Checks that the build of a service was announced as done.
#[track_caller]
fn built(outcome: &Outcome, service: &str) {
    assert!(
        outcome.stderr.contains(&format!(" {service}  Built\n")),
        "{outcome:?}"
    );
}

/// Images whose names begin with the project's.
fn images(project: &Project) -> String {
    project
        .engine()
        .docker(&["images", "--quiet", &format!("{}-*", project.name)])
}

/// Removes the project with the images that were built for it.
#[track_caller]
fn forget(project: &Project) {
    project
        .rcompose(&["down", "--timeout", "0", "--rmi", "local"])
        .success();
    project.assert_nothing_left();
    assert_eq!(images(project), "", "images left");
}

/// Removes the project with all images of its services, which have to be its own.
#[track_caller]
fn forget_all(project: &Project) {
    project
        .rcompose(&["down", "--timeout", "0", "--rmi", "all"])
        .success();
    forget(project);
}

fn with_builder(topic: &str, compose: &str, buildkit: &str) -> Project {
    let mut project = Project::new(topic, compose);
    project.set("DOCKER_BUILDKIT", buildkit);
    project
}

#[test]
fn named_and_unnamed_images_by_either_builder() {
    for buildkit in ["0", "1"] {
        let mut project = with_builder(
            "bothbuild",
            r"
services:
  web: {build: ./web, command: cat /static/index.html}
  other: {image: '${COMPOSE_PROJECT_NAME}-custom', build: ./other, command: cat /static2/index.html}
",
            buildkit,
        );
        project.file(
            "web/Dockerfile",
            "FROM IMAGE\nARG FOO\nLABEL FOO=$FOO\nCOPY static /static\n",
        );
        project.file("web/static/index.html", "hello");
        project.file(
            "other/Dockerfile",
            "ARG FROM=none\nFROM ${FROM:-none}\nCOPY static2 /static2\nLABEL RESULT=SUCCESS\n",
        );
        project.file("other/static2/index.html", "there");
        let from = format!("FROM={}", crate::support::project::IMAGE);
        let build = ["build", "--build-arg", &from];
        let label = |project: &Project, image: &str, name: &str| {
            let image = project
                .engine()
                .inspect(&format!("{}-{image}", project.name));
            image["Config"]["Labels"][name].clone()
        };

        let plain = project.rcompose(&build).success();
        assert!(said(&plain).contains("COPY static /static"), "{plain:?}");
        assert_eq!(label(&project, "custom", "RESULT"), "SUCCESS");
        let given = [&build[..], &["--build-arg", "FOO=BAR"]].concat();
        project.rcompose(&given).success();
        assert_eq!(label(&project, "web", "FOO"), "BAR");
        project.set("FOO", "SHELL");
        let of_shell = [&build[..], &["--build-arg", "FOO", "--quiet"]].concat();
        let quiet = project.rcompose(&of_shell).success();
        assert_eq!(label(&project, "web", "FOO"), "SHELL");
        assert_eq!(quiet.stdout, "");

        // `up` builds what is missing, again only where it is asked to.
        project.set("FROM", crate::support::project::IMAGE);
        project.file(
            "compose.override.yaml",
            "services: {other: {build: {args: [FROM]}}}",
        );
        forget_all(&project);
        let first = project.rcompose(&["up", "--detach"]).success();
        assert!(said(&first).contains("COPY static /static"), "{first:?}");
        assert!(said(&first).contains("COPY static2 /static2"), "{first:?}");
        let second = project.rcompose(&["up", "--detach"]).success();
        assert!(!said(&second).contains("COPY static"), "{second:?}");
        let third = project.rcompose(&["up", "--detach", "--build"]).success();
        assert!(said(&third).contains("COPY static2 /static2"), "{third:?}");
        forget_all(&project);
    }
}

#[test]
fn images_that_others_start_from_are_built_first() {
    for buildkit in ["0", "1"] {
        let project = with_builder(
            "buildorder",
            r#"
services:
  base:
    image: '${COMPOSE_PROJECT_NAME}-stock'
    build: {dockerfile_inline: "FROM rcompose-fixtures/busybox:1\nRUN echo copied >/hello"}
  service:
    depends_on: [base]
    build: {dockerfile_inline: "FROM ${COMPOSE_PROJECT_NAME}-stock\nCMD cat /hello"}
"#,
            buildkit,
        );
        for build in [&["build"][..], &["build", "--with-dependencies", "service"]] {
            project.rcompose(build).success();
            let run = ["run", "--rm", "-T", "--no-deps", "service"];
            assert_eq!(project.rcompose(&run).success().stdout, "copied\n");
            forget_all(&project);
        }
    }
}

#[test]
fn images_of_other_services_are_contexts() {
    let project = Project::new(
        "buildctx",
        r#"
services:
  base:
    build: {dockerfile_inline: "FROM rcompose-fixtures/busybox:1\nRUN echo copied >/hello"}
    command: "true"
  service:
    build:
      dockerfile_inline: "FROM base\nCMD cat /hello"
      additional_contexts: {base: "service:base"}
"#,
    );
    for build in [
        &["build"][..],
        &["build", "service"],
        &["up", "--build", "service"],
    ] {
        project.rcompose(build).success();
        let run = ["run", "--rm", "-T", "service"];
        assert_eq!(project.rcompose(&run).success().stdout, "copied\n");
        forget(&project);
    }
}

/// A service with an image of its own, and with what else it is given.
fn service(name: &str, build: &str, rest: &str) -> String {
    format!(
        "  {name}:\n    build: {{dockerfile_inline: FROM rcompose-fixtures/busybox:1, {build}}}\n    command: echo {name}\n{rest}"
    )
}

#[test]
fn only_what_is_named_and_what_its_build_needs() {
    let (needs, main) = ("    depends_on: [dep]\n", "main");
    let text = format!(
        "services:\n{}{}{}",
        service(main, "", needs),
        service("dep", "", ""),
        service("second", "additional_contexts: {dep: 'service:dep'}", needs)
    );
    let project = Project::new("buildsome", &text);
    let one = project.rcompose(&["build", main]).success();
    built(&one, main);
    assert_eq!(images(&project).lines().count(), 1, "{one:?}");
    let two = project.rcompose(&["build", "second"]).success();
    built(&two, "dep");
    built(&two, "second");
    forget(&project);
}

#[test]
fn what_the_contexts_of_contexts_need() {
    let contexts = |names: [&str; 2]| {
        format!(
            "additional_contexts: {{{0}: 'service:{0}', {1}: 'service:{1}'}}",
            names[0], names[1]
        )
    };
    let text = format!(
        "services:\n{}{}{}{}{}",
        service("main", &contexts(["dep1", "dep2"]), ""),
        service("dep1", &contexts(["sub1", "sub2"]), ""),
        service("dep2", "", ""),
        service("sub1", "", ""),
        service("sub2", "", "")
    );
    let project = Project::new("buildsub", &text);
    for command in [&["build", "main"][..], &["up", "--build", "main"]] {
        let outcome = project.rcompose(command).success();
        for name in ["main", "dep1", "dep2", "sub1", "sub2"] {
            built(&outcome, name);
        }
    }
    forget(&project);
}

#[test]
fn dependencies_that_are_to_be_built_are_built_by_up() {
    let project = Project::new(
        "builddep",
        r"
services:
  one: {pull_policy: build, build: {dockerfile_inline: 'FROM rcompose-fixtures/busybox:1'}, command: echo one}
  two: {image: IMAGE, depends_on: [one], command: echo two}
",
    );
    let up = project
        .rcompose(&["--progress=plain", "up", "two"])
        .success();
    built(&up, "one");
    assert!(up.stdout.contains("two-1  | two"), "{up:?}");
    forget(&project);
}

#[test]
fn a_service_of_a_profile_is_built_when_it_is_named() {
    let project = Project::new(
        "buildprof",
        r"
services:
  app:
    profiles: [test]
    build: {context: ., secrets: [key]}
secrets: {key: {file: key.txt}}
",
    );
    project.file("key.txt", "opens");
    project.file(
        "Dockerfile",
        "FROM IMAGE\nRUN --mount=type=secret,id=key cp /run/secrets/key /tmp\nCMD cat /tmp/key\n",
    );
    built(&project.rcompose(&["build", "app"]).success(), "app");
    let run = project.rcompose(&["run", "--rm", "-T", "app"]).success();
    assert_eq!(run.stdout, "opens");
    project
        .rcompose(&["--profile", "test", "down", "--rmi", "local"])
        .success();
    assert_eq!(images(&project), "");
}

#[test]
fn builders_may_say_a_lot() {
    let project = Project::new("buildlong", "services: {app: {build: ., command: 'true'}}");
    let warned =
        "ARG SECRET_ACCESS_KEY=not_a_secret_but_long_enough_to_be_warned_about\n".repeat(200);
    let line = format!("RUN seq -s ' ' 1 20000\n{warned}");
    project.file("Dockerfile", &format!("FROM IMAGE\n{line}"));
    built(&project.rcompose(&["build", "app"]).success(), "app");
    let up = project.rcompose(&["up", "--build", "app"]).success();
    built(&up, "app");
    forget(&project);
}

#[test]
fn dollars_reach_the_builder() {
    let project = Project::new(
        "builddollar",
        r#"
services:
  foo:
    build: {context: ., args: {foo: "$${bar}"}}
  arg:
    build:
      args: {WORD: "true"}
      dockerfile_inline: "FROM rcompose-fixtures/busybox:1\nARG WORD\nRUN /bin/$${WORD}"
"#,
    );
    project.file("Dockerfile", "FROM IMAGE\nARG foo\nRUN echo foo is $foo\n");
    let foo = project.rcompose(&["build", "--no-cache", "foo"]).success();
    assert!(said(&foo).contains("foo is ${bar}"), "{foo:?}");
    project.rcompose(&["build", "--no-cache", "arg"]).success();
    forget(&project);
}

#[test]
fn a_script_of_several_lines_is_run() {
    let project = Project::new(
        "buildheredoc",
        r#"
services:
  echo:
    build: {dockerfile_inline: "FROM rcompose-fixtures/busybox:1\nRUN <<'EOF'\necho $(seq 3) >/numbers\nEOF\nCMD cat /numbers"}
"#,
    );
    project.rcompose(&["build", "--no-cache"]).success();
    let run = project.rcompose(&["run", "--rm", "-T", "echo"]).success();
    assert_eq!(run.stdout, "1 2 3\n");
    forget(&project);
}

#[test]
fn an_agent_that_is_not_there_is_named() {
    let project = Project::new("buildssh", "services: {web: {build: .}}");
    project.file("Dockerfile", "FROM IMAGE\nRUN --mount=type=ssh true\n");
    let build = project.rcompose(&["build", "--ssh", "default"]).code(1);
    build.says("ssh");
    assert_eq!(images(&project), "");
}

#[test]
fn what_a_platform_or_a_right_needs_is_refused_with_its_place() {
    let mut project = Project::new(
        "buildwrong",
        "services:\n  web:\n    build: {context: ., platforms: [linux/amd64, linux/arm64]}\n    platform: ${WANTED:-linux/riscv64}\n  free:\n    build: {context: ., privileged: true}\n",
    );
    project.file("Dockerfile", "FROM IMAGE\n");
    project
        .rcompose(&["build", "web"])
        .code(1)
        .says("compose.yaml:3:")
        .says("linux/riscv64");
    project.file(
        "compose.yaml",
        "services:\n  web:\n    build: {context: ., platforms: [linux/amd64, linux/arm64]}\n  free:\n    build: {context: ., privileged: true}\n",
    );
    project.set("DOCKER_DEFAULT_PLATFORM", "windows/amd64");
    project
        .rcompose(&["build", "web"])
        .code(1)
        .says("windows/amd64");
    let mut project = Project::new(
        "buildfree",
        "services: {free: {build: {context: ., entitlements: [device]}}}",
    );
    project.file("Dockerfile", "FROM IMAGE\n");
    project.set("DOCKER_BUILDKIT", "0");
    project
        .rcompose(&["build", "free"])
        .code(1)
        .says("entitlements");
}
