//! `config --why`.

use assert_cmd::Command;
use serde_json::Value;

/// A folder with a project whose variable `DB_HOST` is set in four places.
fn project() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in [
        (
            "compose.yaml",
            "services:\n  web:\n    image: nginx\n    env_file: app.env\n    environment:\n      DB_HOST: ${DB_HOST:-localhost}\n",
        ),
        (
            "compose.override.yaml",
            "services:\n  web:\n    environment:\n      - DB_HOST=db.internal\n",
        ),
        ("stage.env", "COMPOSE_PROFILES=\nDB_HOST=db.dev\n"),
        ("app.env", "DB_HOST=from-file\n"),
    ] {
        std::fs::write(folder.path().join(name), text).expect("a file");
    }
    folder
}

fn config(folder: &tempfile::TempDir) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rcompose"));
    command
        .current_dir(folder)
        .env_clear()
        .env("DB_HOST", "db.shell")
        .args(["--env-file", "stage.env", "config"]);
    command
}

fn stdout(command: &mut Command) -> String {
    let output = command.assert().success().get_output().stdout.clone();
    String::from_utf8(output).expect("text")
}

#[test]
fn every_layer_is_told_with_the_winner() {
    let folder = project();
    let text = stdout(config(&folder).args(["--why", "services.web.environment.DB_HOST"]));
    insta::assert_snapshot!(text, @r#"
    services.web.environment.DB_HOST = "db.internal"
      app.env:1:1                 from-file              overridden by compose.yaml:6:16 (env_file at compose.yaml:4:15)
      compose.yaml:6:16           ${DB_HOST:-localhost}  overridden by compose.override.yaml:4:9
          DB_HOST  default        localhost              not needed
                   stage.env:2:1  db.dev                 overridden by the shell
                   shell          db.shell               wins
      compose.override.yaml:4:9   DB_HOST=db.internal    wins
    "#);
}

#[test]
fn several_questions_are_answered_in_their_order() {
    let folder = project();
    let text = stdout(config(&folder).args(["--why", "${DB_HOST}", "--why", "services.web.image"]));
    insta::assert_snapshot!(text, @r#"
    DB_HOST = "db.shell"
      stage.env:2:1  db.dev    overridden by the shell
      shell          db.shell  wins
      used at
        compose.yaml:6:16  services.web.environment.DB_HOST  ${DB_HOST:-localhost}
      note: containers have a variable of that name: services.web.environment.DB_HOST

    services.web.image = "nginx"
      compose.yaml:3:12  nginx  wins
    "#);
}

#[test]
fn the_same_as_data() {
    let folder = project();
    let text = stdout(config(&folder).args([
        "--why",
        "services.web.environment.DB_HOST",
        "--format",
        "json",
    ]));
    let answers: Value = serde_json::from_str(&text).expect("JSON");
    let layers = answers[0]["trails"][0]["layers"]
        .as_array()
        .expect("layers");
    let effects: Vec<&Value> = layers.iter().map(|layer| &layer["effect"]).collect();
    assert_eq!(effects, ["overridden", "overridden", "wins"]);
    let variable = &layers[1]["variables"][0];
    assert_eq!(variable["name"], "DB_HOST");
    assert_eq!(variable["layers"][1]["file"], "stage.env");
    assert_eq!(variable["layers"][1]["line"], 2);
    assert_eq!(layers[0]["via"], "compose.yaml:4:15");
}

#[test]
fn what_is_unknown_fails_with_a_suggestion() {
    let folder = project();
    let output = config(&folder)
        .args(["--why", "services.web.enviroment"])
        .assert()
        .failure()
        .get_output()
        .clone();
    assert!(output.stdout.is_empty());
    insta::assert_snapshot!(String::from_utf8_lossy(&output.stderr), @r#"
    services.web has no "enviroment"
      did you mean "environment"?
    "#);
}
