//! Compose files made up for property tests: every attribute has a right type, and names come from
//! a handful, so that files have a lot in common.

use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;
use proptest::sample::select;

/// YAML text.
pub(crate) type Text = BoxedStrategy<String>;

/// One of these values, as YAML.
fn one_of(values: &[&'static str]) -> Text {
    select(values.to_vec()).prop_map(str::to_owned).boxed()
}

fn list(item: Text) -> Text {
    vec(item, 0..4)
        .prop_map(|items| format!("[{}]", items.join(", ")))
        .boxed()
}

/// A list in which nothing is twice.
fn set(item: Text) -> Text {
    btree_set(item, 0..4)
        .prop_map(|items| format!("[{}]", items.into_iter().collect::<Vec<_>>().join(", ")))
        .boxed()
}

fn map(key: Text, value: Text) -> Text {
    btree_map(key, value, 0..4)
        .prop_map(|map| {
            let entries: Vec<String> = map
                .iter()
                .map(|(key, value)| format!("{key}: {value}"))
                .collect();
            format!("{{{}}}", entries.join(", "))
        })
        .boxed()
}

fn name() -> Text {
    one_of(&["a", "b", "c", "d"])
}

fn word() -> Text {
    one_of(&["x", "y", "z"])
}

/// Both forms of attributes such as `environment`.
fn assignments() -> Text {
    let pair = (name(), word()).prop_map(|(key, value)| format!("{key}={value}"));
    prop_oneof![
        map(
            name(),
            prop_oneof![3 => word(), 1 => Just("null".to_owned())].boxed()
        ),
        set(prop_oneof![3 => pair, 1 => name()].boxed()),
    ]
    .boxed()
}

/// A list or one text.
fn texts() -> Text {
    prop_oneof![3 => list(word()), 1 => word()].boxed()
}

/// Some of these attributes, some of them null where `nulls` says so.
fn attributes(nulls: bool, known: Vec<(&'static str, Text)>) -> Text {
    let options: Vec<_> = known
        .into_iter()
        .map(|(key, value)| {
            let value = prop_oneof![8 => value, u32::from(nulls) => Just("null".to_owned())];
            let entry = value.prop_map(move |value| format!("{key}: {value}"));
            proptest::option::weighted(0.25, entry)
        })
        .collect();
    options
        .prop_map(|entries| {
            let entries: Vec<String> = entries.into_iter().flatten().collect();
            format!("{{{}}}", entries.join(", "))
        })
        .boxed()
}

/// Never null, which clears instead of keeping.
fn replaced(key: &'static str) -> Text {
    let value = prop_oneof![word(), list(word())];
    proptest::option::weighted(0.3, value)
        .prop_map(move |value| value.map_or_else(String::new, |value| format!("{key}: {value}")))
        .boxed()
}

fn build(nulls: bool) -> Text {
    let long = attributes(
        nulls,
        vec![
            ("context", one_of(&[".", "./a"])),
            ("args", assignments()),
            ("labels", assignments()),
            ("tags", list(word())),
            ("target", word()),
            ("cache_from", list(word())),
        ],
    );
    prop_oneof![3 => long, 1 => one_of(&[".", "./b"])].boxed()
}

fn networks(nulls: bool) -> Text {
    let settings = attributes(
        nulls,
        vec![("aliases", list(word())), ("priority", one_of(&["1", "2"]))],
    );
    let settings = prop_oneof![3 => settings, 1 => Just("null".to_owned())].boxed();
    prop_oneof![set(name()), map(name(), settings)].boxed()
}

fn dependencies() -> Text {
    let condition = one_of(&["service_started", "service_healthy"]);
    let long = condition
        .prop_map(|condition| format!("{{condition: {condition}}}"))
        .boxed();
    prop_oneof![set(name()), map(name(), long)].boxed()
}

fn ports() -> Text {
    list(one_of(&[
        "'80'",
        "'80:80'",
        "'81:80/udp'",
        "'127.0.0.1:80:80'",
        "'79-81:79-81'",
        "{target: 80, published: '80'}",
        "{target: 80, mode: host}",
    ]))
}

fn volumes() -> Text {
    list(one_of(&[
        "'v:/a'",
        "'w:/a:ro'",
        "'/b'",
        "'./x:/b'",
        "{type: volume, source: v, target: /c}",
        "{type: tmpfs, target: /a}",
    ]))
}

fn grants() -> Text {
    list(one_of(&[
        "a",
        "b",
        "{source: a, target: /t}",
        "{source: b, target: /t}",
        "{source: a}",
    ]))
}

fn service(nulls: bool) -> Text {
    let merged = attributes(
        nulls,
        vec![
            ("image", word()),
            ("build", build(nulls)),
            ("environment", assignments()),
            ("labels", assignments()),
            ("annotations", assignments()),
            ("sysctls", assignments()),
            ("depends_on", dependencies()),
            ("networks", networks(nulls)),
            ("ports", ports()),
            ("volumes", volumes()),
            ("secrets", grants()),
            ("configs", grants()),
            ("dns", texts()),
            ("tmpfs", texts()),
            ("env_file", texts()),
            ("cap_add", set(word())),
            ("profiles", set(word())),
            ("expose", list(one_of(&["80", "'81'", "'82/udp'"]))),
            (
                "devices",
                list(one_of(&[
                    "/a:/x",
                    "/b:/x",
                    "/c",
                    "{source: /d, target: /c}",
                ])),
            ),
            ("ulimits", map(name(), one_of(&["1", "{soft: 1, hard: 2}"]))),
            (
                "healthcheck",
                attributes(
                    nulls,
                    vec![
                        ("interval", one_of(&["1s", "2s"])),
                        ("retries", one_of(&["1", "2"])),
                    ],
                ),
            ),
            (
                "deploy",
                attributes(
                    nulls,
                    vec![("replicas", one_of(&["1", "2"])), ("labels", assignments())],
                ),
            ),
            ("x-more", map(name(), list(word()))),
        ],
    );
    (merged, replaced("command"), replaced("entrypoint"))
        .prop_map(|(merged, command, entrypoint)| {
            let parts = [&merged[1..merged.len() - 1], &command, &entrypoint];
            let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
            format!("{{{}}}", parts.join(", "))
        })
        .boxed()
}

/// A compose file on one line. With `nulls`, attributes may have no value, which not all may.
pub(crate) fn file(nulls: bool) -> Text {
    let pool = one_of(&["10.0.0.0/8", "10.1.0.0/16"]);
    let pool = pool
        .prop_map(|subnet| format!("[{{subnet: {subnet}}}]"))
        .boxed();
    let network = attributes(
        nulls,
        vec![
            ("driver", word()),
            ("labels", assignments()),
            ("driver_opts", map(name(), word())),
            (
                "ipam",
                attributes(nulls, vec![("driver", word()), ("config", pool)]),
            ),
        ],
    );
    let volume = attributes(nulls, vec![("driver", word()), ("labels", assignments())]);
    attributes(
        nulls,
        vec![
            ("services", map(one_of(&["a", "b"]), service(nulls))),
            ("networks", map(name(), network)),
            ("volumes", map(name(), volume)),
            ("x-top", map(name(), word())),
        ],
    )
}
