use super::*;
use crate::compose::emit;
use crate::compose::model::{ByteSize, Duration};
use crate::compose::testing::node;

/// The service `a` with these attributes, and the messages with their remedies.
fn decode(attributes: &str) -> (Service, Vec<String>) {
    let tree = node(&format!("services: {{a: {{{attributes}}}}}"));
    let mut cx = Context::new();
    let mut declared = project(&tree, &mut cx);
    let messages = cx
        .diagnostics
        .into_iter()
        .map(|diagnostic| match diagnostic.help {
            Some(help) => format!("{}; {help}", diagnostic.message),
            None => diagnostic.message,
        })
        .collect();
    (declared.services.remove("a").unwrap_or_default(), messages)
}

fn service(attributes: &str) -> Service {
    let (service, messages) = decode(attributes);
    assert_eq!(messages, Vec::<String>::new());
    service
}

fn messages(attributes: &str) -> Vec<String> {
    decode(attributes).1
}

#[test]
fn reads_texts_numbers_and_sizes() {
    let service = service(
        "image: b, mem_limit: 64m, cpus: '0.5', pids_limit: 10, init: 'yes', \
         stop_grace_period: 1m30s, shm_size: 1024, oom_score_adj: '-5'",
    );
    assert_eq!(service.image.as_deref(), Some("b"));
    assert_eq!(service.mem_limit, Some(ByteSize(64 << 20)));
    assert_eq!(service.cpus, Some(0.5));
    assert_eq!(service.pids_limit, Some(10));
    assert_eq!(service.init, Some(true));
    assert_eq!(service.stop_grace_period, Some(Duration::from_secs(90)));
    assert_eq!(service.shm_size, Some(ByteSize(1024)));
    assert_eq!(service.oom_score_adj, Some(-5));
}

#[test]
fn variables_are_texts_as_go_prints_them() {
    let service = service(
        "environment: {A: 1.10, B: 1e20, C: 0644, D: true, E: null, F: ''}, labels: {L: null}",
    );
    let value = |name: &str| service.environment[name].as_deref();
    assert_eq!(value("A"), Some("1.1"));
    assert_eq!(value("B"), Some("1e+20"));
    assert_eq!(value("C"), Some("420"));
    assert_eq!(value("D"), Some("true"));
    assert_eq!(value("E"), None);
    assert_eq!(value("F"), Some(""));
    assert_eq!(service.labels["L"], "");
}

#[test]
fn lists_of_variables_and_hosts_become_mappings() {
    let service = service(
        "environment: [A=1, B, 'C='], extra_hosts: ['a=1.1.1.1,2.2.2.2', 'b:::1', 'c=[::2]']",
    );
    assert_eq!(service.environment["A"].as_deref(), Some("1"));
    assert_eq!(service.environment["B"], None);
    assert_eq!(service.environment["C"].as_deref(), Some(""));
    assert_eq!(service.extra_hosts["a"], ["1.1.1.1", "2.2.2.2"]);
    assert_eq!(service.extra_hosts["b"], ["::1"]);
    assert_eq!(service.extra_hosts["c"], ["::2"]);
}

#[test]
fn commands_are_split_or_taken_as_they_are() {
    let service =
        service("command: \"sh -c 'a b' && c\", entrypoint: '', healthcheck: {test: 'curl -f x'}");
    assert_eq!(
        service.command,
        Some(vec!["sh".into(), "-c".into(), "a b".into()])
    );
    assert_eq!(service.entrypoint, Some(Vec::new()));
    assert_eq!(
        service.healthcheck.unwrap_or_default().test,
        ["CMD-SHELL", "curl -f x"]
    );
}

#[test]
fn modes_are_octal_texts_or_plain_numbers() {
    let service = service(
        "secrets: [{source: s, mode: '0440'}, {source: t, mode: 0440}, {source: u, mode: 440}]",
    );
    let modes: Vec<String> = service
        .secrets
        .iter()
        .filter_map(|secret| secret.mode.map(|mode| mode.to_string()))
        .collect();
    assert_eq!(modes, ["0440", "0440", "0670"]);
}

#[test]
fn empty_values_are_none() {
    let service = service("image: '', mem_limit: 0, cpu_shares: 0, dns: [], labels: {}");
    assert_eq!(
        service,
        Service {
            name: "a".to_owned(),
            ..Service::default()
        }
    );
}

