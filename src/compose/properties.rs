//! Properties of the stages on arbitrary trees.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::canonical::{self, Context};
use super::merge::{self, Directives};
use super::node::Node;
use super::testing::{node, show};
use super::{LoadOptions, load};

/// Attributes whose forms the stages know.
const KEYS: [&str; 40] = [
    "image",
    "build",
    "command",
    "environment",
    "labels",
    "annotations",
    "depends_on",
    "networks",
    "volumes",
    "ports",
    "secrets",
    "configs",
    "env_file",
    "extends",
    "logging",
    "healthcheck",
    "deploy",
    "gpus",
    "devices",
    "dns",
    "tmpfs",
    "ulimits",
    "extra_hosts",
    "expose",
    "links",
    "network_mode",
    "volumes_from",
    "models",
    "develop",
    "profiles",
    "scale",
    "privileged",
    "label_file",
    "sysctls",
    "cap_add",
    "pre_start",
    "provider",
    "x-more",
    "ipc",
    "pull_policy",
];

/// Texts that mean something to one stage or another.
const TEXTS: [&str; 22] = [
    "a",
    "b",
    "a=b",
    "a:b",
    "./a:/b:ro",
    "80",
    "80:81",
    "1-3:4-6",
    "",
    "service:a",
    "$A",
    "${A:-b}",
    "$$",
    "yes",
    "all",
    "default",
    "~/x",
    "C:\\\\x:/y",
    "/a:/a",
    "a=",
    "[::1]:80:80",
    "container:x",
];

fn key() -> impl Strategy<Value = String> {
    let nested = [
        "context",
        "target",
        "source",
        "type",
        "path",
        "driver",
        "options",
        "condition",
        "test",
        "a",
        "b",
        "resources",
        "limits",
        "watch",
        "file",
        "service",
        "external",
        "name",
        "driver_opts",
    ];
    prop_oneof![
        proptest::sample::select(&KEYS[..]).prop_map(str::to_owned),
        proptest::sample::select(nested.to_vec()).prop_map(str::to_owned),
    ]
}

/// JSON, which YAML contains.
fn value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        any::<i16>().prop_map(|number| number.to_string()),
        Just("1.5".to_owned()),
        proptest::sample::select(&TEXTS[..]).prop_map(|text| format!("\"{text}\"")),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4)
                .prop_map(|items| format!("[{}]", items.join(", "))),
            mapping(inner),
        ]
    })
}

fn mapping(value: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    proptest::collection::btree_map(key(), value, 0..5).prop_map(|map| {
        let entries: Vec<String> = map
            .iter()
            .map(|(key, value)| format!("\"{key}\": {value}"))
            .collect();
        format!("{{{}}}", entries.join(", "))
    })
}

fn service() -> impl Strategy<Value = String> {
    mapping(value())
}

fn tree() -> impl Strategy<Value = String> {
    (service(), service(), mapping(value()), mapping(value())).prop_map(
        |(a, b, networks, volumes)| {
            format!("{{services: {{a: {a}, b: {b}}}, networks: {networks}, volumes: {volumes}}}")
        },
    )
}

fn canonical(tree: &mut Node) -> usize {
    let mut problems = Vec::new();
    canonical::canonicalize(
        tree,
        &mut Context {
            lenient: false,
            problems: &mut problems,
            budget: &mut crate::compose::budget::Budget::new(),
        },
    );
    problems.len()
}

proptest! {
    #[test]
    fn the_long_form_is_a_fixed_point(text in tree()) {
        let mut tree = node(&text);
        if canonical(&mut tree) == 0 {
            let once = show(&tree);
            canonical(&mut tree);
            prop_assert_eq!(once, show(&tree));
        }
    }

    #[test]
    fn merging_nothing_changes_nothing(text in tree()) {
        let mut tree = node(&text);
        let before = show(&tree);
        let mut problems = Vec::new();
        merge::merge(&mut tree, node("{services: {a: null, b: null}}"), &mut problems);
        prop_assert!(problems.is_empty());
        prop_assert_eq!(before, show(&tree));
    }

    #[test]
    fn an_overridden_service_is_that_of_the_override(text in tree(), over in service()) {
        let mut tree = node(&text);
        let mut document = node(&format!("{{services: {{a: !override {over}}}}}"));
        let directives = Directives::take(&mut document);
        let wanted = show(document.at(&["services", "a"]).unwrap());
        directives.apply(&mut tree);
        let mut problems = Vec::new();
        merge::merge(&mut tree, document, &mut problems);
        prop_assert_eq!(wanted, show(tree.at(&["services", "a"]).unwrap()));
    }

    #[test]
    fn unique_elements_stay_unique(text in tree()) {
        let mut tree = node(&text);
        merge::enforce_unique(&mut tree);
        let once = show(&tree);
        merge::enforce_unique(&mut tree);
        prop_assert_eq!(once, show(&tree));
    }

    /// Whatever is in the files, loading ends with a project or with an error.
    #[test]
    fn loading_never_panics(first in tree(), second in tree()) {
        let mut options = LoadOptions::new("/nowhere".into(), BTreeMap::new());
        options.files = vec!["-".to_owned()];
        options.project_name = Some("p".to_owned());
        options.stdin = Some(format!("{first}\n---\n{second}\n"));
        if let Err(error) = load(&options) {
            prop_assert!(error.diagnostics.iter().any(super::Diagnostic::is_error));
        }
        options.interpolate = false;
        let _ = super::load_tree(&options);
    }
}
