use super::super::observed::{ApiVersion, Image, Mount, Observed, State};
use super::super::options::{
    Build, Down, Recreate, RemoveImages, Restart, Run, Settings, Stop, Up,
};
use super::super::step::{Action, Plan};
use super::super::testing::{apply, before, empty, lines, project};
use super::{Scope, diverged_volumes, down, images, restart, run, stop, up};
use crate::compose::Project;

mod commands;
mod refusals;

const CHAIN: &str = "
services:
  web:
    image: img
    depends_on:
      db: {condition: service_healthy}
      job: {condition: service_completed_successfully}
  db:
    image: img
    healthcheck: {test: [CMD, 'true']}
  job:
    image: img
";

fn plan(project: &Project, observed: &Observed, options: &Up) -> Plan {
    up(project, observed, &Settings::default(), options).unwrap()
}

/// The state after `up` of an empty engine.
fn running(project: &Project) -> Observed {
    let observed = empty();
    let plan = plan(project, &observed, &Up::default());
    apply(&observed, project, &Settings::default(), &plan)
}

fn scale(service: &str, count: u64) -> Up {
    Up {
        scale: [(service.to_owned(), count)].into(),
        ..Up::default()
    }
}

#[test]
fn creates_everything_before_it_starts_anything() {
    let project = project(CHAIN);
    let plan = plan(&project, &empty(), &Up::default());
    assert_eq!(
        lines(&plan),
        [
            "create network p_default (does not exist)",
            "create container p-db-1 (does not exist)",
            "create container p-job-1 (does not exist)",
            "create container p-web-1 (does not exist)",
            "start container p-db-1 (new)",
            "start container p-job-1 (new)",
            "wait service db to be healthy (needed by web)",
            "wait service job to complete successfully (needed by web)",
            "start container p-web-1 (new)",
        ]
    );
    let before_db = before(&plan, "start container p-db-1");
    assert!(
        before_db
            .iter()
            .any(|line| line.starts_with("create container p-web-1"))
    );
    assert!(!before_db.iter().any(|line| line.starts_with("start")));
    let before_web = before(&plan, "start container p-web-1");
    assert!(
        before_web
            .iter()
            .any(|line| line.starts_with("wait service db"))
    );
    assert!(
        before_web
            .iter()
            .any(|line| line.starts_with("wait service job"))
    );
}

#[test]
fn a_second_up_changes_nothing() {
    let project = project(CHAIN);
    let observed = running(&project);
    let again = plan(&project, &observed, &Up::default());
    assert_eq!(
        lines(&again),
        ["wait service job to complete successfully (needed by web)"]
    );
    assert!(again.is_noop());
}

#[test]
fn completed_dependencies_run_again() {
    let project = project(CHAIN);
    let mut observed = running(&project);
    let job = observed.containers.iter_mut().find(|c| c.name == "p-job-1");
    job.unwrap().state = State::Exited;
    let again = plan(&project, &observed, &Up::default());
    assert_eq!(
        lines(&again)[0],
        "start container p-job-1 (runs to completion on every up)"
    );
}

#[test]
fn changed_configuration_recreates_and_restarts_dependents_that_ask_for_it() {
    let text = "
services:
  web: {image: img, depends_on: {db: {condition: service_started, restart: true}}}
  other: {image: img, depends_on: {db: {condition: service_started}}}
  db: {image: img}
";
    let observed = running(&project(text));
    let changed = project(&text.replace("db: {image: img}", "db: {image: img, user: me}"));
    let plan = plan(&changed, &observed, &Up::default());
    assert_eq!(
        lines(&plan),
        [
            "stop container p-web-1 (restarts with its dependency db)",
            "recreate container p-db-1 (configuration changed)",
            "start container p-db-1 (new)",
            "start container p-web-1 (restarts with its dependency db)",
        ]
    );
    assert!(
        before(&plan, "recreate")
            .iter()
            .any(|line| line.starts_with("stop"))
    );
    let settled = apply(&observed, &changed, &Settings::default(), &plan);
    assert!(self::plan(&changed, &settled, &Up::default()).is_noop());
}

