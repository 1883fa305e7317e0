//! Labels that tie containers, networks and volumes to a project. The keys and values are those
//! of docker compose, so that either tool takes the other's projects for its own.

use std::collections::{BTreeMap, HashMap};

use crate::compose::Project;
use crate::compose::model::{Condition, Dependency, Mapping, Service};

/// Name of the project.
pub const PROJECT: &str = "com.docker.compose.project";
/// Name of the service.
pub const SERVICE: &str = "com.docker.compose.service";
/// Hash of the configuration the object was made with.
pub const CONFIG_HASH: &str = "com.docker.compose.config-hash";
/// Number among the replicas, from 1.
pub const CONTAINER_NUMBER: &str = "com.docker.compose.container-number";
/// Key of the volume in the file.
pub const VOLUME: &str = "com.docker.compose.volume";
/// Key of the network in the file.
pub const NETWORK: &str = "com.docker.compose.network";
/// Folder of the project.
pub const WORKING_DIR: &str = "com.docker.compose.project.working_dir";
/// Compose files, separated by commas.
pub const CONFIG_FILES: &str = "com.docker.compose.project.config_files";
/// Files given with `--env-file`, separated by commas.
pub const ENVIRONMENT_FILE: &str = "com.docker.compose.project.environment_file";
/// `True` for containers of `run`, else `False`.
pub const ONE_OFF: &str = "com.docker.compose.oneoff";
/// Random id of a one-off container.
pub const SLUG: &str = "com.docker.compose.slug";
/// Id of the image.
pub const IMAGE: &str = "com.docker.compose.image";
/// Dependencies as `service:condition:restart`, separated by commas.
pub const DEPENDS_ON: &str = "com.docker.compose.depends_on";
/// Version of docker compose whose contract the labels follow.
pub const VERSION: &str = "com.docker.compose.version";
/// What a recreated container replaces.
pub const REPLACE: &str = "com.docker.compose.replace";
/// Marks containers of hooks.
pub const HOOK: &str = "com.docker.compose.hook";
/// Hash of the contents of configs and secrets that are copied into the container.
pub const CONTENT_HASH: &str = "com.rcompose.content-hash";

/// The version whose contract we follow.
pub const CONTRACT_VERSION: &str = "2.40.3";

/// Labels of a container before the hash and number are known: the service's own and the
/// project's, which win.
pub fn container(project: &Project, service: &Service, one_off: bool) -> BTreeMap<String, String> {
    let mut labels: BTreeMap<String, String> = service.labels.clone();
    let mut set = |key: &str, value: String| labels.insert(key.to_owned(), value);
    set(PROJECT, project.name.clone());
    set(SERVICE, service.name.clone());
    set(VERSION, CONTRACT_VERSION.to_owned());
    set(WORKING_DIR, project.working_dir.display().to_string());
    set(CONFIG_FILES, project.compose_files.join(","));
    set(ONE_OFF, if one_off { "True" } else { "False" }.to_owned());
    if !project.env_files.is_empty() {
        let files: Vec<String> = project
            .env_files
            .iter()
            .map(|file| file.display().to_string())
            .collect();
        set(ENVIRONMENT_FILE, files.join(","));
    }
    set(DEPENDS_ON, depends_on(&service.depends_on));
    labels
}

/// Labels of a network or volume: its own, then the project's, which win.
/// `key_label` is [`NETWORK`] or [`VOLUME`].
pub fn resource(
    own: &Mapping,
    project: &str,
    key_label: &str,
    key: &str,
    hash: String,
) -> HashMap<String, String> {
    let mut labels: HashMap<String, String> = own
        .iter()
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    labels.insert(key_label.to_owned(), key.to_owned());
    labels.insert(PROJECT.to_owned(), project.to_owned());
    labels.insert(VERSION.to_owned(), CONTRACT_VERSION.to_owned());
    labels.insert(CONFIG_HASH.to_owned(), hash);
    labels
}

/// Value of [`DEPENDS_ON`].
pub fn depends_on(dependencies: &BTreeMap<String, Dependency>) -> String {
    let entries: Vec<String> = dependencies
        .iter()
        .map(|(service, dependency)| {
            let condition = dependency.condition.as_str();
            format!("{service}:{condition}:{}", dependency.restart)
        })
        .collect();
    entries.join(",")
}

/// Reads [`DEPENDS_ON`]. Entries of older versions may lack the condition or the restart flag;
/// what cannot be read is left out. None of the dependencies is required: they may be gone.
pub fn parse_depends_on(text: &str) -> BTreeMap<String, Dependency> {
    text.split(',')
        .filter(|entry| !entry.is_empty())
        .filter_map(parse_dependency)
        .collect()
}

fn parse_dependency(entry: &str) -> Option<(String, Dependency)> {
    let mut parts = entry.split(':');
    let service = parts.next().filter(|name| !name.is_empty())?;
    let condition = parts.next().map_or(Some(Condition::Started), |text| {
        if text.is_empty() {
            Some(Condition::Started)
        } else {
            Condition::parse(text)
        }
    })?;
    let dependency = Dependency {
        condition,
        // Containers of versions that did not say are restarted with their dependencies.
        restart: parts.next().is_none_or(|flag| flag == "true"),
        required: false,
        ..Dependency::default()
    };
    Some((service.to_owned(), dependency))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_survive_the_label() {
        let mut dependencies = BTreeMap::new();
        dependencies.insert(
            "db".to_owned(),
            Dependency {
                condition: Condition::Healthy,
                restart: true,
                ..Dependency::default()
            },
        );
        dependencies.insert("cache".to_owned(), Dependency::default());
        let text = depends_on(&dependencies);
        assert_eq!(text, "cache:service_started:false,db:service_healthy:true");
        assert_eq!(parse_depends_on(&text), dependencies);
    }

    #[test]
    fn odd_labels_are_read_as_far_as_possible() {
        assert!(parse_depends_on("").is_empty());
        let read = parse_depends_on("a,b:service_healthy,c:nonsense:true,:x");
        assert_eq!(read.keys().collect::<Vec<_>>(), ["a", "b"]);
        assert!(read["a"].restart);
        assert_eq!(read["b"].condition, Condition::Healthy);
    }
}
