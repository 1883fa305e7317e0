//! The format of 2014: services at the top level, without a `services` section.

use super::diagnostic::{Diagnostic, code};
use super::node::{Node, Value};

/// Top-level attributes of later formats. A service may have such a name nevertheless.
const SECTIONS: [&str; 9] = [
    "version", "name", "include", "services", "networks", "volumes", "secrets", "configs", "models",
];

/// The names of the services of a document in the first format, in the order of the file; none
/// where it is in a later one.
pub(crate) fn services(document: &Node) -> Vec<&str> {
    let Some(root) = document.as_map() else {
        return Vec::new();
    };
    let is_first = !root.contains_key("services")
        && root
            .iter()
            .any(|(key, entry)| !key.starts_with("x-") && is_service(&entry.node));
    if !is_first {
        return Vec::new();
    }
    root.iter()
        .filter(|(key, entry)| {
            let elsewhere = key.starts_with("x-") || SECTIONS.contains(&key.as_str());
            !elsewhere || (!key.starts_with("x-") && is_service(&entry.node))
        })
        .map(|(key, _)| key.as_str())
        .collect()
}

/// Whether a value has what only services have.
fn is_service(node: &Node) -> bool {
    let is_text = |key| matches!(node.get(key).map(|node| &node.value), Some(Value::Str(_)));
    let is_map = |key| matches!(node.get(key).map(|node| &node.value), Some(Value::Map(_)));
    is_text("image")
        || is_text("build")
        || is_text("extends")
        || (is_map("build") || is_map("extends")) && !is_map("image")
}

/// The problem with a document in the first format.
pub(crate) fn problem(document: &Node, file: &str) -> Option<Diagnostic> {
    let services = services(document);
    let first = services.first()?;
    let place = document.as_map()?.get(first)?.key;
    let file = if file == "-" { "FILE" } else { file };
    Some(
        Diagnostic::error(
            "this is a file of the first format (2014): its services are at the top level, not below `services:`",
        )
        .code(code::FIRST_FORMAT)
        .at(place)
        .label(match services[..] {
            [_] => format!("the service \"{first}\""),
            _ => format!("the first of {} services", services.len()),
        })
        .help(format!(
            "`rcompose migrate {file}` prints it in today's format, with its comments; --in-place rewrites it"
        )),
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::compose::testing::node;
    use crate::compose::{LoadOptions, load};

    #[test]
    fn services_at_the_top_level_are_recognised() {
        assert_eq!(
            services(&node("web: {image: a}\ndb: {build: .}")),
            ["web", "db"]
        );
        assert_eq!(
            services(&node("web: {extends: {file: a, service: b}}")),
            ["web"]
        );
        assert_eq!(
            services(&node(
                "x-a: {image: b}\nvolumes: {image: a}\nweb:\nversion: '1'"
            )),
            ["volumes", "web"]
        );
    }

    #[test]
    fn loading_tells_what_to_do() {
        let mut options = LoadOptions::new("/nowhere".into(), BTreeMap::new());
        options.files = vec!["-".to_owned()];
        options.stdin = Some("web:\n  image: a\n  links: [db]\ndb:\n  image: b\n".to_owned());
        let error = load(&options).unwrap_err();
        let [problem] = &error.diagnostics[..] else {
            panic!("{:?}", error.diagnostics);
        };
        assert_eq!(problem.code, code::FIRST_FORMAT);
        assert!(
            problem
                .help
                .as_ref()
                .is_some_and(|help| help.contains("rcompose migrate FILE"))
        );
        assert_eq!(problem.label.as_deref(), Some("the first of 2 services"));
    }

    #[test]
    fn later_formats_are_not() {
        for text in [
            "services: {web: {image: a}}",
            "services:\nweb: {image: a}",
            "volumes: {image: {driver: local}}",
            "x-web: {image: a}",
            "name: a",
            "[a]",
        ] {
            assert_eq!(services(&node(text)), Vec::<&str>::new(), "{text}");
        }
    }
}
