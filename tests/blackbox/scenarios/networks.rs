//! Networks: names, links, addresses and devices.

use crate::support::eventually;
use crate::support::http::get;
use crate::support::project::{Project, free_port};

/// What a program in the first container of a service prints.
fn exec(project: &Project, service: &str, command: &[&str]) -> String {
    let exec = [&["exec", "-T", service], command].concat();
    project.rcompose(&exec).success().stdout
}

#[test]
fn several_with_names_of_their_own() {
    let (web, words) = (free_port(), free_port());
    let mut project = Project::new(
        "netnamed",
        &format!(
            r#"
services:
  mydb: {{image: IMAGE, network_mode: "service:db"}}
  db: {{image: IMAGE, command: demo store /data, networks: [dbnet, close1, close2]}}
  words: {{image: IMAGE, command: demo sleep, ports: ["{words}:8080"], networks: [dbnet, servicenet]}}
  web:
    image: IMAGE
    command: demo web
    environment: {{STORE_URL: "http://db:7000"}}
    ports: ["{web}:8080"]
    networks: [servicenet, dbnet]
networks:
  dbnet: {{}}
  servicenet: {{name: "${{OWN}}"}}
  close1: {{name: "${{OWN}}-close"}}
  close2: {{name: "${{OWN}}-close-2"}}
"#
        ),
    );
    let own = format!("{}-micro", project.name);
    project.set("OWN", &own);
    let run = ["run", "--rm", "-T", "mydb", "echo", "success"];
    assert_eq!(project.rcompose(&run).success().stdout, "success\n");
    project
        .rcompose(&["up", "--detach", "db", "words", "web"])
        .success();
    eventually(60, "the front end", || get(web, "/healthz"));
    let left = project.left();
    for network in [format!("{}_dbnet", project.name), own.clone()] {
        let line = format!("network {network}");
        assert!(left.contains(&line), "{line}: {left:?}");
    }
    let published = project.rcompose(&["port", "words", "8080"]).success();
    assert_eq!(published.stdout, format!("0.0.0.0:{words}\n"));
    project.down();
}

#[test]
fn aliases_and_links() {
    let project = Project::new(
        "netalias",
        r"
services:
  one: {image: IMAGE, command: demo sleep, links: ['two:container']}
  two: {image: IMAGE, command: demo store /data, networks: {default: {aliases: [alias-of-two]}}}
",
    );
    project.rcompose(&["up", "--detach", "--wait"]).success();
    for name in ["alias-of-two", "container", "two"] {
        exec(
            &project,
            "one",
            &["demo", "get", &format!("http://{name}:7000/healthz")],
        );
    }
    project.down();
}

#[test]
fn links_on_the_engines_own_network() {
    let project = Project::new(
        "netlinks",
        r"
services:
  one: {image: IMAGE, command: demo store /data, network_mode: bridge}
  two: {image: IMAGE, command: demo sleep, network_mode: bridge, links: [one]}
",
    );
    project.rcompose(&["up", "--detach", "--wait"]).success();
    exec(&project, "two", &["demo", "get", "http://one:7000/healthz"]);
    project.down();
}

#[test]
fn a_fixed_address() {
    let project = Project::new(
        "netfixed",
        r"
services:
  foo:
    image: IMAGE
    command: demo sleep
    networks: {default: {ipv4_address: 10.234.0.100}}
networks:
  default: {ipam: {config: [{subnet: 10.234.0.0/16}]}}
",
    );
    project.rcompose(&["up", "--detach"]).success();
    let foo = project.engine().inspect(&project.container("foo", 1));
    let network = &foo["NetworkSettings"]["Networks"][format!("{}_default", project.name)];
    assert_eq!(network["IPAMConfig"]["IPv4Address"], "10.234.0.100");
    assert_eq!(network["IPAddress"], "10.234.0.100");
    project.down();
}

#[test]
fn a_network_with_other_labels_is_made_anew_in_order() {
    let mut project = Project::new(
        "netagain",
        r"
services:
  web: {image: IMAGE, command: demo sleep, networks: [test]}
networks:
  test: {labels: ['foo=${FOO:-foo}']}
",
    );
    project.rcompose(&["up", "--detach"]).success();
    project.set("FOO", "bar");
    let up = project
        .rcompose(&["--progress=plain", "up", "--detach"])
        .success();
    let (web, network) = (
        project.container("web", 1),
        format!("{}_test", project.name),
    );
    let mut rest = up.stderr.as_str();
    for line in [
        format!(" Container {web}  Stopped"),
        format!(" Network {network}  Removed"),
        format!(" Network {network}  Creating"),
        format!(" Network {network}  Created"),
        format!(" Container {web}  Starting"),
        format!(" Container {web}  Started"),
    ] {
        let (_, after) = rest
            .split_once(&line)
            .unwrap_or_else(|| panic!("{line:?} is not next: {up:?}"));
        rest = after;
    }
    project.down();
}

#[test]
fn a_changed_address_range_reaches_the_containers() {
    let mut project = Project::new(
        "netrange",
        r"
services:
  test: {image: IMAGE, command: demo sleep, networks: [test]}
networks:
  test: {ipam: {config: [{subnet: '${SUBNET:-10.235.1.0/24}'}]}}
",
    );
    let address = |project: &Project| exec(project, "test", &["hostname", "-i"]);
    project.rcompose(&["up", "--detach"]).success();
    assert!(address(&project).starts_with("10.235.1."));
    project.set("SUBNET", "10.235.2.0/24");
    project.rcompose(&["up", "--detach"]).success();
    assert!(address(&project).starts_with("10.235.2."));
    project.down();
}

#[test]
fn a_fixed_device_address() {
    let of_service = "mac_address: 00:e0:84:35:d0:e8";
    let of_network = "networks: {default: {mac_address: '00:e0:84:35:d0:e8'}}";
    for place in [of_service, of_network] {
        let compose = format!(
            "services:\n  test:\n    image: IMAGE\n    command: ip link show\n    {place}\n"
        );
        let project = Project::new("netmac", &compose);
        let run = project.rcompose(&["run", "--rm", "-T", "test"]).success();
        assert!(run.stdout.contains("00:e0:84:35:d0:e8"), "{run:?}");
        project.rcompose(&["up", "--detach"]).success();
        let container = project.engine().inspect(&project.container("test", 1));
        let networks = container["NetworkSettings"]["Networks"].as_object();
        assert_eq!(networks.map(serde_json::Map::len), Some(1));
        project
            .rcompose(&["up", "--detach", "--no-recreate"])
            .success();
        project.down();
    }
}

#[test]
fn a_fixed_device_address_and_a_name_of_the_device() {
    let project = Project::new(
        "netdevice",
        r"
services:
  test:
    image: IMAGE
    command: ip link show
    mac_address: 00:e0:84:35:d0:e8
    networks: {default: {interface_name: foobar}}
",
    );
    let run = project.rcompose(&["run", "--rm", "-T", "test"]).success();
    assert!(run.stdout.contains("foobar@"), "{run:?}");
    assert!(run.stdout.contains("00:e0:84:35:d0:e8"), "{run:?}");
    project.down();
}
