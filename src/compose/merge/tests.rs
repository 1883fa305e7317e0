use super::{Directives, enforce_unique, merge};
use crate::compose::testing::{messages, node, show};

/// Merges `over` into `base` as an override file would be, and shows the result.
fn merged(base: &str, over: &str) -> String {
    let mut tree = node(base);
    let mut over = node(over);
    let mut problems = Vec::new();
    let directives = Directives::take(&mut over);
    directives.apply(&mut tree);
    merge(&mut tree, over, &mut problems);
    enforce_unique(&mut tree);
    assert_eq!(messages(&problems), Vec::<&str>::new());
    show(&tree)
}

/// Merges two values of one attribute of a service.
fn service(base: &str, over: &str) -> String {
    let wrap = |text: &str| format!("services: {{a: {{{text}}}}}");
    let shown = merged(&wrap(base), &wrap(over));
    let inner = shown.strip_prefix(r#"{"services":{"a":"#).unwrap();
    inner.strip_suffix("}}").unwrap().to_owned()
}

#[test]
fn scalars_replace_and_null_keeps() {
    assert_eq!(service("image: x", "image: y"), r#"{"image":"y"}"#);
    assert_eq!(service("image: x", "image: null"), r#"{"image":"x"}"#);
}

#[test]
fn sequences_append_without_redefinitions() {
    assert_eq!(
        service("cap_add: [A, B]", "cap_add: [B, C]"),
        r#"{"cap_add":["A","B","C"]}"#
    );
    assert_eq!(
        service("expose: [80]", "expose: ['80', '81']"),
        r#"{"expose":["80","81"]}"#
    );
    assert_eq!(
        service("security_opt: [x]", "security_opt: [x]"),
        r#"{"security_opt":["x","x"]}"#
    );
}

#[test]
fn commands_replace() {
    assert_eq!(
        service("command: [a, b]", "command: c"),
        r#"{"command":"c"}"#
    );
    assert_eq!(
        service("healthcheck: {test: [CMD, a]}", "healthcheck: {test: b}"),
        r#"{"healthcheck":{"test":"b"}}"#
    );
}

#[test]
fn environments_merge_by_name_in_either_form() {
    assert_eq!(
        service("environment: {B: 1, A: null}", "environment: [B=2, C]"),
        r#"{"environment":["A","B=2","C"]}"#
    );
    assert_eq!(
        service("labels: {A: 1.10}", "labels: {A: true}"),
        r#"{"labels":["A=true"]}"#
    );
}

#[test]
fn volumes_merge_by_target() {
    assert_eq!(
        service("volumes: ['./a:/x', 'b:/y']", "volumes: ['./c:/x:ro']"),
        r#"{"volumes":["./c:/x:ro","b:/y"]}"#
    );
}

#[test]
fn ports_merge_by_all_their_parts() {
    let long = "ports: [{target: 80, published: '8080', protocol: tcp}]";
    assert_eq!(
        service(long, long),
        r#"{"ports":[{"target":80,"published":"8080","protocol":"tcp"}]}"#
    );
}

#[test]
fn logging_options_merge_for_the_same_driver_only() {
    assert_eq!(
        service(
            "logging: {driver: x, options: {a: 1}}",
            "logging: {options: {b: 2}}"
        ),
        r#"{"logging":{"driver":"x","options":{"a":1,"b":2}}}"#
    );
    assert_eq!(
        service(
            "logging: {driver: x, options: {a: 1}}",
            "logging: {driver: y}"
        ),
        r#"{"logging":{"driver":"y"}}"#
    );
}

#[test]
fn short_and_long_forms_meet() {
    assert_eq!(
        service("build: .", "build: {target: x}"),
        r#"{"build":{"context":".","target":"x"}}"#
    );
    assert_eq!(
        service(
            "depends_on: [a]",
            "depends_on: {b: {condition: service_healthy}}"
        ),
        r#"{"depends_on":{"a":{"condition":"service_started","required":true},"b":{"condition":"service_healthy"}}}"#
    );
    assert_eq!(
        service("networks: [a]", "networks: {b: {aliases: [x]}}"),
        r#"{"networks":{"a":null,"b":{"aliases":["x"]}}}"#
    );
}

#[test]
fn reset_removes_and_override_replaces() {
    assert_eq!(
        service("ports: [80], image: x", "ports: !reset []"),
        r#"{"image":"x"}"#
    );
    assert_eq!(
        service("ports: ['80']", "ports: !override ['81']"),
        r#"{"ports":["81"]}"#
    );
    assert_eq!(
        merged(
            "services: {a: {image: x}, b: {image: y}}",
            "services: {a: !reset null}"
        ),
        r#"{"services":{"b":{"image":"y"}}}"#
    );
}

#[test]
fn kinds_that_do_not_fit_are_reported_with_both_places() {
    let mut tree = node("services: {a: {cap_add: [x]}}");
    let mut problems = Vec::new();
    merge(
        &mut tree,
        node("services: {a: {cap_add: {x: y}}}"),
        &mut problems,
    );
    assert_eq!(
        messages(&problems),
        ["services.a.cap_add is a mapping here, but a list in what it is merged with"]
    );
    assert_eq!(problems[0].related.len(), 1);
}
