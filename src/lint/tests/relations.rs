//! Rules about services and other things that belong together.

use crate::lint::testing::{Folder, lint_text, lint_written, written};

#[test]
fn unused_definitions() {
    let text = "services:
  a: {image: 'x:1', networks: [n], volumes: ['data:/v', '/w'], secrets: [s], configs: [c]}
  b: {image: 'x:1', profiles: [p], networks: [m], build: {context: ., secrets: [t]}}
  c: {image: 'x:1', network_mode: none}
networks: {n: {}, m: {}, default: {}, gone: {external: true}}
volumes: {data: {}, lost: {}}
secrets: {s: {file: s}, t: {file: t}, u: {file: u}}
configs: {c: {content: x}, d: {content: x}}
";
    assert_eq!(
        lint_text("unused-definition", text),
        [
            "compose.yaml:5:26 unused-definition warning: no service uses the network \"default\"",
            "compose.yaml:5:39 unused-definition warning: no service uses the network \"gone\"",
            "compose.yaml:6:21 unused-definition warning: no service uses the volume \"lost\"",
            "compose.yaml:7:39 unused-definition warning: no service uses the secret \"u\"",
            "compose.yaml:8:28 unused-definition warning: no service uses the config \"d\"",
        ]
    );
}

#[test]
fn what_only_the_default_network_is_used_for_is_used() {
    let text = "services: {a: {image: 'x:1'}}\nnetworks: {default: {driver: bridge}}\n";
    assert_eq!(lint_text("unused-definition", text), [""; 0]);
}

#[test]
fn definitions_of_base_files_do_not_count_those_of_included_files_do() {
    let folder = Folder::new(&[
        (
            "compose.yaml",
            "include: [i.yaml]\nservices: {a: {extends: {file: b.yaml, service: b}}}",
        ),
        (
            "b.yaml",
            "services: {b: {image: 'x:1'}}\nvolumes: {other: {}}",
        ),
        (
            "i.yaml",
            "services: {i: {image: 'x:1'}}\nvolumes: {lost: {}}",
        ),
    ]);
    let found = folder.lint(&["unused-definition"]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("i.yaml:2:11"), "{found:?}");
}

#[test]
fn healthchecks_and_conditions() {
    let text = "services:
  a:
    image: x:1
    depends_on:
      none: {condition: service_healthy}
      off: {condition: service_healthy}
      on: {condition: service_healthy}
      timed: {condition: service_healthy}
  b: {image: 'x:1', depends_on: [on, none, off]}
  none: {image: 'x:1'}
  off: {image: 'x:1', healthcheck: {disable: true}}
  on: {image: 'x:1', healthcheck: {test: 'true'}}
  timed: {image: 'x:1', healthcheck: {interval: 1s}}
";
    assert_eq!(
        lint_text("missing-healthcheck", text),
        [
            "compose.yaml:5:7 missing-healthcheck warning: service \"a\" waits for \"none\" to be \
             healthy, which has no healthcheck here",
            "compose.yaml:6:7 missing-healthcheck error: service \"a\" waits for \"off\" to be \
             healthy, whose healthcheck is off",
        ]
    );
    assert_eq!(
        lint_text("started-not-healthy", text),
        [
            "compose.yaml:9:34 started-not-healthy note: service \"b\" starts as soon as \"on\" has \
          started, not when it is healthy"
        ]
    );
}

#[test]
fn one_offs_that_are_restarted() {
    let text = "services:
  a:
    image: x:1
    depends_on:
      m: {condition: service_completed_successfully}
      n: {condition: service_completed_successfully}
      o: {condition: service_started}
  m: {image: 'x:1', restart: unless-stopped}
  n: {image: 'x:1', restart: on-failure}
  o: {image: 'x:1', restart: always}
";
    assert_eq!(
        lint_text("oneoff-restart", text),
        [
            "compose.yaml:8:30 oneoff-restart warning: service \"m\" never completes: \
          `unless-stopped` restarts it, while \"a\" waits for its end"
        ]
    );
}

