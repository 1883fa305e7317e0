//! `publish`: what may be published, and what a registry has afterwards.

use std::process::Stdio;

use serde_json::Value;

use crate::support::peer::docker_compose;
use crate::support::process::{Outcome, start};
use crate::support::project::{IMAGE, Project, rcompose};
use crate::support::registry::Registry;

const WITH_ENV_FILE: &str =
    "services:\n  one: {image: IMAGE, env_file: [publish.env]}\n  two: {image: IMAGE}\n";

fn project(compose: &str) -> Project {
    let project = Project::new("publish", compose);
    project.file("publish.env", "FOO=bar\nQUIX=\n");
    project
}

/// Runs a command with an answer on its standard input.
fn answered(project: &Project, arguments: &[&str], answer: &str) -> Outcome {
    let mut command = project.command(rcompose(), arguments);
    command.stdin(Stdio::piped());
    let mut running = start(command);
    running.type_in(answer.as_bytes());
    running.close_stdin();
    running.finish()
}

fn dry<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["publish", "team/app", "--dry-run"], more].concat()
}

fn is_published(outcome: &Outcome) -> bool {
    outcome.stderr.contains("team/app published")
}

#[test]
fn variables_are_only_published_on_request() {
    let own =
        project("services: {one: {image: IMAGE, environment: [FOO=bar]}, two: {image: IMAGE}}");
    let refused = own.rcompose(&dry(&[])).code(1);
    assert!(!is_published(&refused));
    refused
        .says("service \"one\" has environment variable(s) declared")
        .says("--with-env");
    let done = own.rcompose(&dry(&["--with-env", "-y"])).success();
    assert!(is_published(&done) && done.stderr.contains("team/app publishing"));

    let file = project(WITH_ENV_FILE);
    let refused = file.rcompose(&dry(&[])).code(1);
    refused
        .says("service \"one\" has env_file declared\nservice \"one\" has environment variable(s) declared")
        .says("--with-env");
    assert!(is_published(
        &file.rcompose(&dry(&["--with-env", "-y"])).success()
    ));

    let both = "services:\n  one: {image: IMAGE, environment: [FOO=bar]}\n  \
        two: {image: IMAGE, env_file: [publish.env], environment: [BAR=baz]}\nconfigs: {c: {environment: HOME}}\n";
    let both = project(both);
    both.rcompose(&dry(&[]))
        .code(1)
        .says("\"two\" has env_file declared")
        .says("\"two\" has environment variable(s) declared")
        .says("\"one\" has environment variable(s) declared");
}

#[test]
fn variables_are_shown_and_asked_about() {
    let project = project(WITH_ENV_FILE);
    let yes = answered(&project, &dry(&["--with-env"]), "y\n").success();
    let question = "Are you ok to publish these environment variables?";
    assert!(
        yes.stdout.contains(question) && is_published(&yes),
        "{yes:?}"
    );
    assert!(
        yes.stdout.contains("Service/Config  one\nFOO=bar\nQUIX=\n"),
        "{yes:?}"
    );
    let no = answered(&project, &dry(&["--with-env"]), "n\n").success();
    assert!(
        no.stdout.contains(question) && !no.stderr.contains("publishing"),
        "{no:?}"
    );
    let nobody = project.rcompose(&dry(&["--with-env"])).success();
    assert!(!is_published(&nobody), "{nobody:?}");
}

#[test]
fn bind_mounts_are_asked_about() {
    let project = project("services: {one: {image: IMAGE, volumes: ['.:/user-data']}}");
    let yes = answered(&project, &dry(&[]), "y\n").success();
    let mount = format!("{}:/user-data", project.path().display());
    let question = "Are you ok to publish these bind mount declarations?";
    assert!(
        yes.stdout.contains(&mount) && yes.stdout.contains(question),
        "{yes:?}"
    );
    assert!(is_published(&yes));
    assert!(!is_published(
        &answered(&project, &dry(&[]), "n\n").success()
    ));
}