#[test]
fn recreation_policies() {
    let project = project(CHAIN);
    let observed = running(&project);
    let options = |recreate, recreate_dependencies| Up {
        services: vec!["web".to_owned()],
        recreate,
        recreate_dependencies,
        ..Up::default()
    };
    let recreated = |options: &Up| {
        let plan = plan(&project, &observed, options);
        let found = plan.steps.iter().filter_map(|step| match &step.action {
            Action::Recreate { create, .. } => Some(create.name.clone()),
            _ => None,
        });
        found.collect::<Vec<_>>()
    };
    let forced = options(Recreate::Force, Recreate::Diverged);
    assert_eq!(recreated(&forced), ["p-web-1"]);
    let all = options(Recreate::Force, Recreate::Force);
    assert_eq!(recreated(&all), ["p-db-1", "p-job-1", "p-web-1"]);
    let never = options(Recreate::Never, Recreate::Never);
    assert!(recreated(&never).is_empty());
}

#[test]
fn scaling_up_continues_the_numbers_and_down_takes_the_highest() {
    let project = project("services: {web: {image: img}}");
    let observed = running(&project);
    let up3 = plan(&project, &observed, &scale("web", 3));
    assert_eq!(
        lines(&up3)[..2],
        [
            "create container p-web-2 (scale up)",
            "create container p-web-3 (scale up)"
        ]
    );
    let three = apply(&observed, &project, &Settings::default(), &up3);
    let down2 = plan(&project, &three, &scale("web", 2));
    assert_eq!(
        lines(&down2),
        [
            "stop container p-web-3 (scale down)",
            "remove container p-web-3 (scale down)"
        ]
    );
    // The file says one, and outdated containers go first.
    let mut outdated = three.clone();
    let first = outdated.containers.iter_mut().find(|c| c.name == "p-web-1");
    first.unwrap().labels.insert(
        "com.docker.compose.config-hash".to_owned(),
        "other".to_owned(),
    );
    let one = plan(&project, &outdated, &Up::default());
    assert_eq!(
        lines(&one),
        [
            "stop container p-web-3 (scale down)",
            "remove container p-web-3 (scale down)",
            "stop container p-web-1 (scale down)",
            "remove container p-web-1 (scale down)",
        ]
        .iter()
        .map(|line| (*line).to_owned())
        .collect::<Vec<_>>()
        .into_iter()
        .collect::<Vec<_>>()
    );
}

#[test]
fn replicas_have_no_edges_between_them() {
    let project = project("services: {web: {image: img, scale: 2}}");
    let plan = plan(&project, &empty(), &Up::default());
    let before = before(&plan, "start container p-web-1");
    assert!(!before.iter().any(|line| line.starts_with("start")));
}

#[test]
fn moved_images_and_lost_networks_and_volumes_recreate() {
    let project = project(
        "{services: {web: {image: img, volumes: [{type: volume, source: data, target: /d}]}}, volumes: {data: {}}}",
    );
    let observed = running(&project);
    assert!(plan(&project, &observed, &Up::default()).is_noop());
    let mut moved = observed.clone();
    moved.images.get_mut("img").unwrap().id = "sha256:9".to_owned();
    assert_eq!(
        lines(&plan(&project, &moved, &Up::default()))[0],
        "recreate container p-web-1 (image changed)"
    );
    let mut detached = observed.clone();
    detached.containers[0].networks.clear();
    assert_eq!(
        lines(&plan(&project, &detached, &Up::default()))[0],
        "recreate container p-web-1 (not attached to network default)"
    );
    let mut unmounted = observed.clone();
    unmounted.containers[0].mounts.clear();
    assert_eq!(
        lines(&plan(&project, &unmounted, &Up::default()))[0],
        "recreate container p-web-1 (volume data is not mounted)"
    );
}

#[test]
fn recreation_keeps_anonymous_volumes() {
    let project = project(
        "services: {web: {image: img-volume, volumes: [{type: volume, target: /scratch}]}}",
    );
    let mut observed = running(&project);
    let mount = |name: &str, destination: &str| Mount {
        kind: "volume".to_owned(),
        name: name.to_owned(),
        destination: destination.to_owned(),
        writable: true,
        ..Mount::default()
    };
    observed.containers[0].mounts = vec![
        mount("aaa", "/data"),
        mount("bbb", "/scratch"),
        mount("ccc", "/gone"),
    ];
    let inherited = |inherit_volumes| {
        let options = Up {
            recreate: Recreate::Force,
            inherit_volumes,
            ..Up::default()
        };
        let plan = plan(&project, &observed, &options);
        let found = plan.steps.into_iter().find_map(|step| match step.action {
            Action::Recreate { create, .. } => Some(create.inherited),
            _ => None,
        });
        let names = found.unwrap().into_iter().map(|mount| mount.source);
        names.collect::<Vec<_>>()
    };
    assert_eq!(inherited(true), ["aaa", "bbb"]);
    assert!(inherited(false).is_empty());
}

