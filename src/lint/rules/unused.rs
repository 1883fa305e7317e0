//! `unused-definition`: networks, volumes, secrets, configs and models that no service uses.

use std::collections::{BTreeMap, BTreeSet};

use crate::compose::model::{MountType, Service};
use crate::compose::node::Node;
use crate::compose::{Diagnostic, Project};
use crate::lint::finding::Report;
use crate::lint::input::Input;

/// Sections and what one entry of each is.
const SECTIONS: [(&str, &str); 5] = [
    ("networks", "network"),
    ("volumes", "volume"),
    ("secrets", "secret"),
    ("configs", "config"),
    ("models", "model"),
];

pub(in crate::lint) fn check(input: &Input<'_>, report: &mut Report) {
    let used = used(input.project());
    let mut reported = BTreeSet::new();
    for document in input.main_documents() {
        for (section, noun) in SECTIONS {
            let entries = document.get(section).and_then(Node::as_map);
            for (key, entry) in entries.into_iter().flatten() {
                let is_used = used
                    .get(section)
                    .is_some_and(|used| used.contains(key.as_str()));
                if key.starts_with("x-") || is_used || !reported.insert((section, key)) {
                    continue;
                }
                report.add(
                    Diagnostic::warning(format!("no service uses the {noun} \"{key}\""))
                        .at(entry.key)
                        .help("remove it; it is not created"),
                );
            }
        }
    }
}

/// Keys that services name, by section.
fn used(project: &Project) -> BTreeMap<&'static str, BTreeSet<&str>> {
    let mut used: BTreeMap<&'static str, BTreeSet<&str>> = BTreeMap::new();
    for service in project.services.values() {
        let mut add = |section, key| {
            used.entry(section).or_default().insert(key);
        };
        for key in networks(service) {
            add("networks", key);
        }
        for mount in &service.volumes {
            if let (MountType::Volume | MountType::Cluster, Some(key)) = (mount.kind, &mount.source)
            {
                add("volumes", key);
            }
        }
        let build = service.build.as_ref();
        for secret in build.map(|build| &build.secrets).into_iter().flatten() {
            add("secrets", &secret.source);
        }
        for secret in &service.secrets {
            add("secrets", &secret.source);
        }
        for config in &service.configs {
            add("configs", &config.source);
        }
        let credentials = service.credential_spec.as_ref();
        if let Some(config) = credentials.and_then(|spec| spec.config.as_deref()) {
            add("configs", config);
        }
        for model in service.models.keys() {
            add("models", model);
        }
    }
    used
}

/// Networks that a service joins. What a mode or a build names is a network of the engine, which
/// may be one of these.
fn networks(service: &Service) -> impl Iterator<Item = &str> {
    let joined = service.networks.keys().map(String::as_str);
    let build = service.build.as_ref();
    let named = [
        service.network_mode.as_deref(),
        build.and_then(|build| build.network.as_deref()),
    ];
    joined.chain(named.into_iter().flatten())
}
