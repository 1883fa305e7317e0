//! Finding the containers of a project that a command means.

use std::collections::HashMap;

use bollard::Docker;
use bollard::models::{ContainerSummary, ContainerSummaryStateEnum};
use bollard::query_parameters::ListContainersOptionsBuilder;

use super::Error;
use crate::report::event::Origin;

const PROJECT: &str = "com.docker.compose.project";
const SERVICE: &str = "com.docker.compose.service";
const NUMBER: &str = "com.docker.compose.container-number";
const ONEOFF: &str = "com.docker.compose.oneoff";
const CONFIG_HASH: &str = "com.docker.compose.config-hash";

/// Which containers of a project.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The project's name.
    pub project: &'a str,
    /// Only these services; all where empty.
    pub services: &'a [String],
    /// Also those that do not run.
    pub stopped: bool,
    /// Also those made by `run`.
    pub one_offs: bool,
}

/// A container of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Its id.
    pub id: String,
    /// Its name without the leading slash.
    pub name: String,
    /// What log lines call it, and its service.
    pub origin: Origin,
    /// Its number within the service; 0 for one-offs.
    pub number: u64,
    /// Whether `run` made it.
    pub one_off: bool,
    /// Whether it runs (or is paused, or restarting).
    pub running: bool,
    /// Whether it has never run.
    pub new: bool,
}

/// Lists the containers, sorted by name.
pub async fn containers(docker: &Docker, wanted: Wanted<'_>) -> Result<Vec<Target>, Error> {
    let mut labels = vec![
        format!("{PROJECT}={}", wanted.project),
        CONFIG_HASH.to_owned(),
    ];
    if !wanted.one_offs {
        labels.push(format!("{ONEOFF}=False"));
    }
    let options = ListContainersOptionsBuilder::default()
        .all(wanted.stopped)
        .filters(&HashMap::from([("label".to_owned(), labels)]))
        .build();
    let mut targets: Vec<Target> = docker
        .list_containers(Some(options))
        .await?
        .into_iter()
        .filter_map(|summary| Target::new(wanted.project, summary))
        .filter(|target| {
            wanted.services.is_empty() || wanted.services.contains(&target.origin.service)
        })
        .collect();
    targets.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(targets)
}

/// The container that a command on one container of `service` means: the one with number
/// `index`, or the first where that is 0.
pub async fn one(
    docker: &Docker,
    project: &str,
    service: &str,
    index: u64,
    stopped: bool,
) -> Result<Target, Error> {
    let wanted = Wanted {
        project,
        services: &[service.to_owned()],
        stopped,
        one_offs: true,
    };
    let mut found = containers(docker, wanted).await?;
    found.retain(|target| index == 0 || (!target.one_off && target.number == index));
    found.sort_by_key(|target| (target.one_off, target.number));
    found.into_iter().next().ok_or_else(|| {
        let replica = match index {
            0 => String::new(),
            number => format!(" container #{number}"),
        };
        let verb = if stopped { "has no" } else { "is not running" };
        let message = match (stopped, index) {
            (true, 0) => format!("service {service:?} {verb} container"),
            _ => format!("service {service:?} {verb}{replica}"),
        };
        Error::new(message).remedy(format!("start it: rcompose up -d {service}"))
    })
}

impl Target {
    fn new(project: &str, summary: ContainerSummary) -> Option<Self> {
        let name = summary
            .names
            .iter()
            .flatten()
            .map(|name| name.trim_start_matches('/'))
            .find(|name| !name.contains('/'))?
            .to_owned();
        let labels = summary.labels.unwrap_or_default();
        let label = |key: &str| labels.get(key).map_or("", String::as_str);
        Some(Self {
            id: summary.id?,
            origin: origin(project, &name, &labels),
            number: label(NUMBER).parse().unwrap_or(0),
            one_off: label(ONEOFF) == "True",
            running: matches!(
                summary.state,
                Some(
                    ContainerSummaryStateEnum::RUNNING
                        | ContainerSummaryStateEnum::PAUSED
                        | ContainerSummaryStateEnum::RESTARTING
                )
            ),
            new: summary.state == Some(ContainerSummaryStateEnum::CREATED),
            name,
        })
    }
}

/// What log lines call a container: its name without the project where it has the name that
/// its service and number give it. A container that is about to replace another one carries
/// that one's id in front of its name.
pub fn origin<S: std::hash::BuildHasher>(
    project: &str,
    name: &str,
    labels: &HashMap<String, String, S>,
) -> Origin {
    let label = |key: &str| labels.get(key).map_or("", String::as_str);
    let service = label(SERVICE);
    let number = label(NUMBER);
    let name = match name.split_once('_') {
        Some((id, rest)) if id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            rest
        }
        _ => name,
    };
    let short = ["-", "_"]
        .into_iter()
        .find_map(|separator| {
            let default = format!("{project}{separator}{service}{separator}{number}");
            (name == default).then(|| name[project.len() + 1..].to_owned())
        })
        .unwrap_or_else(|| name.to_owned());
    Origin {
        container: short,
        service: service.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn short(name: &str) -> String {
        let labels = HashMap::from([
            (SERVICE.to_owned(), "web".to_owned()),
            (NUMBER.to_owned(), "1".to_owned()),
        ]);
        origin("shop", name, &labels).container
    }

    #[test]
    fn default_names_lose_the_project() {
        assert_eq!(short("shop-web-1"), "web-1");
        assert_eq!(short("shop_web_1"), "web_1");
        assert_eq!(short("my-own-name"), "my-own-name");
    }

    #[test]
    fn a_replacement_is_called_as_what_it_replaces() {
        assert_eq!(short("0123456789ab_shop-web-1"), "web-1");
    }
}