#[test]
fn secrets_are_asked_about_and_not_shown() {
    let compose = "services:\n  one:\n    image: IMAGE\n    environment:\n      \
        - AWS_SECRET_ACCESS_KEY=12345+67890/abcdefghijklm+NOPQRSTUVWXYZ+\n    configs: [c]\n  \
        two: {image: IMAGE, env_file: [token.env], secrets: [s]}\n\
        configs: {c: {file: config.txt}}\nsecrets: {s: {file: key.txt}}\n";
    let project = project(compose);
    let token = format!("ghp_{}", "a1".repeat(18));
    project.file("token.env", &format!("GITHUB_TOKEN={token}\n"));
    let web = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.SflKxwRJSMeKKF2QT4fwpMeJf36P";
    project.file("config.txt", web);
    project.file("key.txt", "-----BEGIN DSA PRIVATE KEY-----\nwxyz+ABC=\n");
    let no = answered(&project, &dry(&["--with-env"]), "n\n").success();
    assert!(!is_published(&no));
    for named in [
        "sensitive data",
        "AWS_SECRET_ACCESS_KEY",
        "GITHUB_TOKEN of service \"two\"",
        "an access token",
        "a JSON web token",
        "a private key",
    ] {
        assert!(no.stdout.contains(named), "{named}: {no:?}");
    }
    assert!(
        !no.stdout.contains(&token) && !no.stdout.contains("12345+"),
        "{no:?}"
    );
}

#[test]
fn what_others_cannot_run_is_refused() {
    let built = project("services: {one: {build: .}, two: {build: .}}");
    built
        .rcompose(&dry(&["--with-env", "-y"]))
        .code(1)
        .says("only have a build section")
        .says("\"one\", \"two\"");
    let included = project("include: [common.yaml]\nservices: {one: {image: IMAGE}}");
    included.file("common.yaml", "services: {two: {image: IMAGE}}");
    included
        .rcompose(&dry(&[]))
        .code(1)
        .says("cannot publish compose file with local includes")
        .says("compose.yaml:1:11");
}

#[test]
fn files_that_are_extended_are_published_too() {
    let project = project("services: {one: {extends: {file: common.yaml, service: base}}}");
    project.file("common.yaml", "services: {base: {image: IMAGE}}");
    assert!(is_published(&project.rcompose(&dry(&[])).success()));
}

/// A project of two files with an extended service and an env file.
fn whole() -> Project {
    let project = Project::new(
        "publish",
        "services:\n  app:\n    extends:\n      file: sub/extends.yaml\n      service: test\n",
    );
    project.file("over.yaml", "services:\n  app:\n    env_file: test.env\n");
    project.file("sub/extends.yaml", "services:\n  test:\n    image: IMAGE\n");
    project.file("test.env", "HELLO=WORLD\n");
    project
}

const FILES: [&str; 4] = ["-f", "compose.yaml", "-f", "over.yaml"];

#[test]
fn what_was_published_can_be_run_from_the_registry() {
    for registry in [Registry::start(&[]), Registry::old()] {
        let writer = whole();
        let target = format!("{}/team/app:1", registry.host);
        let publish = ["publish", "--with-env", "--yes", &target];
        let published = writer.rcompose_at_engine(&[&FILES[..], &publish].concat());
        assert!(
            published
                .success()
                .stderr
                .contains(&format!("{target} published"))
        );
        let manifest = registry.manifest("team/app", "1");
        assert_eq!(manifest["layers"].as_array().map(Vec::len), Some(4));

        let mut reader = Project::empty("oci");
        let cache = reader.path().join("cache");
        reader.set("XDG_CACHE_HOME", &cache.to_string_lossy());
        let named = format!("oci://{target}");
        let config = reader
            .rcompose_at_engine(&["-f", &named, "config"])
            .success();
        let name = &reader.name;
        assert_eq!(
            config.stdout,
            format!(
                "name: {name}\nservices:\n  app:\n    environment:\n      HELLO: WORLD\n    image: {IMAGE}\n    \
                 networks:\n      default: null\nnetworks:\n  default:\n    name: {name}_default\n"
            )
        );
        reader.file(
            "compose.yaml",
            &format!("include: ['{named}']\nservices: {{own: {{image: IMAGE}}}}\n"),
        );
        let services = reader
            .rcompose_at_engine(&["config", "--services"])
            .success();
        assert_eq!(services.stdout, "app\nown\n");
        reader.file(
            "compose.yaml",
            &format!("services: {{own: {{extends: {{file: '{named}', service: app}}}}}}\n"),
        );
        let extended = reader.rcompose_at_engine(&["config"]).success();
        assert!(extended.stdout.contains("HELLO: WORLD"), "{extended:?}");
        reader.set("COMPOSE_EXPERIMENTAL_OCI_REMOTE", "false");
        reader
            .rcompose_at_engine(&["config"])
            .code(1)
            .says("COMPOSE_EXPERIMENTAL_OCI_REMOTE switches that off");
    }
}

