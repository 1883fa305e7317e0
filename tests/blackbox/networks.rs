//! Networks and names on them.

use crate::support::project::Project;

fn exec(project: &Project, service: &str, command: &[&str]) -> String {
    let container = project.container(service, 1);
    let mut arguments = vec!["exec", &container];
    arguments.extend(command);
    project.engine().docker(&arguments)
}

#[test]
fn aliases_addresses_and_isolation() {
    let project = Project::new(
        "nets",
        r"
services:
  db:
    image: IMAGE
    command: demo store /data
    networks:
      back:
        aliases: [database, archive]
        ipv4_address: 10.232.7.9
  web:
    image: IMAGE
    command: demo sleep
    hostname: front-host
    extra_hosts: ['elsewhere:10.1.2.3']
    networks: [front, back]
  alone:
    image: IMAGE
    command: demo sleep
    networks: [front]
networks:
  front: {}
  back:
    internal: true
    driver_opts: {com.docker.network.bridge.enable_icc: 'true'}
    ipam: {config: [{subnet: 10.232.7.0/24}]}
    labels: {purpose: test}
",
    );
    project.rcompose(&["up", "--detach"]).success();
    for name in [
        "db",
        "database",
        "archive",
        &project.container("db", 1),
        "10.232.7.9",
    ] {
        exec(
            &project,
            "web",
            &["demo", "get", &format!("http://{name}:7000/healthz")],
        );
    }
    assert_eq!(exec(&project, "web", &["hostname"]), "front-host");
    assert!(exec(&project, "web", &["cat", "/etc/hosts"]).contains("10.1.2.3\telsewhere"));
    let lookup = std::process::Command::new("docker")
        .args([
            "exec",
            &project.container("alone", 1),
            "timeout",
            "1",
            "nslookup",
            "db",
        ])
        .env("DOCKER_HOST", &project.engine().host)
        .output()
        .expect("docker runs");
    assert!(
        !lookup.status.success(),
        "db is on another network: {lookup:?}"
    );
    let back = project.engine().inspect(&format!("{}_back", project.name));
    assert_eq!(back["Internal"], true);
    assert_eq!(back["Labels"]["purpose"], "test");
    assert_eq!(back["Labels"]["com.docker.compose.network"], "back");
    project.down();
}

#[test]
fn an_external_network_is_used_and_kept() {
    let mut project = Project::new(
        "extnet",
        r"
services:
  web: {image: IMAGE, command: demo sleep, networks: [shared]}
networks:
  shared: {external: true, name: '${SHARED}'}
",
    );
    let name = format!("{}-shared", project.name);
    project.set("SHARED", &name);
    let missing = project.rcompose(&["up", "--detach"]);
    assert_eq!(missing.code, 1, "{missing:?}");
    missing.says(&name);
    project.assert_nothing_left();
    project.engine().docker(&["network", "create", &name]);
    project.rcompose(&["up", "--detach"]).success();
    project.down();
    project.engine().docker(&["network", "rm", &name]);
}

#[test]
fn modes_without_a_network_of_their_own() {
    let project = Project::new(
        "modes",
        r"
services:
  db: {image: IMAGE, command: demo store /data}
  beside: {image: IMAGE, command: demo sleep, network_mode: 'service:db'}
  none: {image: IMAGE, command: demo sleep, network_mode: none}
  host: {image: IMAGE, command: demo sleep, network_mode: host}
",
    );
    project.rcompose(&["up", "--detach"]).success();
    exec(
        &project,
        "beside",
        &["demo", "get", "http://127.0.0.1:7000/healthz"],
    );
    let links = exec(&project, "none", &["ls", "/sys/class/net"]);
    assert_eq!(links, "lo");
    let before = project.container_ids();
    project.rcompose(&["up", "--detach"]).success();
    assert_eq!(
        before,
        project.container_ids(),
        "a reference to a service is no change"
    );
    project.down();
}

#[test]
fn a_changed_network_is_made_anew() {
    let mut project = Project::new(
        "netchange",
        r"
services:
  web: {image: IMAGE, command: demo sleep, networks: [back]}
networks:
  back: {ipam: {config: [{subnet: '${SUBNET}'}]}}
",
    );
    project.set("SUBNET", "10.233.1.0/24");
    project.rcompose(&["up", "--detach"]).success();
    project.set("SUBNET", "10.233.2.0/24");
    project.rcompose(&["up", "--detach"]).success();
    let back = project.engine().inspect(&format!("{}_back", project.name));
    assert_eq!(back["IPAM"]["Config"][0]["Subnet"], "10.233.2.0/24");
    let web = project.engine().inspect(&project.container("web", 1));
    assert_eq!(web["State"]["Running"], true);
    project.down();
}
