//! What is on the engine → [`Observed`], with as few requests as possible and all of them
//! at once: one list of containers, of networks, of volumes, and one inspect per image.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bollard::models::{
    ContainerSummary, ContainerSummaryStateEnum, ImageInspect, ImageSummary, MountPoint,
};
use bollard::query_parameters::{
    ListContainersOptionsBuilder, ListImagesOptionsBuilder, ListNetworksOptions, ListVolumesOptions,
};
use futures::future::try_join_all;

use super::Error;
use crate::connect::Engine;
use crate::plan::labels;
use crate::plan::observed::{
    Attachment, Container, Health, Image, Mount, Network, Observed, ProjectImage, State, Volume,
};

/// What of the engine's state is looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wants {
    /// The project's name.
    pub project: String,
    /// Image references to look up.
    pub images: BTreeSet<String>,
    /// Whether networks are listed.
    pub networks: bool,
    /// Names or ids of networks the project refers to, beside its own.
    pub network_names: BTreeSet<String>,
    /// Whether volumes are listed.
    pub volumes: bool,
    /// Names of volumes the project refers to, beside its own.
    pub volume_names: BTreeSet<String>,
    /// Whether images with the project's label are listed.
    pub project_images: bool,
    /// Whether containers of hooks count too.
    pub hooks: bool,
}

impl Wants {
    /// Containers of a project alone.
    pub fn containers(project: impl Into<String>) -> Self {
        Self {
            project: project.into(),
            ..Self::default()
        }
    }
}

/// Looks at the engine.
pub async fn observe(engine: &Engine, wants: &Wants) -> Result<Observed, Error> {
    let ((containers, hooks), networks, volumes, images, project_images) = tokio::try_join!(
        containers(engine, wants),
        networks(engine, wants),
        volumes(engine, wants),
        images(engine, &wants.images),
        project_images(engine, wants),
    )?;
    Ok(Observed {
        containers,
        hooks,
        networks,
        volumes,
        images,
        project_images,
        api: engine.api,
        swarm: engine.swarm,
        api_socket: engine.socket_path(),
    })
}

/// Containers of a project in any state, one-offs included, and those of its hooks.
async fn containers(
    engine: &Engine,
    wants: &Wants,
) -> Result<(Vec<Container>, Vec<Container>), Error> {
    let mut labels = vec![format!("{}={}", labels::PROJECT, wants.project)];
    if !wants.hooks {
        labels.push(labels::CONFIG_HASH.to_owned());
    }
    let filters = HashMap::from([("label".to_owned(), labels)]);
    let options = ListContainersOptionsBuilder::new()
        .all(true)
        .filters(&filters)
        .build();
    let list = engine.docker.list_containers(Some(options)).await?;
    let (own, others): (Vec<_>, Vec<_>) = list
        .into_iter()
        .map(container)
        .partition(|container| container.labels.contains_key(labels::CONFIG_HASH));
    let hooks = others
        .into_iter()
        .filter(|container| container.labels.contains_key(labels::HOOK));
    Ok((own, hooks.collect()))
}

async fn networks(engine: &Engine, wants: &Wants) -> Result<Vec<Network>, Error> {
    if !wants.networks {
        return Ok(Vec::new());
    }
    let list = engine
        .docker
        .list_networks(None::<ListNetworksOptions>)
        .await?;
    let all = list.into_iter().map(|network| Network {
        id: network.id.unwrap_or_default(),
        name: network.name.unwrap_or_default(),
        labels: network.labels.unwrap_or_default().into_iter().collect(),
    });
    Ok(all
        .filter(|network| {
            is_of(&network.labels, &wants.project)
                || wants.network_names.contains(&network.name)
                || wants.network_names.contains(&network.id)
        })
        .collect())
}

async fn volumes(engine: &Engine, wants: &Wants) -> Result<Vec<Volume>, Error> {
    if !wants.volumes {
        return Ok(Vec::new());
    }
    let list = engine
        .docker
        .list_volumes(None::<ListVolumesOptions>)
        .await?;
    let all = list.volumes.unwrap_or_default().into_iter();
    Ok(all
        .map(|volume| Volume {
            name: volume.name,
            labels: volume.labels.into_iter().collect(),
        })
        .filter(|volume| {
            is_of(&volume.labels, &wants.project) || wants.volume_names.contains(&volume.name)
        })
        .collect())
}

/// Looks images up by reference; a missing one has no entry.
pub async fn images(
    engine: &Engine,
    references: &BTreeSet<String>,
) -> Result<BTreeMap<String, Image>, Error> {
    let lookups = references.iter().map(|reference| async move {
        match engine
            .docker
            .inspect_image(reference)
            .await
            .map_err(Error::from)
        {
            Ok(found) => Ok(Some((reference.clone(), image(found)))),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error.while_doing(format_args!("image {reference}"))),
        }
    });
    Ok(try_join_all(lookups).await?.into_iter().flatten().collect())
}

async fn project_images(engine: &Engine, wants: &Wants) -> Result<Vec<ProjectImage>, Error> {
    if !wants.project_images {
        return Ok(Vec::new());
    }
    let filters = HashMap::from([(
        "label".to_owned(),
        vec![format!("{}={}", labels::PROJECT, wants.project)],
    )]);
    let options = ListImagesOptionsBuilder::new().filters(&filters).build();
    let list = engine.docker.list_images(Some(options)).await?;
    Ok(list.into_iter().map(project_image).collect())
}

fn project_image(image: ImageSummary) -> ProjectImage {
    ProjectImage {
        id: image.id,
        tags: image
            .repo_tags
            .into_iter()
            .filter(|tag| tag != "<none>:<none>")
            .collect(),
        labels: image.labels.into_iter().collect(),
    }
}

