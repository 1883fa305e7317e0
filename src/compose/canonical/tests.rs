use super::{Context, canonicalize, expand_lists};
use crate::compose::testing::{messages, node, show};

/// The long form of a service written in short form.
fn long(service: &str) -> String {
    let mut tree = node(&format!("services: {{a: {{{service}}}}}"));
    let mut problems = Vec::new();
    canonicalize(
        &mut tree,
        &mut Context {
            lenient: false,
            problems: &mut problems,
            budget: &mut crate::compose::budget::Budget::new(),
        },
    );
    assert_eq!(messages(&problems), Vec::<&str>::new());
    show(tree.at(&["services", "a"]).unwrap())
}

fn problems(text: &str) -> Vec<String> {
    let mut tree = node(text);
    let mut problems = Vec::new();
    canonicalize(
        &mut tree,
        &mut Context {
            lenient: false,
            problems: &mut problems,
            budget: &mut crate::compose::budget::Budget::new(),
        },
    );
    problems
        .into_iter()
        .map(|problem| problem.message)
        .collect()
}

#[test]
fn ports_expand() {
    assert_eq!(
        long("ports: ['8080:80', 90, '1-2:3-4']"),
        r#"{"ports":[{"mode":"ingress","target":80,"protocol":"tcp","published":"8080"},{"mode":"ingress","target":90,"protocol":"tcp"},{"mode":"ingress","target":3,"protocol":"tcp","published":"1"},{"mode":"ingress","target":4,"protocol":"tcp","published":"2"}]}"#
    );
}

#[test]
fn mounts_expand() {
    assert_eq!(
        long("volumes: ['./a:/b/:ro', 'vol:/c', '/dd']"),
        r#"{"volumes":[{"type":"bind","source":"./a","target":"/b","read_only":true,"bind":{"create_host_path":true}},{"type":"volume","source":"vol","target":"/c","volume":{}},{"type":"volume","target":"/dd","volume":{}}]}"#
    );
}

#[test]
fn service_attributes_expand() {
    assert_eq!(
        long("build: ., depends_on: [b], networks: [n], secrets: [s], env_file: e, gpus: all"),
        r#"{"build":{"context":"."},"depends_on":{"b":{"condition":"service_started","required":true}},"networks":{"n":null},"secrets":[{"source":"s"}],"env_file":[{"path":"e","required":true}],"gpus":[{"count":"all"}]}"#
    );
    assert_eq!(
        long("devices: ['/a', '/b:/c:r'], dns: 1.1.1.1, extends: base"),
        r#"{"devices":[{"source":"/a","target":"/a","permissions":"rwm"},{"source":"/b","target":"/c","permissions":"r"}],"dns":["1.1.1.1"],"extends":{"service":"base"}}"#
    );
    assert_eq!(
        long("build: {ssh: [default, a=b], additional_contexts: [x=y], sbom: true}"),
        r#"{"build":{"ssh":{"default":null,"a":"b"},"additional_contexts":{"x":"y"},"sbom":"true"}}"#
    );
}

#[test]
fn a_wrong_type_is_left_for_decoding() {
    assert_eq!(
        long("ports: yes, networks: 5, depends_on: [{}], volumes: [1]"),
        r#"{"ports":"yes","networks":5,"depends_on":[{}],"volumes":[1]}"#
    );
}

#[test]
fn external_name_is_taken_over_with_a_warning() {
    let mut tree = node("networks: {n: {external: {name: x}}}");
    let mut problems = Vec::new();
    canonicalize(
        &mut tree,
        &mut Context {
            lenient: false,
            problems: &mut problems,
            budget: &mut crate::compose::budget::Budget::new(),
        },
    );
    assert_eq!(
        show(&tree),
        r#"{"networks":{"n":{"external":true,"name":"x"}}}"#
    );
    assert_eq!(
        messages(&problems),
        ["networks.n: `external.name` is deprecated"]
    );
}

#[test]
fn unreadable_text_is_reported_at_its_place() {
    assert_eq!(
        problems("services: {a: {ports: [x], volumes: ['aa::b'], devices: ['a:b:c:d']}}"),
        [
            "port \"x\" cannot be read: \"x\" is no port from 0 to 65535",
            "volume \"aa::b\" cannot be read: there is nothing between two colons",
            "device \"a:b:c:d\" has too many colons",
        ]
    );
}

#[test]
fn lists_of_assignments_become_mappings() {
    let mut tree = node("services: {a: {environment: [A=1, B, C=], labels: [x=y, z]}}");
    expand_lists(&mut tree);
    assert_eq!(
        show(tree.at(&["services", "a"]).unwrap()),
        r#"{"environment":{"A":"1","B":null,"C":""},"labels":{"x":"y","z":""}}"#
    );
}
