use serde_json::{Value, json};

use super::super::observed::{ApiVersion, Observed};
use super::super::options::{Run, Settings, Up};
use super::super::step::{Action, Create, InheritedMount, Plan};
use super::super::testing::{empty, project};
use super::super::{hash, reconcile};
use super::{CreateRequest, Resolved, request};
use crate::compose::Project;

fn on(minor: u32) -> Settings {
    Settings {
        api: ApiVersion::v1(minor),
        ..Settings::default()
    }
}

fn creates(plan: Plan) -> Vec<Create> {
    let found = plan.steps.into_iter().filter_map(|step| match step.action {
        Action::Create(create) => Some(create),
        _ => None,
    });
    found.collect()
}

/// The action that creates the first container of a service.
fn create(project: &Project, service: &str, settings: &Settings) -> Create {
    let observed = Observed {
        api: settings.api,
        ..empty()
    };
    let plan = reconcile::up(project, &observed, settings, &Up::default()).unwrap();
    let mut all = creates(plan);
    let index = all.iter().position(|create| create.service.name == service);
    all.remove(index.unwrap())
}

fn made(text: &str, settings: &Settings) -> CreateRequest {
    let project = project(text);
    let create = create(&project, "web", settings);
    request(&project, settings, &create, &Resolved::default()).unwrap()
}

/// The body as JSON.
fn body(text: &str, settings: &Settings) -> Value {
    serde_json::to_value(made(text, settings).body).unwrap()
}

fn host(attributes: &str) -> Value {
    let text = format!("services: {{web: {{image: img, {attributes}}}}}");
    body(&text, &on(51))["HostConfig"].clone()
}

#[test]
fn a_plain_service() {
    let text = "services: {web: {image: img, command: [sleep, '1'], labels: {my.label: x}, environment: {A: '1', B: null}}}";
    let actual = body(text, &on(41));
    let hash = hash::service(&project(text).services["web"]);
    assert_eq!(
        actual,
        json!({
            "AttachStdin": false,
            "AttachStdout": true,
            "AttachStderr": true,
            "Tty": false,
            "OpenStdin": false,
            "StdinOnce": false,
            "Cmd": ["sleep", "1"],
            "Env": ["A=1", "B"],
            "Image": "img",
            "Labels": {
                "com.docker.compose.config-hash": hash,
                "com.docker.compose.container-number": "1",
                "com.docker.compose.depends_on": "",
                "com.docker.compose.image": "sha256:1",
                "com.docker.compose.oneoff": "False",
                "com.docker.compose.project": "p",
                "com.docker.compose.project.config_files": "/w/compose.yaml",
                "com.docker.compose.project.working_dir": "/w",
                "com.docker.compose.service": "web",
                "com.docker.compose.version": "2.40.3",
                "my.label": "x",
            },
            "HostConfig": {
                "AutoRemove": false,
                "ExtraHosts": [],
                "NetworkMode": "p_default",
                "OomKillDisable": false,
                "PortBindings": {},
                "Privileged": false,
                "ReadonlyRootfs": false,
            },
            "NetworkingConfig": {"EndpointsConfig": {"p_default": {"Aliases": ["p-web-1", "web"]}}},
        })
    );
}

#[test]
fn networks_by_version() {
    let text = "
services:
  web:
    image: img
    networks:
      back: null
      front: {priority: 10, aliases: [www], ipv4_address: 10.0.0.9}
networks: {back: {}, front: {}}
";
    let old = made(text, &on(41));
    let endpoints = |request: &CreateRequest| {
        let config = request.body.networking_config.clone().unwrap();
        let mut names: Vec<String> = config.endpoints_config.unwrap().into_keys().collect();
        names.sort();
        names
    };
    assert_eq!(endpoints(&old), ["p_front"]);
    let host = old.body.host_config.clone().unwrap();
    assert_eq!(host.network_mode.as_deref(), Some("p_front"));
    assert_eq!(old.connect.len(), 1);
    assert_eq!(old.connect[0].0, "p_back");
    let first = old
        .body
        .networking_config
        .unwrap()
        .endpoints_config
        .unwrap();
    let first = first["p_front"].clone();
    assert_eq!(first.aliases.unwrap(), ["p-web-1", "web", "www"]);
    let address = first.ipam_config.unwrap().ipv4_address;
    assert_eq!(address.as_deref(), Some("10.0.0.9"));
    let new = made(text, &on(44));
    assert_eq!(endpoints(&new), ["p_back", "p_front"]);
    assert!(new.connect.is_empty());
}