#[test]
fn ports_of_the_host() {
    let text = "services:
  a: {image: 'x:1', ports: ['80:80', '127.0.0.1:90:90', '53:53/udp', '8000-8010:81']}
  b: {image: 'x:1', ports: ['80-81:80-81', '127.0.0.2:90:90', '53:53', '8000:82']}
  c: {image: 'x:1', ports: ['81:81'], profiles: [p]}
  d: {image: 'x:1', ports: ['99:99'], profiles: [p, q]}
  e: {image: 'x:1', ports: ['99:99'], profiles: [r]}
  f: {image: 'x:1', ports: ['70:70'], deploy: {replicas: 2}}
  g: {image: 'x:1', ports: ['70:70'], scale: 0}
  h: {image: 'x:1', ports: ['60:60', '60:61', '62', '62']}
";
    assert_eq!(
        lint_text("duplicate-port", text),
        [
            "compose.yaml:3:29 duplicate-port error: port 80 of the host is published by service \
             \"b\" and by \"a\"",
            "compose.yaml:4:29 duplicate-port warning: port 81 of the host is published by service \
             \"c\" and by \"b\" when its profile is enabled",
            "compose.yaml:6:29 duplicate-port note: port 99 of the host is published by service \
             \"e\" and by \"d\" when both of their profiles are enabled",
            "compose.yaml:7:29 duplicate-port error: port 70 of the host can be that of one of the 2 \
             replicas of service \"f\" only",
            "compose.yaml:9:38 duplicate-port error: service \"h\" publishes port 60 of the host twice",
        ]
    );
}

#[test]
fn what_a_template_service_shares_is_a_note() {
    let text = "services:
  base: {image: 'x:1', container_name: one, ports: ['80:80'], profiles: [never]}
  a: {extends: base, profiles: !reset []}
";
    let found = Folder::new(&[("compose.yaml", text)])
        .lint(&["duplicate-port", "duplicate-container-name"]);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found.iter().all(|line| line.contains(" note: ")),
        "{found:?}"
    );
}

#[test]
fn container_names() {
    let text = "services:
  a: {image: 'x:1', container_name: one, profiles: [p]}
  b: {image: 'x:1', container_name: one, profiles: [q]}
  d: {image: 'x:1', container_name: one}
";
    assert_eq!(
        lint_text("duplicate-container-name", text),
        [
            "compose.yaml:3:37 duplicate-container-name note: container name \"one\" of service \"b\" \
             is also that of service \"a\"",
            "compose.yaml:4:37 duplicate-container-name warning: container name \"one\" of service \
             \"d\" is also that of service \"b\"",
        ]
    );
}

const PROFILES: &str = "services:
  web: {image: 'x:1', depends_on: [db]}
  db: {image: 'x:1', profiles: [data]}
  tool: {image: 'x:1', profiles: [tools, data], depends_on: [db]}
  lazy: {image: 'x:1', depends_on: {db: {condition: service_started, required: false}}}
";

#[test]
fn profiles_that_fail_alone() {
    assert_eq!(
        lint_text("unreachable-profile", PROFILES),
        [
            "compose.yaml:2:36 unreachable-profile error: service \"web\" is always enabled and \
             depends on \"db\", which is only with profile \"data\": without, no command works",
            "compose.yaml:4:62 unreachable-profile warning: `--profile tools` alone fails: service \
             \"tool\" depends on \"db\", which is only enabled with profile \"data\"",
        ]
    );
}

#[test]
fn profiles_that_are_enabled() {
    let folder = Folder::new(&[
        ("compose.yaml", PROFILES),
        (".env", "COMPOSE_PROFILES=data,dta"),
    ]);
    let found = folder.lint(&["unreachable-profile", "unknown-profile"]);
    assert!(found[0].starts_with("unknown-profile warning"), "{found:?}");
    assert!(
        found[1].contains("unreachable-profile warning"),
        "{found:?}"
    );
    let mut options = folder.options();
    options.profiles = vec!["*".to_owned()];
    assert_eq!(
        lint_written(&written(&options), &["unknown-profile"]),
        [""; 0]
    );
}