#[test]
fn an_application_has_its_images_beside_it() {
    let registry = Registry::start(&[]);
    registry.add("shop/web", "1");
    let host = &registry.host;
    let project = Project::new(
        "publish",
        &format!("services: {{web: {{image: '{host}/shop/web:1'}}}}\n"),
    );
    let target = format!("{host}/team/app:1");
    project
        .rcompose_at_engine(&["publish", "--app", &target])
        .success();
    let image = registry.digests("shop/web").remove(0);
    let pinned = registry.manifest("team/app", "1")["layers"][1].clone();
    assert_eq!(
        pinned["annotations"]["com.docker.compose.file"],
        "image-digests.yaml"
    );
    let text = registry.blob(pinned["digest"].as_str().unwrap_or_default());
    assert_eq!(
        text,
        format!("services:\n  web:\n    image: {host}/shop/web:1@{image}\n")
    );
    let digests = registry.digests("team/app");
    assert!(digests.contains(&image), "{digests:?}");
    let index = digests
        .iter()
        .map(|digest| registry.manifest("team/app", digest))
        .find(|manifest| manifest["manifests"].is_array());
    let index = index.expect("an index");
    assert_eq!(index["manifests"][0]["digest"], image.as_str());
    assert_eq!(
        index["subject"]["artifactType"],
        "application/vnd.docker.compose.project"
    );
}

#[test]
fn a_registry_that_refuses_is_named() {
    let registry = Registry::start(&["team/app"]);
    let project = project("services: {one: {image: IMAGE}}");
    let target = format!("{}/team/app:1", registry.host);
    let refused = project.rcompose_at_engine(&["publish", &target]).code(1);
    refused.says(&target).says("docker login");
    let missing = format!("oci://{}/nothing", registry.host);
    project
        .rcompose_at_engine(&["-f", &missing, "config"])
        .code(1)
        .says(&missing)
        .says("check the name and the tag");
    registry.add("image", "1");
    let image = format!("oci://{}/image:1", registry.host);
    project
        .rcompose_at_engine(&["-f", &image, "config"])
        .code(1)
        .says("it is no artifact of compose files");
}

/// A manifest without the time at which it was made.
fn without_time(mut manifest: Value) -> Value {
    manifest["annotations"] = Value::Null;
    manifest
}

#[test]
#[ignore = "needs RCOMPOSE_TEST_COMPOSE"]
fn docker_compose_writes_and_reads_the_same() {
    let peer = docker_compose();
    let registry = Registry::start(&[]);
    for more in [
        &[][..],
        &["--oci-version", "1.0"],
        &["--resolve-image-digests"],
    ] {
        registry.add("shop/web", "1");
        let mut project = whole();
        project.set("__TEST__INSECURE__REGISTRY__", "true");
        let base = format!(
            "services:\n  test:\n    image: {}/shop/web:1\n",
            registry.host
        );
        project.file("sub/extends.yaml", &base);
        let names = ["ours", "theirs"].map(|name| format!("{}/team/{name}:1", registry.host));
        let line = |target: &str| {
            let publish = ["publish", "--with-env", "--yes", target];
            let words = [&FILES[..], &publish, more].concat();
            words.into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        let ours = line(&names[0]);
        let ours: Vec<&str> = ours.iter().map(String::as_str).collect();
        project.rcompose_at_engine(&ours).success();
        let theirs = line(&names[1]);
        let theirs: Vec<&str> = theirs.iter().map(String::as_str).collect();
        start(project.command_at_engine(&peer, &theirs))
            .finish()
            .success();
        assert_eq!(
            without_time(registry.manifest("team/ours", "1")),
            without_time(registry.manifest("team/theirs", "1")),
            "{more:?}"
        );
        let mut read = Vec::new();
        for target in &names {
            let file = format!("oci://{target}");
            for program in [rcompose(), &peer] {
                let cache = tempfile::tempdir().expect("a folder");
                let mut command = project.command_at_engine(program, &["-f", &file, "config"]);
                command.env("XDG_CACHE_HOME", cache.path());
                read.push(start(command).finish().success().stdout);
            }
        }
        read.dedup();
        assert_eq!(read.len(), 1, "{read:#?}");
    }
}
