//! Volumes that are renewed, bound to folders, exchanged and changed.

use super::look::inspect;
use crate::support::project::Project;

fn volume_of(project: &Project, service: &str) -> String {
    let mount = &inspect(project, service)["Mounts"][0]["Name"];
    mount.as_str().unwrap_or_default().to_owned()
}

#[test]
fn anonymous_ones_are_kept_or_renewed() {
    let project = Project::new(
        "anonymous",
        "services: {web: {image: IMAGE, command: demo sleep, stop_grace_period: 0s, volumes: [/modules]}}",
    );
    project.rcompose(&["up", "-d"]).success();
    let first = volume_of(&project, "web");
    let mount = inspect(&project, "web")["Mounts"][0].clone();
    assert_eq!(mount["Destination"], "/modules");
    assert_eq!(mount["Driver"], "local");
    assert_eq!(mount["RW"], true);
    project
        .rcompose(&["exec", "-T", "web", "touch", "/modules/test"])
        .success();
    project
        .rcompose(&["up", "--force-recreate", "-d"])
        .success();
    assert_eq!(volume_of(&project, "web"), first);
    project
        .rcompose(&["exec", "-T", "web", "test", "-e", "/modules/test"])
        .success();
    let renew = ["up", "--force-recreate", "--renew-anon-volumes", "-d"];
    project.rcompose(&renew).success();
    assert_ne!(volume_of(&project, "web"), first);
    project
        .rcompose(&["exec", "-T", "web", "test", "-e", "/modules/test"])
        .code(1);
    project.down();
    project.engine().docker(&["volume", "rm", &first]);
}

#[test]
fn read_only_ones_are_shared_and_removed() {
    let project = Project::new(
        "sharedvol",
        r"
services:
  writer: {image: IMAGE, command: demo sleep, volumes: ['site:/site']}
  reader: {image: IMAGE, command: demo sleep, volumes: ['site:/site:ro', 'other:/other']}
volumes:
  site: {}
  other: {name: '${COMPOSE_PROJECT_NAME}Other'}
",
    );
    project.rcompose(&["up", "-d"]).success();
    let shell = |service: &str, script: &str| {
        project.rcompose(&["exec", "-T", service, "sh", "-c", script])
    };
    shell("writer", "echo hello >/site/index").success();
    assert_eq!(
        shell("reader", "cat /site/index").success().stdout,
        "hello\n"
    );
    shell("reader", "echo no >/site/index")
        .code(1)
        .says("Read-only file system");
    assert!(
        project
            .left()
            .contains(&format!("volume {}Other", project.name))
    );
    project.down();
}

#[test]
fn a_volume_bound_to_a_folder() {
    let mut project = Project::new(
        "boundvolume",
        r"
services:
  web: {image: IMAGE, command: demo sleep, volumes: ['data:/data']}
volumes:
  data: {driver: local, driver_opts: {type: none, o: bind, device: '${FOLDER}'}}
",
    );
    let folder = project.file("folder/keep", "").with_file_name("");
    project.set("FOLDER", &folder.to_string_lossy());
    project.rcompose(&["up", "-d"]).success();
    project.file("folder/result", "from outside");
    let read = project.rcompose(&["exec", "-T", "web", "cat", "/data/result"]);
    assert_eq!(read.success().stdout, "from outside");
    project.down();
    assert!(folder.join("result").exists());
}

#[test]
fn another_external_volume_takes_its_place() {
    let mut project = Project::new(
        "switchvolume",
        r"
services:
  app: {image: IMAGE, command: demo sleep, stop_grace_period: 0s, volumes: ['data:/data']}
volumes:
  data: {external: true, name: '${VOLUME}'}
",
    );
    let names = [
        format!("{}-one", project.name),
        format!("{}-two", project.name),
    ];
    for name in &names {
        project.engine().docker(&["volume", "create", name]);
        project.set("VOLUME", name);
        project.rcompose(&["up", "-d"]).success();
        assert_eq!(&volume_of(&project, "app"), name);
    }
    project.down();
    project
        .engine()
        .docker(&["volume", "rm", &names[0], &names[1]]);
}

#[test]
fn a_changed_volume_is_made_anew_with_consent() {
    let mut project = Project::new(
        "changedvolume",
        r"
services:
  app: {image: IMAGE, command: demo sleep, stop_grace_period: 0s, volumes: ['data:/data']}
volumes:
  data: {labels: {colour: '${COLOUR:-red}'}}
",
    );
    let label = || {
        let volume = project.engine().inspect(&format!("{}_data", project.name));
        volume["Labels"]["colour"].clone()
    };
    project.rcompose(&["up", "-d"]).success();
    assert_eq!(label(), "red");
    let app = inspect(&project, "app")["Id"].clone();
    project.set("COLOUR", "blue");
    // Without consent, and without anybody to ask, the volume stays.
    project.rcompose(&["up", "-d"]);
    let volume = project.engine().inspect(&format!("{}_data", project.name));
    assert_eq!(volume["Labels"]["colour"], "red");
    project.rcompose(&["up", "-d", "-y"]).success();
    let volume = project.engine().inspect(&format!("{}_data", project.name));
    assert_eq!(volume["Labels"]["colour"], "blue");
    assert_ne!(inspect(&project, "app")["Id"], app);
    project.down();
}

#[test]
fn a_folder_is_no_reason_to_recreate() {
    let project = Project::new(
        "samefolder",
        "services: {app: {image: IMAGE, command: demo sleep, volumes: ['.:/data']}}",
    );
    project.rcompose(&["up", "-d"]).success();
    let up = project.rcompose(&["up", "-d"]).success();
    assert!(!up.stderr.contains("Recreated"), "{up:?}");
    project.down();
}