#[test]
fn network_modes_have_no_endpoints() {
    let request = made("services: {web: {image: img, network_mode: host}}", &on(41));
    let mode = request.body.host_config.unwrap().network_mode;
    assert_eq!(mode.as_deref(), Some("host"));
    assert_eq!(request.body.networking_config, None);
}

#[test]
fn ports() {
    let text = "
services:
  web:
    image: img
    expose: ['9000']
    ports:
      - {mode: ingress, target: 80, published: '8080', protocol: tcp}
      - {mode: ingress, target: 80, published: '8081-8085', host_ip: 127.0.0.1, protocol: tcp}
      - {mode: ingress, target: 53, protocol: udp}
";
    let body = body(text, &on(41));
    assert_eq!(
        body["ExposedPorts"],
        json!({"53/udp": {}, "80/tcp": {}, "9000": {}})
    );
    assert_eq!(
        body["HostConfig"]["PortBindings"],
        json!({
            "53/udp": [{"HostIp": "", "HostPort": ""}],
            "80/tcp": [
                {"HostIp": "", "HostPort": "8080"},
                {"HostIp": "127.0.0.1", "HostPort": "8081-8085"},
            ],
        })
    );
}

#[test]
fn mounts_take_the_short_form_where_it_is_enough() {
    let text = "
services:
  web:
    image: img
    tmpfs: ['/run:size=1m', /tmp]
    volumes:
      - {type: bind, source: /a, target: /short, bind: {create_host_path: true, selinux: z}}
      - {type: bind, source: /b, target: /long, read_only: true, bind: {create_host_path: false}}
      - {type: volume, source: data, target: /data, read_only: true}
      - {type: volume, source: data, target: /raw, volume: {nocopy: true}}
      - {type: volume, target: /anonymous}
      - {type: tmpfs, target: /mem, tmpfs: {size: '1024'}}
    secrets: [{source: s, target: /run/secrets/s}]
    configs: [{source: c}]
volumes: {data: {}}
secrets: {s: {file: /s}}
configs: {c: {file: /c}}
";
    let host = body(text, &on(51))["HostConfig"].clone();
    assert_eq!(host["Binds"], json!(["/a:/short:rw,z", "p_data:/data:ro"]));
    assert_eq!(host["Tmpfs"], json!({"/run": "size=1m", "/tmp": ""}));
    assert_eq!(
        host["Mounts"],
        json!([
            {"Type": "bind", "Source": "/b", "Target": "/long", "ReadOnly": true, "BindOptions": {}},
            {"Type": "volume", "Source": "p_data", "Target": "/raw", "ReadOnly": false, "VolumeOptions": {"NoCopy": true}},
            {"Type": "volume", "Target": "/anonymous", "ReadOnly": false},
            {"Type": "tmpfs", "Target": "/mem", "ReadOnly": false, "TmpfsOptions": {"SizeBytes": 1024}},
            {"Type": "bind", "Source": "/s", "Target": "/run/secrets/s", "ReadOnly": true, "BindOptions": {}},
            {"Type": "bind", "Source": "/c", "Target": "/c", "ReadOnly": true},
        ])
    );
}

