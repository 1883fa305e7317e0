//! `push`, `commit` and `export`.

use std::fs::File;
use std::process::Stdio;

use crate::support::process::Outcome;
use crate::support::project::{Project, rcompose};
use crate::support::registry::Registry;

const COMPOSE: &str = r#"
services:
  web:
    image: IMAGE
    command: demo sleep
    scale: 2
  ended:
    image: IMAGE
    command: "true"
"#;

fn is_pushed_under_both_names(registry: &Registry, pushed: Outcome) {
    pushed.says(&format!(" {}/shop/web:1  Pushed", registry.host));
    assert_eq!(registry.images(), ["shop/other:2", "shop/web:1"]);
}

#[test]
fn build_pushes_what_it_has_built() {
    let registry = Registry::start(&["shop/closed"]);
    let host = &registry.host;
    let compose = format!(
        r#"
services:
  web:
    image: {host}/shop/web:1
    build: {{context: ., tags: ["{host}/shop/other:2"]}}
    depends_on: [api]
  api: {{image: "{host}/shop/api", build: .}}
  closed: {{image: "{host}/shop/closed", build: .}}
  nameless: {{build: .}}
"#
    );
    let project = Project::new("buildpush", &compose);
    project.file("Dockerfile", "FROM IMAGE\nRUN echo pushed > /built\n");
    let dry = project.rcompose(&["--dry-run", "build", "--push", "web"]);
    dry.success().says("Pushed");
    assert_eq!(registry.images(), Vec::<String>::new());
    let pushed = project
        .rcompose(&["build", "--push", "web", "nameless"])
        .success();
    is_pushed_under_both_names(&registry, pushed);
    project
        .rcompose(&["build", "--push", "--with-dependencies", "--quiet", "web"])
        .success();
    assert_eq!(
        registry.images(),
        ["shop/api:latest", "shop/other:2", "shop/web:1"]
    );
    project
        .rcompose(&["build", "--push", "closed"])
        .code(1)
        .says("denied");
    for name in ["web:1", "other:2", "api", "closed"] {
        let image = format!("{host}/shop/{name}");
        project.engine().docker(&["image", "rm", &image]);
    }
    let nameless = format!("{}-nameless", project.name);
    project.engine().docker(&["image", "rm", &nameless]);
}

#[test]
fn built_images_are_pushed_under_all_their_names() {
    let registry = Registry::start(&["shop/closed"]);
    let host = &registry.host;
    let project = Project::empty("push");
    project.file("Dockerfile", "FROM IMAGE\nRUN echo pushed > /pushed\n");
    project.file(
        "compose.yaml",
        &format!(
            r#"
services:
  web:
    image: {host}/shop/web:1
    build: {{context: ., tags: ["{host}/shop/other:2"]}}
    depends_on: [api]
  api:
    image: {host}/shop/api
    build: .
  closed:
    image: {host}/shop/closed
    build: .
    profiles: [closed]
  stock:
    image: IMAGE
"#
        ),
    );
    let dry = project.rcompose(&["--dry-run", "push"]).success();
    assert!(dry.stderr.contains("DRY-RUN MODE"), "{dry:?}");
    assert_eq!(registry.images(), Vec::<String>::new());
    project
        .rcompose(&["push", "web"])
        .code(1)
        .says("build it first");
    project
        .rcompose(&["--profile", "*", "build", "--quiet"])
        .success();
    let pushed = project.rcompose(&["push", "web"]).success();
    is_pushed_under_both_names(&registry, pushed);
    let quiet = project
        .rcompose(&["push", "--quiet", "--include-deps", "web"])
        .success();
    assert_eq!(quiet.stderr, "");
    assert_eq!(
        registry.images(),
        ["shop/api:latest", "shop/other:2", "shop/web:1"]
    );
    project
        .rcompose(&["--profile", "closed", "push", "closed"])
        .code(1)
        .says("denied");
    project
        .rcompose(&["push", "--ignore-push-failures", "closed", "stock"])
        .success()
        .says("Pushing closed: ");
    for name in ["web:1", "other:2", "api", "closed"] {
        let image = format!("{host}/shop/{name}");
        project.engine().docker(&["image", "rm", &image]);
    }
}

/// The second of two containers gets a file that the first one does not have.
fn write_into_the_second(project: &Project) {
    let script = "echo new > /new";
    let arguments = ["exec", "-T", "--index", "2", "web", "sh", "-c", script];
    project.rcompose(&arguments).success();
}

#[test]
fn a_container_becomes_an_image() {
    let project = Project::new("commit", COMPOSE);
    project.rcompose(&["up", "--detach"]).success();
    write_into_the_second(&project);
    let tag = format!("rcompose-test/{}:1", project.name);
    let arguments = [
        "commit",
        "--index",
        "2",
        "-a",
        "Ada",
        "-m",
        "with news",
        "-p",
        "-c",
        "ENV A=1",
        "-c",
        "WORKDIR /tmp",
        "web",
        &tag,
    ];
    let made = project.rcompose(&arguments).success();
    let name = project.container("web", 2);
    let words = format!(" {name} Commit {name} Committed as sha256:");
    assert!(made.stderr.contains(&words), "{made:?}");
    assert_eq!(made.stdout, "");
    let image = project.engine().docker(&["image", "inspect", &tag]);
    let image: serde_json::Value = serde_json::from_str(&image).expect("JSON");
    assert_eq!(image[0]["Author"], "Ada");
    assert_eq!(image[0]["Comment"], "with news");
    assert_eq!(image[0]["Config"]["WorkingDir"], "/tmp");
    let environment = image[0]["Config"]["Env"].to_string();
    assert!(environment.contains("A=1"), "{environment}");
    let said = project
        .engine()
        .docker(&["run", "--rm", &tag, "cat", "/new"]);
    assert_eq!(said.trim(), "new");
    project
        .rcompose(&["commit", "ended"])
        .code(1)
        .says("service \"ended\" is not running");
    project.engine().docker(&["image", "rm", &tag]);
    project.down();
}

#[test]
fn a_container_becomes_an_archive() {
    let project = Project::new("export", COMPOSE);
    project.rcompose(&["up", "--detach"]).success();
    write_into_the_second(&project);
    let made = project
        .rcompose(&["export", "--index", "2", "-o", "web.tar", "web"])
        .success();
    let name = project.container("web", 2);
    let words = format!(" {name} export {name} to web.tar Exporting");
    assert!(made.stderr.contains(&words), "{made:?}");
    let mut command = project.command(rcompose(), &["export", "web"]);
    command.stdout(Stdio::from(
        File::create(project.path().join("one.tar")).expect("a file"),
    ));
    assert!(command.status().expect("it runs").success());
    let has = |archive: &str| {
        let file = File::open(project.path().join(archive)).expect("it was written");
        let mut archive = tar::Archive::new(file);
        let mut paths = archive.entries().expect("an archive").map(|entry| {
            let entry = entry.expect("an entry");
            entry
                .path()
                .expect("a path")
                .to_string_lossy()
                .trim_start_matches("./")
                .to_owned()
        });
        paths.any(|path| path == "new")
    };
    assert!(has("web.tar"));
    assert!(!has("one.tar"));
    project
        .rcompose(&["export", "-o", "no/folder/web.tar", "web"])
        .code(1)
        .says("failed to export container: invalid output path: directory \"no/folder\"");
    project.rcompose(&["export", "-o", ".", "web"]).code(1);
    project.down();
}
