//! Where a variable of a container has its value from.

use crate::support::project::Project;

/// Removes the project with the image of its only service.
fn forget(project: &Project) {
    project
        .rcompose(&["down", "--timeout", "0", "--rmi", "local"])
        .success();
    project.assert_nothing_left();
}

/// A project whose image says where its variable `FROM` is from, with a compose file for each way to set it.
fn priority() -> Project {
    let project = Project::empty("envprio");
    let build = "services:\n  app:\n    build: {dockerfile_inline: \"FROM rcompose-fixtures/busybox:1\\nENV WHO=image\\nCMD echo $$WHO\"}\n";
    project.file("compose.yaml", build);
    project.file(
        "with.yaml",
        &format!("{build}    environment: {{WHO: compose}}\n"),
    );
    project.file(
        "with-file.yaml",
        &format!("{build}    env_file: over.env\n"),
    );
    project.file(".env", "WHO=dot env\n");
    project.file("over.env", "WHO=override\n");
    project.file("default.env", "WHO=${WHO:-default}\n");
    project.file("empty.env", "");
    project
}

fn who(project: &Project, before: &[&str], variable: &str) -> String {
    let run = ["run", "--rm", "-T", "-e", variable, "app"];
    let run = project.rcompose(&[before, &run].concat()).success();
    run.stdout.trim_end().to_owned()
}

#[test]
fn the_command_line_beats_files_and_files_beat_the_image() {
    let project = priority();
    project
        .rcompose(&["-f", "with.yaml", "up", "--detach", "--build"])
        .success();
    let with = ["-f", "with.yaml", "--env-file", "over.env"];
    assert_eq!(who(&project, &with, "WHO=line"), "line");
    let plain = ["--env-file", "over.env"];
    assert_eq!(who(&project, &plain, "WHO=line"), "line");
    assert_eq!(who(&project, &plain, "WHO"), "override");
    assert_eq!(who(&project, &[], "WHO"), "dot env");
    assert_eq!(who(&project, &["-f", "with-file.yaml"], "WHO"), "dot env");
    assert_eq!(
        who(&project, &["--env-file", "default.env"], "WHO"),
        "default"
    );
    assert_eq!(who(&project, &["--env-file", "empty.env"], "WHO"), "image");
    forget(&project);
}

#[test]
fn the_shell_beats_every_file() {
    let mut project = priority();
    project.rcompose(&["build"]).success();
    project.set("COMPOSE_ENV_FILES", "default.env");
    assert_eq!(who(&project, &[], "WHO"), "default");
    project.set("WHO", "shell");
    for before in [
        &["-f", "with.yaml", "--env-file", "over.env"][..],
        &["--env-file", "over.env"],
        &["--env-file", "default.env"],
    ] {
        assert_eq!(who(&project, before, "WHO"), "shell", "{before:?}");
    }
    forget(&project);
}

#[test]
fn variables_of_an_env_file_may_use_others() {
    let mut project = Project::new(
        "envuse",
        "services: {web: {image: IMAGE, environment: {TAG: '${TAG}'}}}",
    );
    project.file(".env", "WHO=file\nTAG=app:${WHO}\n");
    let tag = |project: &Project| {
        let config = project.rcompose(&["config", "--format", "json"]).success();
        let config: serde_json::Value = serde_json::from_str(&config.stdout).expect("JSON");
        config["services"]["web"]["environment"]["TAG"].clone()
    };
    assert_eq!(tag(&project), "app:file");
    project.file(".env", "TAG=app:${WHO:-none}\n");
    assert_eq!(tag(&project), "app:none");
    project.set("WHO", "shell");
    assert_eq!(tag(&project), "app:shell");
    project.file(".env", "WHO=file\nTAG=app:${WHO}\n");
    assert_eq!(
        tag(&project),
        "app:shell",
        "the shell's value is the one used"
    );
}

#[test]
fn comments_of_an_env_file_end_a_value_unless_quoted() {
    let project = Project::new("envcomment", "services: {web: {image: IMAGE}}");
    project.file(".env", "BARE=12#34\nSPACED=12 #34\nQUOTED=\"12 #34\"\n");
    let run = [
        "run", "--rm", "-T", "-e", "BARE", "-e", "SPACED", "-e", "QUOTED",
    ];
    let script = ["web", "sh", "-c", "echo \"$BARE|$SPACED|$QUOTED\""];
    let run = project.rcompose(&[&run[..], &script].concat()).success();
    assert_eq!(run.stdout, "12#34|12|12 #34\n");
    project.down();
}

#[test]
fn a_variable_without_a_value_is_unset() {
    let project = Project::new(
        "envunset",
        "services:\n  app:\n    build: {dockerfile_inline: \"FROM rcompose-fixtures/busybox:1\\nENV EMPTY=full\\nCMD echo =$$EMPTY=\"}\n    environment: [EMPTY]\n",
    );
    project.rcompose(&["build"]).success();
    let set = ["run", "--rm", "-T", "-e", "EMPTY=hello", "app"];
    assert_eq!(project.rcompose(&set).success().stdout, "=hello=\n");
    let unset = ["run", "--rm", "-T", "app"];
    assert_eq!(project.rcompose(&unset).success().stdout, "==\n");
    forget(&project);
}