#[test]
fn inherited_mounts_fill_anonymous_volumes() {
    let text = "services: {web: {image: img, volumes: [{type: volume, target: /a}]}}";
    let project = project(text);
    let settings = on(41);
    let mut create = create(&project, "web", &settings);
    create.inherited = vec![InheritedMount {
        kind: "volume".to_owned(),
        source: "abc".to_owned(),
        target: "/a".to_owned(),
        read_only: false,
    }];
    let request = request(&project, &settings, &create, &Resolved::default()).unwrap();
    let mounts = serde_json::to_value(request.body.host_config.unwrap().mounts).unwrap();
    assert_eq!(
        mounts,
        json!([{"Type": "volume", "Source": "abc", "Target": "/a", "ReadOnly": false}])
    );
}

#[test]
fn resources() {
    let host = host(
        "cpus: 0.1, mem_limit: '1024', memswap_limit: '-1', pids_limit: 7, cpu_shares: 3, shm_size: '65536',
         ulimits: {nproc: 5, nofile: {soft: 1, hard: 2}},
         devices: [{source: /dev/a, target: /dev/b, permissions: r}, {source: v.com/gpu=all, target: v.com/gpu=all, permissions: rwm}],
         gpus: [{count: -1}],
         deploy: {resources: {limits: {cpus: 0.5, memory: '2048'}, reservations: {memory: '512'}}}",
    );
    let picked =
        |names: &[&str]| -> Vec<Value> { names.iter().map(|name| host[*name].clone()).collect() };
    assert_eq!(
        picked(&[
            "NanoCpus",
            "Memory",
            "MemorySwap",
            "MemoryReservation",
            "PidsLimit",
            "CpuShares",
            "ShmSize"
        ]),
        [
            json!(500_000_000),
            json!(2048),
            json!(-1),
            json!(512),
            json!(7),
            json!(3),
            json!(65536)
        ]
    );
    assert_eq!(
        host["Ulimits"],
        json!([
            {"Name": "nofile", "Soft": 1, "Hard": 2},
            {"Name": "nproc", "Soft": 5, "Hard": 5},
        ])
    );
    assert_eq!(
        host["Devices"],
        json!([{"PathOnHost": "/dev/a", "PathInContainer": "/dev/b", "CgroupPermissions": "r"}])
    );
    assert_eq!(
        host["DeviceRequests"],
        json!([
            {"Driver": "cdi", "DeviceIDs": ["v.com/gpu=all"]},
            {"Driver": "", "Count": -1, "Capabilities": [["gpu"]]},
        ])
    );
}

#[test]
fn restart_policies() {
    let policy = |attributes: &str| host(attributes)["RestartPolicy"].clone();
    assert_eq!(
        policy("restart: 'on-failure:3'"),
        json!({"Name": "on-failure", "MaximumRetryCount": 3})
    );
    assert_eq!(
        policy("restart: always, deploy: {restart_policy: {condition: none}}"),
        json!({"Name": "no", "MaximumRetryCount": 0})
    );
    assert_eq!(policy("init: true"), Value::Null);
    let text = "services: {web: {image: img, restart: sometimes}}";
    let project = project(text);
    let create = create(&project, "web", &on(41));
    let error = request(&project, &on(41), &create, &Resolved::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "service \"web\" has an unknown value \"sometimes\" for restart"
    );
}

#[test]
fn security_options() {
    let text = "services: {web: {image: img, security_opt: ['no-new-privileges:true', 'systempaths=unconfined', 'seccomp=/p.json', 'seccomp:unconfined']}}";
    let project = project(text);
    let create = create(&project, "web", &on(41));
    assert_eq!(create.seccomp_files, ["/p.json"]);
    let resolved = Resolved {
        seccomp: [(
            "/p.json".to_owned(),
            "{ \"b\": 1,\n \"a\": [ ] }".to_owned(),
        )]
        .into(),
        ..Resolved::default()
    };
    let request = request(&project, &on(41), &create, &resolved).unwrap();
    let host = request.body.host_config.unwrap();
    assert_eq!(
        host.security_opt.unwrap(),
        [
            "no-new-privileges:true",
            "seccomp={\"b\":1,\"a\":[]}",
            "seccomp:unconfined"
        ]
    );
    assert_eq!(host.masked_paths, Some(Vec::new()));
}