fn is_of(labels: &BTreeMap<String, String>, project: &str) -> bool {
    labels
        .get(labels::PROJECT)
        .is_some_and(|value| value == project)
}

fn image(found: ImageInspect) -> Image {
    let config = found.config.unwrap_or_default();
    let healthcheck = config
        .healthcheck
        .and_then(|healthcheck| healthcheck.test)
        .is_some_and(|test| !test.is_empty() && test[0] != "NONE");
    Image {
        id: found.id.unwrap_or_default(),
        volumes: config.volumes.unwrap_or_default().into_iter().collect(),
        healthcheck,
        os: found.os.unwrap_or_default(),
        architecture: found.architecture.unwrap_or_default(),
        variant: found.variant.unwrap_or_default(),
        last_tagged: found
            .metadata
            .and_then(|metadata| metadata.last_tag_time)
            .map(|time| time.unix_timestamp()),
    }
}

/// A container as the engine's list describes it.
pub fn container(summary: ContainerSummary) -> Container {
    let status = summary.status.unwrap_or_default();
    let networks = summary
        .network_settings
        .and_then(|settings| settings.networks)
        .unwrap_or_default();
    let mut networks: Vec<Attachment> = networks
        .into_iter()
        .map(|(name, endpoint)| Attachment {
            name,
            id: endpoint.network_id.unwrap_or_default(),
        })
        .collect();
    networks.sort_by(|a, b| a.name.cmp(&b.name));
    Container {
        id: summary.id.unwrap_or_default(),
        name: own_name(summary.names.as_deref().unwrap_or_default()),
        image: summary.image.unwrap_or_default(),
        image_id: summary.image_id.unwrap_or_default(),
        labels: summary.labels.unwrap_or_default().into_iter().collect(),
        created: summary.created.unwrap_or_default(),
        state: state(summary.state),
        health: health(&status),
        exit_code: exit_code(&status),
        networks,
        mounts: summary
            .mounts
            .unwrap_or_default()
            .into_iter()
            .map(mount)
            .collect(),
    }
}

/// A container's own name: the one that is not `/other/alias`, as links make them.
fn own_name(names: &[String]) -> String {
    let stripped = || names.iter().map(|name| name.trim_start_matches('/'));
    stripped()
        .find(|name| !name.contains('/'))
        .or_else(|| stripped().next())
        .unwrap_or_default()
        .to_owned()
}

fn mount(mount: MountPoint) -> Mount {
    Mount {
        kind: mount.typ.unwrap_or_default(),
        name: mount.name.unwrap_or_default(),
        source: mount.source.unwrap_or_default(),
        destination: mount.destination.unwrap_or_default(),
        writable: mount.rw.unwrap_or(true),
    }
}

fn state(state: Option<ContainerSummaryStateEnum>) -> State {
    use ContainerSummaryStateEnum as Engine;
    match state {
        Some(Engine::RUNNING) => State::Running,
        Some(Engine::PAUSED) => State::Paused,
        Some(Engine::RESTARTING) => State::Restarting,
        Some(Engine::EXITED) => State::Exited,
        Some(Engine::REMOVING) => State::Removing,
        Some(Engine::DEAD) => State::Dead,
        _ => State::Created,
    }
}

/// Health as "Up 2 minutes (healthy)" tells it.
fn health(status: &str) -> Health {
    if status.contains("(healthy)") {
        Health::Healthy
    } else if status.contains("(unhealthy)") {
        Health::Unhealthy
    } else if status.contains("(health: starting)") || status.contains("(starting)") {
        Health::Starting
    } else {
        Health::None
    }
}

/// Exit code as "Exited (3) 5 seconds ago" tells it.
fn exit_code(status: &str) -> Option<i64> {
    let rest = status
        .strip_prefix("Exited (")
        .or_else(|| status.strip_prefix("Restarting ("))?;
    rest.split_once(')')?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn health_and_exit_code_come_from_the_status_text() {
        assert_eq!(health("Up 2 seconds (healthy)"), Health::Healthy);
        assert_eq!(health("Up 2 seconds (health: starting)"), Health::Starting);
        assert_eq!(health("Up 2 seconds (unhealthy)"), Health::Unhealthy);
        assert_eq!(health("Up 2 seconds"), Health::None);
        assert_eq!(exit_code("Exited (137) 1 second ago"), Some(137));
        assert_eq!(exit_code("Up 3 hours"), None);
    }

    #[test]
    fn names_made_by_links_are_passed_over() {
        let names = ["/p-web-1/db".to_owned(), "/p-db-1".to_owned()];
        assert_eq!(own_name(&names), "p-db-1");
    }

    #[test]
    fn a_summary_becomes_a_container() {
        let json = r#"{"Id":"abc","Names":["/p-web-1"],"Image":"x","ImageID":"sha256:1",
            "Created":5,"State":"exited","Status":"Exited (3) 2 seconds ago",
            "Labels":{"com.docker.compose.service":"web"},
            "NetworkSettings":{"Networks":{"p_default":{"NetworkID":"n1"}}},
            "Mounts":[{"Type":"volume","Name":"v","Source":"/s","Destination":"/d","RW":false}]}"#;
        let summary: ContainerSummary = serde_json::from_str(json).expect("valid");
        let found = container(summary);
        assert_eq!(found.name, "p-web-1");
        assert_eq!(found.state, State::Exited);
        assert_eq!(found.exit_code, Some(3));
        assert_eq!(found.networks[0].id, "n1");
        assert_eq!(found.mounts[0].kind, "volume");
        assert!(!found.mounts[0].writable);
        assert_eq!(found.label("com.docker.compose.service"), "web");
    }
}
