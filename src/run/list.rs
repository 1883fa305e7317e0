//! Containers as the engine lists them, with everything that `ps` and its like show: one request.

use std::collections::{BTreeSet, HashMap};

use bollard::Docker;
use bollard::models::{ContainerSummary, ImageInspect, PortSummary};
use bollard::query_parameters::{
    ListContainersOptionsBuilder, ListVolumesOptionsBuilder, TopOptions,
};
use futures::future::try_join_all;

use super::Error;
use crate::report::{Listed, ListedVolume, Processes, Published, UsedImage};

const PROJECT: &str = "com.docker.compose.project";
const NUMBER: &str = "com.docker.compose.container-number";
const ONEOFF: &str = "com.docker.compose.oneoff";
const CONFIG_HASH: &str = "com.docker.compose.config-hash";

/// Which containers to list.
#[derive(Debug, Clone, Copy, Default)]
pub struct Query<'a> {
    /// Of this project; of any project where `None`.
    pub project: Option<&'a str>,
    /// Also those that do not run.
    pub stopped: bool,
    /// Also those made by `run`.
    pub one_offs: bool,
    /// Also those that carry no configuration hash, which other commands do not see.
    pub foreign: bool,
}

/// Lists containers, sorted by name.
///
/// # Errors
/// When the engine refuses or does not answer.
pub async fn containers(docker: &Docker, query: Query<'_>) -> Result<Vec<Listed>, Error> {
    let mut labels = vec![match query.project {
        Some(project) => format!("{PROJECT}={project}"),
        None => PROJECT.to_owned(),
    }];
    if !query.foreign {
        labels.push(CONFIG_HASH.to_owned());
    }
    if !query.one_offs {
        labels.push(format!("{ONEOFF}=False"));
    }
    let options = ListContainersOptionsBuilder::default()
        .all(query.stopped)
        .filters(&HashMap::from([("label".to_owned(), labels)]))
        .build();
    let summaries = docker.list_containers(Some(options)).await?;
    let mut listed: Vec<Listed> = summaries.into_iter().map(Listed::from).collect();
    listed.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(listed)
}

/// Looks up the images of containers, each image once, and returns one entry for each container
/// in their order.
///
/// # Errors
/// When the engine refuses or does not answer.
pub async fn images(docker: &Docker, containers: &[Listed]) -> Result<Vec<UsedImage>, Error> {
    let references: BTreeSet<&str> = containers
        .iter()
        .map(|container| container.image.as_str())
        .collect();
    let inspected = references.into_iter().map(async |reference| {
        let image = docker.inspect_image(reference).await?;
        Ok::<_, Error>((reference, image))
    });
    let images: HashMap<&str, ImageInspect> = try_join_all(inspected).await?.into_iter().collect();
    Ok(containers
        .iter()
        .filter_map(|container| Some((container, images.get(container.image.as_str())?)))
        .map(|(container, image)| UsedImage {
            container: container.name.clone(),
            reference: container.image.clone(),
            id: image.id.clone().unwrap_or_default(),
            platform: platform(image),
            size: image.size.unwrap_or_default(),
            created: image.created,
            tagged: image.metadata.as_ref().and_then(|data| data.last_tag_time),
        })
        .collect())
}

fn platform(image: &ImageInspect) -> String {
    let part = |part: &Option<String>| part.clone().unwrap_or_default();
    let version = match part(&image.os_version) {
        version if version.is_empty() => version,
        version => format!("({version})"),
    };
    let os = match part(&image.os) {
        os if os.is_empty() => "unknown".to_owned(),
        os => os,
    };
    [
        os + &version,
        part(&image.architecture),
        part(&image.variant),
    ]
    .into_iter()
    .filter(|part| !part.is_empty())
    .collect::<Vec<_>>()
    .join("/")
}

/// Lists the volumes of a project, sorted by name.
///
/// # Errors
/// When the engine refuses or does not answer.
pub async fn volumes(docker: &Docker, project: &str) -> Result<Vec<ListedVolume>, Error> {
    let label = vec![format!("{PROJECT}={project}")];
    let options = ListVolumesOptionsBuilder::default()
        .filters(&HashMap::from([("label".to_owned(), label)]))
        .build();
    let volumes = docker.list_volumes(Some(options)).await?.volumes;
    let mut listed: Vec<ListedVolume> = volumes
        .unwrap_or_default()
        .into_iter()
        .map(|volume| ListedVolume {
            name: volume.name,
            driver: volume.driver,
            mountpoint: volume.mountpoint,
            scope: volume
                .scope
                .map(|scope| scope.to_string())
                .unwrap_or_default(),
            labels: volume.labels.into_iter().collect(),
        })
        .collect();
    listed.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(listed)
}