#[test]
fn healthchecks() {
    let text =
        "services: {web: {image: img, healthcheck: {test: [CMD, a], interval: 1s, retries: 3}}}";
    assert_eq!(
        body(text, &on(41))["Healthcheck"],
        json!({"Test": ["CMD", "a"], "Interval": 1_000_000_000, "Retries": 3})
    );
    let text = "services: {web: {image: img, healthcheck: {disable: true}}}";
    assert_eq!(
        body(text, &on(41))["Healthcheck"],
        json!({"Test": ["NONE"]})
    );
}

#[test]
fn references_and_proxy_are_filled_in() {
    let text = "
services:
  web: {image: img, volumes_from: ['db:ro'], pid: 'service:db', environment: {http_proxy: own}}
  db: {image: img}
";
    let project = project(&text.replace(
        "web: {",
        "web: {depends_on: {db: {condition: service_started}}, ",
    ));
    let settings = on(41);
    let create = create(&project, "web", &settings);
    assert_eq!(create.references[0].0, "db");
    let resolved = Resolved {
        ids: [("db".to_owned(), "abc".to_owned())].into(),
        proxy: [("http_proxy", "http://x"), ("no_proxy", "y")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
        ..Resolved::default()
    };
    let request = request(&project, &settings, &create, &resolved).unwrap();
    assert_eq!(request.body.env.unwrap(), ["no_proxy=y", "http_proxy=own"]);
    let host = request.body.host_config.unwrap();
    assert_eq!(host.volumes_from.unwrap(), ["abc:ro"]);
    assert_eq!(host.pid_mode.as_deref(), Some("container:abc"));
}

#[test]
fn links_name_containers() {
    let text = "
services:
  web: {image: img, links: ['db:database'], external_links: [other], depends_on: {db: {condition: service_started, restart: true}}}
  db: {image: img}
";
    let host = body(text, &on(41))["HostConfig"].clone();
    assert_eq!(
        host["Links"],
        json!([
            "p-db-1:database",
            "p-db-1:db-1",
            "p-db-1:p-db-1",
            "other:other"
        ])
    );
}

#[test]
fn one_offs_have_no_ports_policy_number_or_service_alias() {
    let project = project(
        "services: {web: {image: img, restart: always, ports: [{target: 80, published: '80', protocol: tcp}]}}",
    );
    let settings = on(41);
    let options = Run {
        service: "web".to_owned(),
        slug: "ab".repeat(32),
        interactive: true,
        auto_remove: true,
        ..Run::default()
    };
    let plan = reconcile::run(&project, &empty(), &settings, &options).unwrap();
    let create = creates(plan).pop().unwrap();
    let request = request(&project, &settings, &create, &Resolved::default()).unwrap();
    let labels = request.body.labels.unwrap();
    assert_eq!(labels["com.docker.compose.oneoff"], "True");
    assert_eq!(labels["com.docker.compose.slug"], "ab".repeat(32));
    assert!(!labels.contains_key("com.docker.compose.container-number"));
    let host = request.body.host_config.unwrap();
    assert_eq!(host.port_bindings, Some(std::collections::HashMap::new()));
    assert_eq!(host.restart_policy, None);
    assert_eq!(host.auto_remove, Some(true));
    assert_eq!(request.body.stdin_once, Some(true));
    let endpoints = request
        .body
        .networking_config
        .unwrap()
        .endpoints_config
        .unwrap();
    let aliases = endpoints["p_default"].aliases.clone().unwrap();
    assert_eq!(aliases, ["p-web-run-abababababab"]);
}

#[test]
fn use_api_socket_mounts_the_socket() {
    let host = host("use_api_socket: true");
    assert_eq!(
        host["Binds"],
        json!(["/var/run/docker.sock:/var/run/docker.sock:rw"])
    );
}