#[test]
fn references_cascade() {
    let text = "
services:
  vpn: {image: img}
  app: {image: img, network_mode: 'service:vpn', depends_on: {vpn: {condition: service_started, restart: true}}}
";
    let observed = running(&project(text));
    assert!(plan(&project(text), &observed, &Up::default()).is_noop());
    let changed = project(&text.replace("vpn: {image: img}", "vpn: {image: img, user: me}"));
    let plan = plan(&changed, &observed, &Up::default());
    assert_eq!(
        lines(&plan),
        [
            "stop container p-app-1 (restarts with its dependency vpn)",
            "recreate container p-vpn-1 (configuration changed)",
            "recreate container p-app-1 (container of vpn is replaced)",
            "start container p-vpn-1 (new)",
            "start container p-app-1 (new)",
        ]
    );
    assert!(
        before(&plan, "recreate container p-app-1")
            .iter()
            .any(|line| line.starts_with("recreate container p-vpn-1"))
    );
    let settled = apply(&observed, &changed, &Settings::default(), &plan);
    assert!(self::plan(&changed, &settled, &Up::default()).is_noop());
}

#[test]
fn selection_takes_dependencies_unless_told_not_to() {
    let project = project(CHAIN);
    let options = |service: &str, no_deps| Up {
        services: vec![service.to_owned()],
        no_deps,
        ..Up::default()
    };
    let db = plan(&project, &empty(), &options("db", false));
    assert_eq!(lines(&db).len(), 3);
    let alone = plan(&project, &empty(), &options("web", true));
    assert_eq!(
        lines(&alone),
        [
            "create network p_default (does not exist)",
            "create container p-web-1 (does not exist)",
            "start container p-web-1 (new)",
        ]
    );
    let error = up(
        &project,
        &empty(),
        &Settings::default(),
        &options("wbe", false),
    )
    .unwrap_err();
    assert_eq!(error.to_string(), "no such service: wbe");
    assert_eq!(
        error.diagnostics[0].help.as_deref(),
        Some("did you mean \"web\"?")
    );
}

#[test]
fn orphans_are_named_removed_or_refused() {
    let both = project("services: {web: {image: img}, old: {image: img}}");
    let observed = running(&both);
    let only = project("services: {web: {image: img}}");
    let warned = plan(&only, &observed, &Up::default());
    assert_eq!(
        warned.warnings[0].message,
        "found orphan containers (p-old-1) for this project"
    );
    assert!(warned.is_noop());
    let remove = Up {
        remove_orphans: true,
        ..Up::default()
    };
    assert_eq!(
        lines(&plan(&only, &observed, &remove)),
        [
            "stop container p-old-1 (service is not in the compose files)",
            "remove container p-old-1 (service is not in the compose files)",
        ]
    );
    let mut foreign = observed.clone();
    for container in &mut foreign.containers {
        container.labels.insert(
            "com.docker.compose.project.working_dir".to_owned(),
            "/elsewhere".to_owned(),
        );
    }
    let error = up(&only, &foreign, &Settings::default(), &remove).unwrap_err();
    assert!(error.to_string().contains("/elsewhere"));
    let adopt = Up {
        adopt: true,
        ..remove
    };
    assert_eq!(lines(&plan(&only, &foreign, &adopt)).len(), 2);
}

#[test]
fn a_diverged_network_is_replaced_under_its_containers() {
    let text = "{services: {web: {image: img}}, networks: {default: {}}}";
    let observed = running(&project(text));
    let changed = project(&text.replace("default: {}", "default: {internal: true}"));
    let plan = plan(&changed, &observed, &Up::default());
    assert_eq!(
        lines(&plan),
        [
            "stop container p-web-1 (configuration changed)",
            "detach container p-web-1 from network p_default (configuration changed)",
            "remove network p_default (configuration changed)",
            "create network p_default (configuration changed)",
            "connect container p-web-1 to network p_default (configuration changed)",
            "start container p-web-1 (configuration changed)",
        ]
    );
    let order = before(&plan, "connect");
    assert_eq!(order.len(), 4);
    assert_eq!(before(&plan, "start").len(), 5);
}

