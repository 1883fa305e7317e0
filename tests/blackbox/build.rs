//! Images made by the engine on request.

use crate::support::project::{IMAGE, Project};

fn forget(project: &Project) {
    project
        .rcompose(&["down", "--volumes", "--timeout", "0", "--rmi", "local"])
        .success();
    project.assert_nothing_left();
    let left = project
        .engine()
        .docker(&["images", "--quiet", &format!("{}-*", project.name)]);
    assert_eq!(left, "", "images left");
}

#[test]
fn from_a_dockerfile() {
    let project = Project::new(
        "build",
        r"
services:
  web:
    build:
      context: ./app
      dockerfile: Recipe
      target: final
      args: {COLOUR: '${COLOUR:-red}'}
      labels: {purpose: test}
    command: demo sleep
",
    );
    project.file(
        "app/Recipe",
        "FROM IMAGE AS base\nARG COLOUR\nRUN echo $COLOUR >/colour\nCOPY . /\nFROM base AS final\nFROM base AS other\nRUN false\n",
    );
    project.file("app/kept", "copied\n");
    project.file("app/secret", "not copied\n");
    project.file("app/.dockerignore", "secret\n");
    project.rcompose(&["up", "--detach"]).success();
    let built = project
        .rcompose(&["exec", "-T", "web", "cat", "/colour", "/kept"])
        .success()
        .stdout;
    assert_eq!(built, "red\ncopied\n");
    let image = format!("{}-web", project.name);
    assert_eq!(
        project.engine().inspect(&image)["Config"]["Labels"]["purpose"],
        "test"
    );
    let missing = project.rcompose(&["exec", "-T", "web", "cat", "/secret"]);
    assert_ne!(missing.code, 0);

    let before = project.container_ids();
    project.file("app/kept", "copied again\n");
    project.rcompose(&["up", "--detach"]).success();
    assert_eq!(
        before,
        project.container_ids(),
        "without --build there is nothing new"
    );
    project.rcompose(&["up", "--detach", "--build"]).success();
    assert_ne!(before, project.container_ids());
    forget(&project);
}

#[test]
fn from_text_in_the_compose_file() {
    let project = Project::new(
        "inline",
        "services:\n  web:\n    build:\n      context: .\n      dockerfile_inline: |\n        FROM IMAGE\n        RUN echo inline >/from\n    command: cat /from\n",
    );
    project.rcompose(&["build"]).success();
    let run = project.rcompose(&["run", "--rm", "-T", "web"]).success();
    assert_eq!(run.stdout, "inline\n");
    forget(&project);
}

#[test]
fn a_failing_build_shows_what_failed() {
    let project = Project::new("badbuild", "services: {web: {build: .}}");
    project.file(
        "Dockerfile",
        &format!("FROM {IMAGE}\nRUN echo the reason >&2; exit 5\n"),
    );
    let up = project.rcompose(&["up", "--detach"]);
    assert_ne!(up.code, 0, "{up:?}");
    up.says("the reason");
    project.assert_nothing_left();
    project.file("Dockerfile", &format!("FROM {IMAGE}\nNOSUCH instruction\n"));
    let build = project.rcompose(&["build"]);
    assert_ne!(build.code, 0, "{build:?}");
    build.says("NOSUCH");
    std::fs::remove_file(project.path().join("Dockerfile")).expect("the file is ours");
    let build = project.rcompose(&["build"]);
    assert_ne!(build.code, 0, "{build:?}");
    build.says("Dockerfile");
}

