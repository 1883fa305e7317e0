use std::collections::HashMap;
use std::path::Path;

use bollard_stubs::models::{ContainerCreateBody, HostConfig};
use serde_json::{Value, json};

use super::*;

fn config() -> ContainerCreateBody {
    ContainerCreateBody {
        entrypoint: Some(vec!["/entry".to_owned()]),
        cmd: Some(vec!["serve".to_owned()]),
        ..ContainerCreateBody::default()
    }
}

fn try_spec(config: &ContainerCreateBody, host: &HostConfig) -> Result<Value> {
    let machine = Machine::able(false);
    let input = input(config, host, &machine);
    runtime_spec(&input).map(|spec| serde_json::to_value(spec).unwrap())
}

fn input<'a>(
    config: &'a ContainerCreateBody,
    host: &'a HostConfig,
    machine: &'a Machine,
) -> SpecInput<'a> {
    SpecInput {
        config,
        host,
        rootfs: Path::new("/no-such-root"),
        mounts: &[],
        network: Some(Path::new("/run/netns")),
        pid_of: None,
        ipc_of: None,
        shm: None,
        hostname: "box",
        domainname: "",
        cgroup: "/rcompose/abc",
        machine,
    }
}

fn spec(config: &ContainerCreateBody, host: &HostConfig) -> Value {
    try_spec(config, host).unwrap()
}

fn kinds(spec: &Value) -> Vec<&str> {
    let namespaces = spec["linux"]["namespaces"].as_array().unwrap();
    let kinds = namespaces
        .iter()
        .map(|namespace| namespace["type"].as_str().unwrap());
    kinds.collect()
}

#[test]
fn the_default_container_is_confined() {
    let spec = spec(&config(), &HostConfig::default());
    assert_eq!(spec["process"]["args"], json!(["/entry", "serve"]));
    assert_eq!(spec["process"]["cwd"], json!("/"));
    assert_eq!(spec["hostname"], json!("box"));
    assert_eq!(kinds(&spec), ["mount", "uts", "network", "pid", "ipc"]);
    assert_eq!(spec["linux"]["cgroupsPath"], json!("/rcompose/abc"));
    assert_eq!(
        spec["linux"]["seccomp"]["defaultAction"],
        json!("SCMP_ACT_ERRNO")
    );
    assert_eq!(
        spec["linux"]["resources"]["devices"][0]["allow"],
        json!(false)
    );
    let bounding = spec["process"]["capabilities"]["bounding"]
        .as_array()
        .unwrap();
    assert_eq!(bounding.len(), 14);
    assert!(spec["process"].get("noNewPrivileges").is_none());
    assert!(!spec["linux"]["maskedPaths"].as_array().unwrap().is_empty());
}

#[test]
fn privileged_containers_are_not() {
    let host = HostConfig {
        privileged: Some(true),
        ..HostConfig::default()
    };
    let spec = spec(&config(), &host);
    assert!(spec["linux"].get("seccomp").is_none());
    assert!(
        spec["process"]["capabilities"]["effective"]
            .as_array()
            .unwrap()
            .len()
            > 30
    );
    assert!(
        spec["linux"]["maskedPaths"]
            .as_array()
            .is_none_or(Vec::is_empty)
    );
}

#[test]
fn others_than_root_hold_no_capabilities() {
    let config = ContainerCreateBody {
        user: Some("1000:1000".to_owned()),
        ..config()
    };
    let spec = spec(&config, &HostConfig::default());
    assert_eq!(spec["process"]["user"]["uid"], json!(1000));
    assert_eq!(spec["process"]["capabilities"]["effective"], json!([]));
    assert!(
        !spec["process"]["capabilities"]["bounding"]
            .as_array()
            .unwrap()
            .is_empty()
    );
}

#[test]
fn the_environment_has_defaults_that_can_be_replaced() {
    let config = ContainerCreateBody {
        env: Some(vec![
            "PATH=/bin".to_owned(),
            "A=1".to_owned(),
            "A=2".to_owned(),
            "HOSTNAME".to_owned(),
        ]),
        tty: Some(true),
        ..config()
    };
    let spec = spec(&config, &HostConfig::default());
    assert_eq!(
        spec["process"]["env"],
        json!(["PATH=/bin", "TERM=xterm", "HOME=/", "A=2"])
    );
    assert_eq!(spec["process"]["terminal"], json!(true));
}