#[test]
fn a_diverged_volume_is_replaced_only_when_allowed() {
    let text = "{services: {web: {image: img, volumes: [{type: volume, source: data, target: /d}]}}, volumes: {data: {}}}";
    let observed = running(&project(text));
    let changed = project(&text.replace("data: {}", "data: {labels: {a: b}}"));
    let diverged = diverged_volumes(&changed, &observed);
    assert_eq!(diverged[0].key, "data");
    assert!(plan(&changed, &observed, &Up::default()).is_noop());
    let options = Up {
        recreate_volumes: [diverged[0].key.clone()].into(),
        ..Up::default()
    };
    let plan = plan(&changed, &observed, &options);
    assert_eq!(
        lines(&plan),
        [
            "stop container p-web-1 (configuration changed)",
            "remove container p-web-1 (configuration changed)",
            "remove volume p_data (configuration changed)",
            "create volume p_data (configuration changed)",
            "create container p-web-1 (does not exist)",
            "start container p-web-1 (new)",
        ]
    );
}

#[test]
fn wait_accepts_a_one_shot_unless_strict() {
    let project = project("services: {web: {image: img}}");
    let options = Up {
        wait: true,
        wait_timeout: Some(5),
        ..Up::default()
    };
    let until = |strict| {
        let settings = Settings {
            strict,
            ..Settings::default()
        };
        let plan = up(&project, &empty(), &settings, &options).unwrap();
        match &plan.steps.last().unwrap().action {
            Action::Wait(wait) => (wait.until, wait.timeout),
            other => panic!("{other:?}"),
        }
    };
    use super::super::step::Until::RunningOrHealthy;
    assert_eq!(
        until(false),
        (RunningOrHealthy { exited_zero: true }, Some(5))
    );
    assert_eq!(
        until(true),
        (RunningOrHealthy { exited_zero: false }, Some(5))
    );
}

#[test]
fn content_of_configs_shows() {
    let text = "{services: {web: {image: img, configs: [{source: c, target: /c}]}}, configs: {c: {content: one}}}";
    let observed = running(&project(text));
    assert!(plan(&project(text), &observed, &Up::default()).is_noop());
    let changed = project(&text.replace("content: one", "content: two"));
    assert_eq!(
        lines(&plan(&changed, &observed, &Up::default()))[0],
        "recreate container p-web-1 (content of a config or secret changed)"
    );
    // Containers of docker compose have no such label and stay.
    let mut foreign = observed.clone();
    foreign.containers[0]
        .labels
        .remove("com.rcompose.content-hash");
    assert!(plan(&changed, &foreign, &Up::default()).is_noop());
}

#[test]
fn images_are_pulled_and_built_by_policy() {
    let project = project(
        "
services:
  a: {image: gone}
  b: {image: gone, build: {context: /b}}
  c: {build: {context: /c, additional_contexts: {base: 'service:b'}}}
  d: {image: img, pull_policy: always}
  e: {image: img, pull_policy: daily}
  f: {image: never, pull_policy: never}
",
    );
    let mut observed = empty();
    observed.images.get_mut("img").unwrap().last_tagged = Some(0);
    let options = |build, now| Up {
        build,
        now,
        ..Up::default()
    };
    let plan = images(
        &project,
        &observed,
        &Settings::default(),
        &options(Build::Missing, 10),
    )
    .unwrap();
    assert_eq!(
        lines(&plan),
        [
            "pull image gone (image is missing)",
            "pull image img (pull policy is always)",
            "build image gone (image is missing)",
            "build image p-c (image is missing)",
        ]
    );
    let late = images(
        &project,
        &observed,
        &Settings::default(),
        &options(Build::Always, 90_000),
    )
    .unwrap();
    assert_eq!(lines(&late)[0], "pull image gone (image is missing)");
    let never = images(
        &project,
        &observed,
        &Settings::default(),
        &options(Build::Never, 0),
    )
    .unwrap_err();
    assert!(never.to_string().contains("building is off"), "{never}");
}

#[test]
fn pre_start_hooks_run_once_before_all_replicas() {
    let project = project(
        "
services:
  web:
    image: img
    scale: 2
    pre_start:
      - {command: [a]}
      - {command: [b], per_replica: true}
",
    );
    let plan = plan(&project, &empty(), &Up::default());
    let hooks = lines(&plan)
        .iter()
        .filter(|line| line.starts_with("run pre_start"))
        .count();
    assert_eq!(hooks, 3);
    let before = before(&plan, "start container p-web-2");
    assert!(
        before
            .iter()
            .any(|line| line.starts_with("run pre_start hook 1"))
    );
    assert!(
        before
            .iter()
            .any(|line| line.starts_with("run pre_start hook 2"))
    );
}
