//! Properties of the stages on arbitrary trees.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::canonical::{self, Context};
use super::generate::file;
use super::merge::{self, Directives};
use super::node::Node;
use super::testing::{node, show};
use super::{LoadOptions, emit, load};

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

/// What `config` prints of a text, in a folder that does not exist. References to what is not
/// defined and files that do not exist are not looked at.
fn config(text: &str) -> Result<String, String> {
    let mut options = LoadOptions::new("/nowhere".into(), BTreeMap::new());
    options.files = vec!["-".to_owned()];
    options.project_name = Some("p".to_owned());
    options.profiles = vec!["*".to_owned()];
    options.stdin = Some(text.to_owned());
    options.check_consistency = false;
    options.resolve_environment = false;
    options.all_resources = true;
    printed(&options)
}

fn printed(options: &LoadOptions) -> Result<String, String> {
    match load(options) {
        Ok(loaded) => Ok(emit::escape_dollars(&emit::yaml(&loaded.project))),
        Err(error) => Err(super::testing::messages(&error.diagnostics).join("\n")),
    }
}

/// Every project of this repository, alone and with the override files beside it.
#[test]
fn config_of_config_of_a_fixture_is_a_fixed_point() {
    let fixtures = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    for (folder, files) in [
        ("quickstart", vec!["compose.yaml"]),
        ("flask-postgres", vec!["compose.yaml"]),
        ("reddit", vec!["docker-compose.yml"]),
        (
            "reddit",
            vec!["docker-compose.yml", "docker-compose.override.yml"],
        ),
        (
            "reddit",
            vec!["docker-compose.yml", "docker-compose.stage.yml"],
        ),
    ] {
        let shell = BTreeMap::from([("USERNAME".to_owned(), "$user".to_owned())]);
        let mut options = LoadOptions::new(fixtures.join(folder), shell);
        options.files = files.into_iter().map(str::to_owned).collect();
        let first = printed(&options).unwrap();
        options.files = vec!["-".to_owned()];
        options.stdin = Some(first.clone());
        assert_eq!(printed(&options).unwrap(), first, "{folder}");
    }
}

proptest! {
    #[test]
    fn config_of_config_is_a_fixed_point(text in file(false)) {
        // A file without anything is refused.
        let text = format!("{{x-some: 1, {}", &text[1..]);
        let first = config(&text).map_err(|problems| TestCaseError::fail(format!("{text}\n{problems}")))?;
        prop_assert_eq!(config(&first), Ok(first));
    }

    /// Values are not looked at again: a variable may hold templates, its own included.
    #[test]
    fn interpolation_ends_with_a_text_or_a_place(
        text in "[${}ABC:?+\\-é \n]{0,60}",
        a in "[${}ABC:?+\\-é]{0,10}",
        depth in 0..400_usize,
    ) {
        let lookup = |name: &str| match name {
            "A" => Some(a.clone()),
            "B" => Some(String::new()),
            _ => None,
        };
        let nested = format!("{}{text}{}", "${C:-".repeat(depth), "}".repeat(depth));
        for text in [text, nested] {
            match super::template::substitute(&text, &lookup, &mut |_| {}) {
                Ok(value) => prop_assert!(value.len() <= text.len() * a.len().max(1)),
                Err(error) => prop_assert!(text.get(error.range).is_some()),
            }
        }
    }

    #[test]
    fn interpolation_undoes_the_doubling_of_dollars(text in "[${}A:?é\n]{0,60}") {
        let escaped = emit::escape_dollars(&text);
        let value = super::template::substitute(&escaped, &|_| None, &mut |_| {});
        prop_assert_eq!(value, Ok(text));
    }

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