#[test]
fn unknown_attributes_are_refused_with_the_likely_one() {
    assert_eq!(
        messages("depend_on: [b], x-mine: 1, frobnicate: 1"),
        [
            "unknown attribute \"depend_on\" in service \"a\"; did you mean \"depends_on\"?",
            "unknown attribute \"frobnicate\" in service \"a\"; remove it, or name it `x-frobnicate` to keep it",
        ]
    );
    assert_eq!(
        messages("deploy: {resources: {limits: {memry: 5m}}}"),
        [
            "unknown attribute \"memry\" in services.a.deploy.resources.limits; \
             did you mean \"memory\"?"
        ]
    );
}

#[test]
fn wrong_values_are_refused_all_at_once() {
    assert_eq!(
        messages("user: 1000, ports: {}, stop_grace_period: 10, mem_limit: 5x, tty: 3"),
        [
            "services.a.user must be a text, not the number 1000; put it in quotes",
            "services.a.ports must be a list, not a mapping; write one `- item` on each line",
            "services.a.stop_grace_period must be a duration, not the number 10; \
             write a number with a unit, such as 30s, 1m30s or 500ms",
            "services.a.mem_limit must be a size, not \"5x\"; \
             write a number with a unit, such as 64m or 1.5g",
            "services.a.tty must be true or false, not the number 3",
        ]
    );
}

#[test]
fn timestamps_and_repeated_entries_are_refused() {
    assert_eq!(
        messages("environment: {A: 2001-12-14}, cap_add: [X, X]"),
        [
            "services.a.environment.A must be a text, a number or a flag, not a timestamp; \
             put it in quotes",
            "services.a.cap_add contains \"X\" twice",
        ]
    );
}

#[test]
fn required_attributes_are_asked_for() {
    assert_eq!(
        messages("depends_on: {b: {restart: true}}, ulimits: {nofile: {soft: 1}}"),
        [
            "services.a.depends_on.b has no \"condition\"; add the attribute \"condition\"",
            "services.a.ulimits.nofile has no \"hard\"; add the attribute \"hard\"",
        ]
    );
}

#[test]
fn a_service_is_emitted_as_docker_compose_does() {
    let service = service(
        "image: b, ulimits: {nofile: 5, nproc: {soft: 1, hard: 2}}, networks: {n: null}, \
         blkio_config: {weight_device: [{path: /dev/a, weight: 5}]}, x-mine: 1",
    );
    assert_eq!(
        emit::service_json(&service),
        r#"{"blkio_config":{"weight_device":[{"Path":"/dev/a","Weight":5}]},"command":null,"entrypoint":null,"image":"b","networks":{"n":null},"ulimits":{"nofile":5,"nproc":{"soft":1,"hard":2}}}"#
    );
}

#[test]
fn texts_are_no_weights_and_fractions_no_ports() {
    assert_eq!(
        messages("blkio_config: {weight: '5'}, expose: [1.5], devices: [{source: /a}]"),
        [
            "services.a.blkio_config.weight must be a number, not the text \"5\"",
            "services.a.expose[0] must be a text or an integer, not the number 1.5",
            "services.a.devices[0] has no \"target\"; add the attribute \"target\"",
        ]
    );
}

#[test]
fn limits_of_a_build_are_no_texts() {
    assert_eq!(messages("ulimits: {nofile: '5'}"), Vec::<String>::new());
    assert_eq!(
        messages("build: {ulimits: {nofile: '5'}}, ulimits: {nofile: 1.0}"),
        [
            "services.a.build.ulimits.nofile must be an integer, or a mapping with soft and hard, not the text \"5\"",
            "services.a.ulimits.nofile must be an integer, or a mapping with soft and hard, not the number 1",
        ]
    );
}

#[test]
fn a_tmpfs_is_not_smaller_than_nothing() {
    let mount = "volumes: [{type: tmpfs, target: /t, tmpfs: {size: -1}}]";
    assert_eq!(
        messages(mount),
        ["services.a.volumes[0].tmpfs.size must be a size of at least 0, not the number -1"]
    );
}

#[test]
fn a_pull_policy_has_a_unit_behind_its_number() {
    for policy in ["every_1h", "every_1h30m", "every_1000ms", "daily"] {
        assert_eq!(
            messages(&format!("pull_policy: {policy}")),
            Vec::<String>::new()
        );
    }
    for policy in ["every_1000us", "every_h", "every_1"] {
        assert_eq!(
            messages(&format!("pull_policy: {policy}")).len(),
            1,
            "{policy}"
        );
    }
}
