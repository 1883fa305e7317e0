//! Rules about single services.

use crate::lint::testing::{Folder, lint_text};

#[test]
fn docker_socket() {
    let text = "services:
  a: {image: 'x:1', volumes: ['/var/run/docker.sock:/var/run/docker.sock:ro']}
  b: {image: 'x:1', volumes: [{type: bind, source: /run/podman/podman.sock, target: /s}]}
  c: {image: 'x:1', volumes: ['/var/run:/var/run', 'docker.sock:/x']}
  d: {image: 'x:1', use_api_socket: true}
volumes: {docker.sock: {}}
";
    let found = lint_text("docker-socket", text);
    let places: Vec<&str> = found
        .iter()
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert_eq!(
        places,
        [
            "compose.yaml:2:31",
            "compose.yaml:3:52",
            "compose.yaml:5:21"
        ],
        "{found:?}"
    );
}

#[test]
fn floating_tag() {
    let text = "services:
  a: {image: nginx}
  b: {image: 'ghcr.io/x/y:latest'}
  c: {image: 'nginx:1.27'}
  d: {image: 'nginx:${TAG:-latest}'}
  e: {image: app, build: .}
  f: {image: 'app:latest'}
  g: {image: local, pull_policy: never}
";
    assert_eq!(
        lint_text("floating-tag", text),
        [
            "compose.yaml:2:14 floating-tag warning: image nginx of service \"a\" has no tag: each \
             pull may bring another one",
            "compose.yaml:3:14 floating-tag warning: image ghcr.io/x/y:latest of service \"b\" has \
             the tag `latest`: each pull may bring another one",
            "compose.yaml:5:14 floating-tag note: image nginx:latest of service \"d\" has the tag \
             `latest`: each pull may bring another one",
        ]
    );
}

#[test]
fn ports_on_the_network_of_the_host() {
    let text = "services:
  a: {image: 'x:1', network_mode: host, ports: ['80:80']}
  b: {image: 'x:1', network_mode: host}
  c: {image: 'x:1', ports: ['80:80']}
";
    assert_eq!(
        lint_text("host-network-ports", text),
        [
            "compose.yaml:2:41 host-network-ports warning: `ports` of service \"a\" have no effect: \
          it is on the host's network"
        ]
    );
}

#[test]
fn links_and_privileges() {
    let text = "services:
  a: {image: 'x:1', links: [b], privileged: true}
  b: {image: 'x:1', privileged: false}
";
    assert_eq!(
        lint_text("links", text),
        [
            "compose.yaml:2:21 links note: service \"a\" needs no `links`: services on a network \
          reach each other by name"
        ]
    );
    assert_eq!(
        lint_text("privileged", text),
        [
            "compose.yaml:2:33 privileged note: service \"a\" is privileged: it can do anything on the host"
        ]
    );
}

#[test]
fn version() {
    let folder = Folder::new(&[
        (
            "compose.yaml",
            "version: '3'\nservices: {a: {extends: {file: b.yaml, service: b}}}",
        ),
        ("b.yaml", "version: '2'\nservices: {b: {image: 'x:1'}}"),
    ]);
    let found = folder.lint(&[]);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found.iter().all(|line| line.contains("obsolete-version")),
        "{found:?}"
    );
}

#[test]
fn missing_files() {
    let folder = Folder::new(&[
        (
            "compose.yaml",
            "services:
  a:
    image: x:1
    env_file: [a.env, {path: b.env, required: false}, there.env]
    volumes:
      - ./nginx.conf:/etc/nginx/nginx.conf
      - ./there.conf:/etc/nginx/there.conf
      - ./data:/data
      - ./conf.d:/etc/conf.d
      - ${D:-./e.conf}:/e.conf
      - /opt/other.conf:/other.conf
      - {type: bind, source: ./gone, target: /gone, bind: {create_host_path: false}}
    configs: [c]
configs: {c: {file: ./c.yaml}}
",
        ),
        ("there.env", ""),
        ("there.conf", ""),
    ]);
    assert_eq!(
        folder.lint(&["missing-file"]),
        [
            "compose.yaml:4:16 missing-file warning: env file a.env of service \"a\" does not exist: \
             \"up\" fails",
            "compose.yaml:6:9 missing-file warning: nginx.conf, mounted by service \"a\", does not \
             exist: the engine makes a folder in its place",
            "compose.yaml:12:30 missing-file warning: gone, mounted by service \"a\", does not exist: \
             \"up\" fails",
            "compose.yaml:14:21 missing-file warning: file c.yaml of config \"c\" does not exist",
        ]
    );
}