#[test]
fn namespaces_can_be_shared() {
    let mut host = HostConfig {
        pid_mode: Some("host".to_owned()),
        ipc_mode: Some("host".to_owned()),
        uts_mode: Some("host".to_owned()),
        cgroupns_mode: Some(HostConfigCgroupnsModeEnum::PRIVATE),
        ..HostConfig::default()
    };
    let shared = spec(&config(), &host);
    assert_eq!(kinds(&shared), ["mount", "network", "cgroup"]);
    assert!(shared.get("hostname").is_none());
    host.pid_mode = Some("container:abc".to_owned());
    assert_eq!(try_spec(&config(), &host).unwrap_err().status, 409);
    host.pid_mode = Some("strange".to_owned());
    assert_eq!(try_spec(&config(), &host).unwrap_err().status, 501);
    host.pid_mode = Some("container:abc".to_owned());
    let (config, machine) = (config(), Machine::able(true));
    let input = SpecInput {
        pid_of: Some(7),
        ..input(&config, &host, &machine)
    };
    let spec = serde_json::to_value(runtime_spec(&input).unwrap()).unwrap();
    let pid = json!({"type": "pid", "path": "/proc/7/ns/pid"});
    assert!(
        spec["linux"]["namespaces"]
            .as_array()
            .unwrap()
            .contains(&pid)
    );
}

#[test]
fn options_arrive() {
    let host = HostConfig {
        readonly_rootfs: Some(true),
        security_opt: Some(vec![
            "no-new-privileges".to_owned(),
            "seccomp=unconfined".to_owned(),
        ]),
        sysctls: Some(HashMap::from([(
            "net.core.somaxconn".to_owned(),
            "64".to_owned(),
        )])),
        oom_score_adj: Some(500),
        ..HostConfig::default()
    };
    let spec = spec(&config(), &host);
    assert_eq!(spec["root"]["readonly"], json!(true));
    assert_eq!(spec["process"]["noNewPrivileges"], json!(true));
    assert_eq!(spec["process"]["oomScoreAdj"], json!(500));
    assert_eq!(spec["linux"]["sysctl"]["net.core.somaxconn"], json!("64"));
    assert!(spec["linux"].get("seccomp").is_none());
}

#[test]
fn nonsense_is_refused() {
    let status =
        |config: &ContainerCreateBody| try_spec(config, &HostConfig::default()).unwrap_err().status;
    assert_eq!(status(&ContainerCreateBody::default()), 400);
    let relative = ContainerCreateBody {
        working_dir: Some("here".to_owned()),
        ..config()
    };
    assert_eq!(status(&relative), 400);
    let stranger = ContainerCreateBody {
        user: Some("stranger".to_owned()),
        ..config()
    };
    assert_eq!(status(&stranger), 400);
}

#[test]
fn another_process_has_what_the_container_has_and_more() {
    let config = ContainerCreateBody {
        env: Some(vec!["A=1".to_owned()]),
        user: Some("5".to_owned()),
        working_dir: Some("/tree".to_owned()),
        ..config()
    };
    let (host, machine) = (HostConfig::default(), Machine::able(false));
    let exec = ExecInput {
        args: &["ls".to_owned()],
        env: &["B=2".to_owned()],
        cwd: "",
        user: "",
        tty: false,
        privileged: false,
    };
    let process = exec_process(&input(&config, &host, &machine), &exec).unwrap();
    let process = serde_json::to_value(process).unwrap();
    assert_eq!(process["args"], json!(["ls"]));
    assert_eq!(process["user"]["uid"], json!(5));
    assert_eq!(process["cwd"], json!("/tree"));
    let env = process["env"].as_array().unwrap();
    assert!(env.contains(&json!("A=1")) && env.contains(&json!("B=2")));
}

#[test]
fn working_folders_are_made_inside() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root");
    std::fs::create_dir(&root).unwrap();
    std::os::unix::fs::symlink("/..", root.join("up")).unwrap();
    make_working_folder(&root, "/up/a/b").unwrap();
    make_working_folder(&root, "/").unwrap();
    assert!(root.join("a/b").is_dir());
}

#[test]
fn control_groups_are_the_containers_own_on_version_2() {
    let kind = |host: &HostConfig, unified: bool| {
        let (config, machine) = (config(), Machine::able(unified));
        let spec = runtime_spec(&input(&config, host, &machine)).unwrap();
        let spec = serde_json::to_value(spec).unwrap();
        let mounts = spec["mounts"].as_array().unwrap().clone();
        let mount = mounts
            .iter()
            .find(|mount| mount["destination"] == "/sys/fs/cgroup");
        (
            mount.unwrap()["type"].clone(),
            kinds(&spec).contains(&"cgroup"),
        )
    };
    let mut host = HostConfig {
        privileged: Some(true),
        ..HostConfig::default()
    };
    assert_eq!(kind(&host, true), (json!("cgroup"), true));
    assert_eq!(kind(&host, false), (json!("cgroup"), false));
    host.cgroupns_mode = Some(HostConfigCgroupnsModeEnum::HOST);
    assert_eq!(kind(&host, true), (json!("bind"), false));
}