/// Asks for the processes of containers, in their order.
///
/// # Errors
/// When the engine refuses or does not answer.
pub async fn processes(docker: &Docker, containers: &[Listed]) -> Result<Vec<Processes>, Error> {
    try_join_all(containers.iter().map(async |container| {
        let top = docker
            .top_processes(&container.id, None::<TopOptions>)
            .await?;
        Ok(Processes {
            service: match container.service() {
                "" => container.name.clone(),
                service => service.to_owned(),
            },
            number: container.label(NUMBER).to_owned(),
            titles: top.titles.unwrap_or_default(),
            rows: top.processes.unwrap_or_default(),
        })
    }))
    .await
}

impl From<ContainerSummary> for Listed {
    fn from(summary: ContainerSummary) -> Self {
        let names: Vec<String> = summary
            .names
            .unwrap_or_default()
            .into_iter()
            .map(|name| name.strip_prefix('/').map_or(name.clone(), str::to_owned))
            .collect();
        let name = names
            .iter()
            .find(|name| !name.contains('/'))
            .or(names.first())
            .cloned()
            .unwrap_or_default();
        let state = summary
            .state
            .map(|state| state.to_string())
            .unwrap_or_default();
        let status = summary.status.unwrap_or_default();
        let mounts = summary.mounts.unwrap_or_default();
        let mut networks: Vec<String> = summary
            .network_settings
            .and_then(|settings| settings.networks)
            .unwrap_or_default()
            .into_keys()
            .collect();
        networks.sort();
        Self {
            id: summary.id.unwrap_or_default(),
            name,
            names,
            image: summary.image.unwrap_or_default(),
            command: summary.command.unwrap_or_default(),
            created: summary.created.unwrap_or_default(),
            health: health(&state, &status).to_owned(),
            exit_code: exit_code(&status),
            state,
            status,
            ports: ports(summary.ports.unwrap_or_default()),
            labels: summary.labels.unwrap_or_default().into_iter().collect(),
            local_volumes: mounts
                .iter()
                .filter(|mount| mount.driver.as_deref() == Some("local"))
                .count(),
            mounts: mounts
                .into_iter()
                .map(|mount| {
                    mount
                        .name
                        .filter(|name| !name.is_empty())
                        .or(mount.source)
                        .unwrap_or_default()
                })
                .collect(),
            networks,
            size: bytes(summary.size_rw),
            full_size: bytes(summary.size_root_fs),
        }
    }
}

fn bytes(size: Option<i64>) -> u64 {
    size.and_then(|size| u64::try_from(size).ok())
        .unwrap_or_default()
}

fn ports(summaries: Vec<PortSummary>) -> Vec<Published> {
    let mut ports: Vec<Published> = summaries
        .into_iter()
        .map(|port| Published {
            target: port.private_port,
            ip: port.ip.unwrap_or_default(),
            published: port.public_port.unwrap_or_default(),
            protocol: port.typ.map(|kind| kind.to_string()).unwrap_or_default(),
        })
        .collect();
    ports.sort_by_key(|port| port.target);
    ports
}

/// Health from the status in words, which spares one request for each container.
fn health<'a>(state: &str, status: &'a str) -> &'a str {
    if state != "running" {
        return "";
    }
    let inside = status
        .rsplit_once('(')
        .and_then(|(_, rest)| rest.strip_suffix(')'))
        .unwrap_or_default();
    match inside {
        "healthy" | "unhealthy" => inside,
        _ => inside.strip_prefix("health: ").unwrap_or_default(),
    }
}

/// The code of `Exited (3) 2 minutes ago`.
fn exit_code(status: &str) -> i64 {
    status
        .strip_prefix("Exited (")
        .and_then(|rest| rest.split_once(')'))
        .and_then(|(code, _)| code.parse().ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn health_and_exit_code_are_in_the_status() {
        assert_eq!(health("running", "Up 2 minutes (healthy)"), "healthy");
        assert_eq!(health("running", "Up 1 second (unhealthy)"), "unhealthy");
        assert_eq!(
            health("running", "Up 1 second (health: starting)"),
            "starting"
        );
        assert_eq!(health("running", "Up 2 minutes"), "");
        assert_eq!(health("paused", "Up 2 minutes (Paused)"), "");
        assert_eq!(health("exited", "Exited (0) 1 second ago"), "");
        assert_eq!(exit_code("Exited (137) About a minute ago"), 137);
        assert_eq!(exit_code("Up 3 hours"), 0);
    }

    #[test]
    fn the_name_is_the_one_that_is_no_link() {
        let summary = ContainerSummary {
            names: Some(vec!["/p-a-1/db".into(), "/p-db-1".into()]),
            ..ContainerSummary::default()
        };
        assert_eq!(Listed::from(summary).name, "p-db-1");
    }
}
