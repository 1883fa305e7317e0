//! What outlives a container.

use crate::support::project::Project;

fn exec(project: &Project, command: &[&str]) -> String {
    let container = project.container("web", 1);
    let mut arguments = vec!["exec", &container];
    arguments.extend(command);
    project.engine().docker(&arguments)
}

#[test]
fn of_every_kind() {
    let project = Project::new(
        "volumes",
        r"
services:
  web:
    image: IMAGE
    command: demo sleep
    volumes:
      - data:/data
      - ./made/on/demand:/bind
      - ./notes.txt:/notes.txt:ro
      - /anonymous
      - {type: tmpfs, target: /scratch, tmpfs: {size: 1m, mode: 0700}}
      - {type: bind, source: ./made, target: /long, read_only: true}
    tmpfs: [/scratch2]
volumes:
  data: {labels: {purpose: test}}
",
    );
    project.file("notes.txt", "a note");
    project.rcompose(&["up", "--detach"]).success();
    assert!(project.path().join("made/on/demand").is_dir());
    exec(&project, &["touch", "/bind/from-inside", "/data/kept"]);
    assert!(project.path().join("made/on/demand/from-inside").exists());
    assert_eq!(exec(&project, &["cat", "/notes.txt"]), "a note");
    let mounts = exec(&project, &["cat", "/proc/mounts"]);
    for wanted in ["tmpfs /scratch tmpfs", "tmpfs /scratch2 tmpfs"] {
        assert!(mounts.contains(wanted), "{wanted}: {mounts}");
    }
    let mount = |path: &str| {
        let line = mounts
            .lines()
            .find(|line| line.contains(&format!(" {path} ")));
        line.unwrap_or_else(|| panic!("{path}: {mounts}"))
            .to_owned()
    };
    assert!(
        mount("/notes.txt").contains(" ro,") && mount("/long").contains(" ro,"),
        "{mounts}"
    );
    let volume = project.engine().inspect(&format!("{}_data", project.name));
    assert_eq!(volume["Labels"]["purpose"], "test");

    project.rcompose(&["down", "--timeout", "0"]).success();
    assert_eq!(project.left(), [format!("volume {}_data", project.name)]);
    project.rcompose(&["up", "--detach"]).success();
    exec(&project, &["test", "-e", "/data/kept"]);
    project.down();
}

#[test]
fn an_external_volume_is_used_and_kept() {
    let mut project = Project::new(
        "extvol",
        r"
services:
  web: {image: IMAGE, command: demo sleep, volumes: ['shared:/data']}
volumes:
  shared: {external: true, name: '${SHARED}'}
",
    );
    let name = format!("{}-shared", project.name);
    project.set("SHARED", &name);
    project.rcompose(&["up", "--detach"]).code(1).says(&name);
    project.engine().docker(&["volume", "create", &name]);
    project.rcompose(&["up", "--detach"]).success();
    project.down();
    project.engine().docker(&["volume", "rm", &name]);
}

#[test]
fn a_missing_folder_is_an_error_where_it_must_exist() {
    let project = Project::new(
        "nobind",
        r"
services:
  web:
    image: IMAGE
    command: demo sleep
    volumes: [{type: bind, source: ./nosuch, target: /data, bind: {create_host_path: false}}]
",
    );
    project.rcompose(&["up", "--detach"]).code(1).says("nosuch");
    assert!(!project.path().join("nosuch").exists());
    project.rcompose(&["down"]).success();
    project.assert_nothing_left();
}

#[test]
fn as_json_each_is_a_line() {
    let project = Project::new(
        "volumelist",
        "{services: {web: {image: IMAGE, volumes: ['first:/a', 'second:/b']}}, volumes: {first: {}, second: {}}}",
    );
    project.rcompose(&["create"]).success();
    let text = project
        .rcompose(&["volumes", "--format", "json"])
        .success()
        .stdout;
    let mut names: Vec<String> = text
        .lines()
        .map(|line| {
            let volume: serde_json::Value = serde_json::from_str(line).expect("one object a line");
            volume["Name"].as_str().unwrap_or_default().to_owned()
        })
        .collect();
    names.sort();
    assert_eq!(
        names,
        ["first", "second"].map(|key| format!("{}_{key}", project.name))
    );
    project.down();
}
