//! `bridge`: transformations, with images made here.

use std::path::Path;

use crate::support::peer::docker_compose;
use crate::support::project::{IMAGE, Project};

const COMPOSE: &str = "
services:
  web:
    image: IMAGE
    ports: ['8080:80']
    environment: {A: '$$x'}
    configs: [c]
    secrets: [s]
configs: {c: {file: c.txt}, inline: {content: text}}
secrets: {s: {environment: PASSWORD}}
";

/// The command of a transformation: it shows what it was given.
const COMMAND: &str = "cp /in/compose.yaml /out/model.yaml && cat /templates/* >/out/made && id -u >/out/user && \
    echo license $LICENSE_AGREEMENT && ls /in";

/// A project beside a transformation; the image goes with it.
struct Bridge {
    project: Project,
    image: String,
}

impl Bridge {
    fn new(command: &str) -> Self {
        let mut project = Project::new("bridge", COMPOSE);
        project.file("c.txt", "of the config\n");
        project.set("PASSWORD", "of the secret");
        let image = format!("{}/to-text:1", project.name);
        let engine = project.engine();
        let maker = format!("{}-maker", project.name);
        let script = "mkdir /templates && echo template >/templates/a.tmpl";
        engine.docker(&["run", "--name", &maker, IMAGE, "sh", "-c", script]);
        let label = "LABEL com.docker.compose.bridge=transformation";
        let command = serde_json::json!(["sh", "-c", command]);
        let command = format!("CMD {command}");
        engine.docker(&["commit", "-c", label, "-c", &command, &maker, &image]);
        engine.docker(&["rm", &maker]);
        Self { project, image }
    }

    fn convert(&self, more: &[&str]) -> Vec<String> {
        let words = [&["bridge", "convert", "-t", &self.image], more].concat();
        words.into_iter().map(str::to_owned).collect()
    }

    fn read(&self, path: &str) -> String {
        let path = self.project.path().join(path);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        self.project.engine().docker(&["image", "rm", &self.image]);
    }
}

fn words(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

#[test]
fn the_model_goes_in_and_files_come_out() {
    let bridge = Bridge::new(COMMAND);
    bridge.project.file("out/old", "");
    let done = bridge
        .project
        .rcompose(&words(&bridge.convert(&[])))
        .success();
    assert_eq!(done.stdout, "license true\ncompose.yaml\n", "{done:?}");
    let model = bridge.read("out/model.yaml");
    for part in [
        "content: |\n      of the config\n",
        "content: of the secret",
        "- \"80\"",
        "A: $x",
    ] {
        assert!(model.contains(part), "{part}: {model}");
    }
    assert_eq!(bridge.read("out/made"), "template\n");
    assert_eq!(bridge.read("out/user"), "0\n");
    assert!(!bridge.project.path().join("out/old").exists());

    bridge.project.file("own/b.tmpl", "another\n");
    let more = ["--output", "deep/other", "--templates", "own"];
    bridge
        .project
        .rcompose(&words(&bridge.convert(&more)))
        .success();
    assert_eq!(bridge.read("deep/other/made"), "another\n");
    bridge.project.assert_nothing_left();
}

#[test]
fn what_would_be_lost_is_left_alone() {
    let bridge = Bridge::new("exit 7");
    for output in [".", ".."] {
        bridge
            .project
            .rcompose(&words(&bridge.convert(&["-o", output])))
            .code(1)
            .says("holds the project");
    }
    assert!(bridge.project.path().join("compose.yaml").exists());
    let dry = bridge.convert(&["--dry-run", "-o", "out"]);
    bridge
        .project
        .rcompose(&words(&dry))
        .success()
        .says("Converted");
    assert!(!bridge.project.path().join("out").exists());
    bridge
        .project
        .rcompose(&words(&bridge.convert(&[])))
        .code(7);
    let unknown = ["bridge", "convert", "-t", "127.0.0.1:9/nothing:1"];
    bridge
        .project
        .rcompose(&unknown)
        .code(1)
        .says("127.0.0.1:9/nothing:1");
}

#[test]
fn transformations_are_listed_and_begun() {
    let bridge = Bridge::new(COMMAND);
    let list = |more: &[&str]| {
        let words = [&["bridge", "transformations", "ls"], more].concat();
        bridge.project.rcompose(&words).success().stdout
    };
    let name = bridge.image.trim_end_matches(":1");
    let table = list(&[]);
    assert!(table.starts_with("IMAGE ID"), "{table}");
    let row = table.lines().find(|line| line.contains(name));
    let row: Vec<&str> = row.unwrap_or_default().split_whitespace().collect();
    assert_eq!(row[1..3], [name, "1"], "{table}");
    assert!(list(&["--quiet"]).lines().any(|line| line == bridge.image));
    let json: serde_json::Value = serde_json::from_str(&list(&["--format", "json"])).expect("JSON");
    let tags = json.as_array().into_iter().flatten();
    assert!(
        tags.clone()
            .any(|image| image["RepoTags"][0] == bridge.image.as_str()),
        "{json}"
    );

    let create = [
        "bridge",
        "transformations",
        "create",
        "--from",
        &bridge.image,
        "mine",
    ];
    let made = bridge.project.rcompose(&create).success();
    let folder = bridge.project.path().join("mine");
    assert_eq!(made.stdout, format!("Transformer created in {folder:?}\n"));
    assert_eq!(bridge.read("mine/templates/a.tmpl"), "template\n");
    assert!(
        bridge
            .read("mine/Dockerfile")
            .contains("COPY templates /templates")
    );
    bridge
        .project
        .rcompose(&create)
        .code(1)
        .says("already exists");
    let none = [
        "bridge",
        "transformations",
        "create",
        "--from",
        IMAGE,
        "none",
    ];
    bridge
        .project
        .rcompose(&none)
        .code(1)
        .says("the templates of");
    assert!(!bridge.project.path().join("none").exists());
}

#[test]
#[ignore = "needs RCOMPOSE_TEST_COMPOSE"]
fn docker_compose_gives_the_same_model() {
    let peer = docker_compose();
    let mut bridge = Bridge::new(COMMAND);
    // Docker compose leaves the model there.
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().to_string_lossy().into_owned();
    bridge.project.set("TMPDIR", &place);
    let run = |program: &Path, output: &str| {
        let line = bridge.convert(&["--output", output]);
        let outcome = bridge
            .project
            .docker_compose(program, &words(&line))
            .success();
        assert_eq!(outcome.stderr, "");
        let model = bridge.read(&format!("{output}/model.yaml"));
        serde_yaml::from_str::<serde_json::Value>(&model).expect("YAML")
    };
    let theirs = run(&peer, "theirs");
    let ours = run(crate::support::project::rcompose(), "ours");
    assert_eq!(ours, theirs);
    let list = ["bridge", "transformations", "ls", "--format", "json"];
    let keys = |text: &str| {
        let images: serde_json::Value = serde_json::from_str(text).expect("JSON");
        let image = images[0].as_object().expect("an image").clone();
        // What engines of old tell besides is the size once more.
        let keys = image.into_iter().map(|(key, _)| key);
        keys.filter(|key| key != "VirtualSize").collect::<Vec<_>>()
    };
    let theirs = bridge.project.docker_compose(&peer, &list).success().stdout;
    let ours = bridge.project.rcompose(&list).success().stdout;
    assert_eq!(keys(&ours), keys(&theirs));
}