#[test]
fn the_failing_lines_of_a_dockerfile_are_shown() {
    let project = Project::new(
        "badlines",
        "services: {web: {build: {dockerfile: docker/Recipe}}}",
    );
    project.file(
        "docker/Recipe",
        "FROM IMAGE\nENV A=1\nRUN echo before\n\nRUN echo the reason; \\\n  exit 5\n",
    );
    let build = project.rcompose(&["build"]);
    assert_eq!(build.code, 1, "{build:?}");
    build
        .says("docker/Recipe:5:1: ")
        .says("5 | RUN echo the reason; \\")
        .says("6 |   exit 5")
        .says("exit code: 5")
        .says("its last output:\n  the reason\n");
    project.file("docker/Recipe", "FROM IMAGE\n\nNOSUCH instruction\n");
    let build = project.rcompose(&["build"]);
    assert_eq!(build.code, 1, "{build:?}");
    build.says("docker/Recipe:3:1: ").says("NOSUCH");
    project.file("docker/Recipe", "FROM IMAGE\nCOPY missing /x\n");
    let build = project.rcompose(&["build"]);
    assert_eq!(build.code, 1, "{build:?}");
    build
        .says("docker/Recipe:2:1: ")
        .says("missing")
        .says("below the build context");
}

#[test]
fn the_failing_line_of_a_dockerfile_in_the_compose_file_is_shown() {
    let project = Project::new(
        "badinline",
        "services:\n  web:\n    build:\n      dockerfile_inline: |\n        FROM IMAGE\n        RUN echo the reason; exit 5\n",
    );
    let up = project.rcompose(&["up", "--detach"]);
    assert_eq!(up.code, 1, "{up:?}");
    up.says("compose.yaml:6:9: ")
        .says("6 |         RUN echo the reason; exit 5");
    project.assert_nothing_left();
}

#[test]
fn steps_are_told_as_docker_tells_them() {
    let project = Project::new("buildsteps", "services: {web: {build: .}}");
    project.file(
        "Dockerfile",
        "FROM IMAGE AS base\nRUN echo one\nFROM base\nRUN echo two; echo three\n",
    );
    let build = project
        .rcompose(&["--progress", "plain", "build"])
        .success();
    let text = &build.stdout;
    let number = |step: &str| {
        let line = text.lines().find(|line| line.ends_with(step));
        let line = line.unwrap_or_else(|| panic!("no {step}: {text}"));
        line.split(' ').next().unwrap_or_default().to_owned()
    };
    let first = number("[web base 2/2] RUN echo one");
    let second = number("[web stage-1 1/1] RUN echo two; echo three");
    assert_ne!(first, second);
    let has = |number: &str, end: &str| {
        let lines = text.lines();
        let mut lines = lines.filter(|line| line.starts_with(&format!("{number} ")));
        assert!(
            lines.any(|line| line.ends_with(end)),
            "{number} {end}: {text}"
        );
    };
    has(&first, " one");
    has(&second, " two");
    has(&second, " three");
    assert!(text.contains(&format!("\n{second} DONE ")), "{text}");
    let again = project
        .rcompose(&["--progress", "plain", "build"])
        .success();
    assert!(again.stdout.contains(" CACHED\n"), "{again:?}");
    project.rcompose(&["build", "--quiet"]).success();
    forget(&project);
}

#[test]
fn folders_are_further_contexts() {
    let mut project = Project::new(
        "contexts",
        r"
services:
  web:
    build:
      context: ./app
      additional_contexts: {shared: ./shared, base: docker-image://IMAGE}
    command: sh -c 'cat /one /two; ls /shared'
",
    );
    project.file(
        "app/Dockerfile",
        "FROM base\nCOPY --from=shared one /one\nCOPY two /two\nCOPY --from=shared . /shared\n",
    );
    project.file("app/two", "two\n");
    project.file("shared/one", "one\n");
    project.file("shared/.dockerignore", "hidden\n");
    project.file("shared/hidden", "");
    for buildkit in ["0", "1"] {
        project.set("DOCKER_BUILDKIT", buildkit);
        project.rcompose(&["build"]).success();
        let run = project.rcompose(&["run", "--rm", "-T", "web"]).success();
        assert_eq!(run.stdout, "one\ntwo\none\n");
    }
    let left = project
        .engine()
        .docker(&["images", "--quiet", "rcompose-context-*"]);
    assert_eq!(left, "", "images left");
    forget(&project);
}

/// Runs git in a folder.
fn git(folder: &std::path::Path, arguments: &[&str]) {
    let output = std::process::Command::new("git")
        .args(["-c", "user.name=test", "-c", "user.email=test@localhost"])
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("git is installed");
    assert!(output.status.success(), "git {arguments:?}: {output:?}");
}

/// A bare repository whose branch `side` has a context in `sub`, as a web server has to show it.
fn repository(project: &Project) -> std::collections::BTreeMap<String, Vec<u8>> {
    let work = project.path().join("work");
    project.file("work/Dockerfile", "FROM IMAGE\nRUN echo main >/from\n");
    // What builders of old take where nothing is named.
    git(&work, &["init", "--quiet", "--initial-branch=master"]);
    git(&work, &["add", "."]);
    git(&work, &["commit", "--quiet", "--message", "one"]);
    git(&work, &["checkout", "--quiet", "-b", "side"]);
    project.file("work/Dockerfile", "FROM IMAGE\nRUN echo side >/from\n");
    project.file("work/sub/Dockerfile", "FROM IMAGE\nCOPY text /from\n");
    project.file("work/sub/text", "folder\n");
    git(&work, &["add", "."]);
    git(&work, &["commit", "--quiet", "--message", "two"]);
    git(&work, &["checkout", "--quiet", "master"]);
    git(
        project.path(),
        &["clone", "--quiet", "--bare", "work", "bare.git"],
    );
    let bare = project.path().join("bare.git");
    git(&bare, &["update-server-info"]);
    crate::support::web::tree(&bare, "/bare.git")
}

#[test]
fn contexts_of_other_machines() {
    let mut project = Project::new(
        "remote",
        r"
services:
  main: {build: '${WEB}/bare.git', command: cat /from}
  side: {build: '${WEB}/bare.git#side', command: cat /from}
  archive: {build: '${WEB}/context.tar.gz', command: cat /from}
  file: {build: '${WEB}/Dockerfile', command: cat /from}
  missing: {build: '${WEB}/missing.tar', profiles: [missing]}
  nowhere: {build: '${WEB}/bare.git#no-such-branch', profiles: [missing]}
",
    );
    let mut files = repository(&project);
    project.file("context/Dockerfile", "FROM IMAGE\nCOPY text /from\n");
    project.file("context/text", "archive\n");
    let packed = std::process::Command::new("tar")
        .args(["-czf", "-", "-C", "context", "."])
        .current_dir(project.path())
        .output()
        .expect("tar is there");
    files.insert("/context.tar.gz".to_owned(), packed.stdout);
    let dockerfile = format!("FROM {IMAGE}\nRUN echo file >/from\n");
    files.insert("/Dockerfile".to_owned(), dockerfile.into_bytes());
    let web = crate::support::web::Web::start(files);
    project.set("WEB", &web.url);
    project.rcompose(&["build"]).success();
    for service in ["main", "side", "archive", "file"] {
        let run = project.rcompose(&["run", "--rm", "-T", service]).success();
        assert_eq!(run.stdout, format!("{service}\n"));
    }
    for service in ["missing", "nowhere"] {
        let build = project.rcompose(&["build", service]);
        assert_eq!(build.code, 1, "{build:?}");
    }
    forget(&project);
}

#[test]
fn a_folder_of_a_repository_is_a_context() {
    let mut project = Project::new(
        "remotefolder",
        "services: {web: {build: '${WEB}/bare.git#side:sub', command: cat /from}}",
    );
    let web = crate::support::web::Web::start(repository(&project));
    project.set("WEB", &web.url);
    project.rcompose(&["build"]).success();
    let run = project.rcompose(&["run", "--rm", "-T", "web"]).success();
    assert_eq!(run.stdout, "folder\n");
    forget(&project);
}

#[test]
fn a_key_file_is_offered_by_an_agent() {
    let project = Project::new(
        "sshkey",
        r"
services:
  web:
    build:
      dockerfile_inline: |
        FROM IMAGE
        RUN --mount=type=ssh,id=deploy test -S $$SSH_AUTH_SOCK && echo offered >/agent
      ssh: ['deploy=./key']
    command: cat /agent
",
    );
    let made = std::process::Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f", "key"])
        .current_dir(project.path())
        .status();
    assert!(made.is_ok_and(|status| status.success()), "ssh-keygen");
    project.rcompose(&["build"]).success();
    let run = project.rcompose(&["run", "--rm", "-T", "web"]).success();
    assert_eq!(run.stdout, "offered\n");
    let given = ["build", "--no-cache", "--ssh", "deploy=./key"];
    project.rcompose(&given).success();
    project.rcompose(&["up", "--build", "--detach"]).success();
    project.file("key", "no key");
    let build = project.rcompose(&["build"]);
    assert_eq!(build.code, 1, "{build:?}");
    build.says("compose.yaml:8:").says("/key");
    forget(&project);
}

#[test]
fn a_context_of_many_files() {
    let project = Project::new(
        "manyfiles",
        "services: {web: {build: ., command: cat /all/9/99 /all/0/0}}",
    );
    project.file("Dockerfile", "FROM IMAGE\nCOPY all /all\n");
    for folder in 0..30 {
        for file in 0..100 {
            project.file(
                &format!("all/{folder}/{file}"),
                &format!("{folder}.{file}\n"),
            );
        }
    }
    for text in ["0.0\n", "changed\n"] {
        project.file("all/0/0", text);
        project.rcompose(&["build"]).success();
        let again = project
            .rcompose(&["--progress", "plain", "build"])
            .success();
        assert!(again.stdout.contains(" CACHED\n"), "{again:?}");
        let run = project.rcompose(&["run", "--rm", "-T", "web"]).success();
        assert_eq!(run.stdout, format!("9.99\n{text}"));
    }
    forget(&project);
}

/// What is in a folder of an image, as a sorted list of paths and their contents.
fn content(project: &Project, service: &str, command: &str) -> String {
    let run = project.rcompose(&[
        "run",
        "--rm",
        "-T",
        "--no-deps",
        service,
        "sh",
        "-c",
        command,
    ]);
    run.success().stdout
}

#[test]
fn only_what_the_patterns_leave_goes_in() {
    let project = Project::new(
        "ignored",
        "services:\n  web: {build: ./app}\n  other: {build: {context: ./app, dockerfile: Other}}\n",
    );
    project.file("app/Dockerfile", "FROM IMAGE\nCOPY . /app\n");
    project.file("app/Other", "FROM IMAGE\nCOPY link src/*.c /app/\n");
    project.file(
        "app/.dockerignore",
        "# comment\nDockerfile\n.dockerignore\n*.log\n**/tmp\n!keep.log\nvendor/*\n!vendor/ours\n",
    );
    project.file("app/Other.dockerignore", "src/b.c\n");
    for path in [
        "a.log",
        "keep.log",
        "sub/b.log",
        "sub/tmp/x",
        "vendor/ours/y",
        "vendor/theirs/z",
        "src/a.c",
        "src/b.c",
        "src/real",
    ] {
        project.file(&format!("app/{path}"), path);
    }
    std::os::unix::fs::symlink("src/real", project.path().join("app/link"))
        .expect("the folder is ours");
    project.rcompose(&["build"]).success();
    let all = content(
        &project,
        "web",
        "cd /app && find . -type f -o -type l | sort",
    );
    assert_eq!(
        all,
        "./Other\n./Other.dockerignore\n./keep.log\n./link\n./src/a.c\n./src/b.c\n./src/real\n./sub/b.log\n./vendor/ours/y\n"
    );
    let some = content(&project, "other", "cd /app && ls && cat link");
    assert_eq!(some, "a.c\nlink\nsrc/real");
    forget(&project);
}

#[test]
fn with_secrets_of_every_source() {
    let mut project = Project::new(
        "buildsecret",
        r"
services:
  web:
    build:
      context: .
      dockerfile_inline: |
        FROM IMAGE
        RUN --mount=type=secret,id=one cat /run/secrets/one >/one
        RUN --mount=type=secret,id=two cat /run/secrets/two >/two
      secrets:
        - one
        - {source: variable, target: two}
    command: cat /one /two
secrets:
  one: {file: ./one.txt}
  variable: {environment: BUILD_SECRET}
",
    );
    project.file("one.txt", "first ");
    let missing = project.rcompose(&["build"]);
    assert_ne!(missing.code, 0, "{missing:?}");
    missing.says("BUILD_SECRET");
    project.set("BUILD_SECRET", "second");
    project.rcompose(&["build"]).success();
    let run = project.rcompose(&["run", "--rm", "-T", "web"]).success();
    assert_eq!(run.stdout, "first second");
    forget(&project);
}

#[test]
fn a_dockerfile_outside_its_context_and_several_names() {
    let project = Project::new(
        "outside",
        "services:\n  web:\n    build: {context: ./app, dockerfile: ../Recipe, tags: [outside-extra:1]}\n    command: cat /file\n",
    );
    project.file("Recipe", "FROM IMAGE\nCOPY file /file\n");
    project.file("app/file", "inside\n");
    project.rcompose(&["build", "--quiet"]).success();
    let run = project.rcompose(&["run", "--rm", "-T", "web"]).success();
    assert_eq!(run.stdout, "inside\n");
    let engine = project.engine();
    let image = engine.inspect(&format!("{}-web", project.name));
    assert_eq!(image["Id"], engine.inspect("outside-extra:1")["Id"]);
    engine.docker(&["rmi", "outside-extra:1"]);
    forget(&project);
}

#[test]
fn by_the_first_builder() {
    let mut project = Project::new(
        "classic",
        "services:\n  web:\n    build:\n      context: .\n      dockerfile_inline: |\n        FROM IMAGE\n        COPY file /file\n    command: cat /file\n",
    );
    project.set("DOCKER_BUILDKIT", "0");
    project.file("file", "old way\n");
    project.rcompose(&["build"]).success();
    let run = project.rcompose(&["run", "--rm", "-T", "web"]).success();
    assert_eq!(run.stdout, "old way\n");
    forget(&project);
}

#[test]
fn what_is_not_supported_is_named_with_its_place() {
    let project = Project::new(
        "unsupported",
        "services:\n  web:\n    build:\n      context: .\n      platforms: [linux/amd64, linux/arm64]\n",
    );
    project.file("Dockerfile", "FROM IMAGE\n");
    let build = project.rcompose(&["build"]);
    assert_ne!(build.code, 0, "{build:?}");
    build
        .says("compose.yaml:5:")
        .says("services.web.build.platforms");
    let build = project.rcompose(&["build", "--check"]);
    assert_ne!(build.code, 0, "{build:?}");
    build.says("--check");
}

#[test]
fn what_cannot_be_pulled_is_built_by_up() {
    let registry = crate::support::registry::Registry::start(&["shop/own"]);
    let image = format!("{}/shop/own:1", registry.host);
    let project = Project::new(
        "pullorbuild",
        &format!(
            "services: {{web: {{image: '{image}', build: {{dockerfile_inline: FROM IMAGE}}, pull_policy: always, command: demo sleep}}}}"
        ),
    );
    let up = project.rcompose(&["up", "--detach"]).success();
    up.says("denied");
    project
        .rcompose(&["down", "--rmi", "all", "--timeout", "0"])
        .success();
    project.assert_nothing_left();
}

#[test]
fn inline_dockerfiles_of_the_same_length_are_not_mixed_up() {
    let mut project = Project::new(
        "samelength",
        "services: {web: {build: {dockerfile_inline: \"FROM IMAGE\\nRUN echo ${WORD} >/word\\n\"}}}",
    );
    for word in ["one", "two"] {
        project.set("WORD", word);
        project.rcompose(&["build", "--quiet"]).success();
        assert_eq!(content(&project, "web", "cat /word").trim(), word);
    }
    forget(&project);
}
