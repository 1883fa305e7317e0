//! Transformations: images that turn a project into files for something else.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use bollard::models::{
    ContainerCreateBody, HostConfig, ImageInspect, ImageSummary, Mount, MountType,
};
use bollard::query_parameters::{
    CreateContainerOptions, ListImagesOptionsBuilder, RemoveContainerOptionsBuilder,
};
use tokio_util::sync::CancellationToken;

use super::oneoff::{self, OneOff};
use super::pull::pull_image;
use super::streams::Streams;
use super::{Error, copy};
use crate::connect::Engine;
use crate::report::event::Sender;

/// The label that images of transformations have, and its value.
pub const LABEL: &str = "com.docker.compose.bridge=transformation";
/// Where a transformation has its templates.
const TEMPLATES: &str = "/templates";

/// One run of a transformation.
#[derive(Debug, Clone)]
pub struct Transformation {
    /// Its image.
    pub image: String,
    /// Folder with `compose.yaml`; absolute.
    pub input: PathBuf,
    /// Folder for what it makes; absolute.
    pub output: PathBuf,
    /// Folder with templates in place of its own; absolute.
    pub templates: Option<PathBuf>,
}

/// What the engine knows of an image, which is pulled where it is not there.
///
/// # Errors
/// When it cannot be pulled.
pub async fn image(engine: &Engine, name: &str, sender: &Sender) -> Result<ImageInspect, Error> {
    match engine.docker.inspect_image(name).await.map_err(Error::from) {
        Err(error) if error.is_not_found() => {
            pull_image(&engine.docker, name, None, name, sender).await?;
            Ok(engine.docker.inspect_image(name).await?)
        }
        found => found,
    }
}

/// The ports that an image exposes, without their protocols, sorted as text.
pub fn exposed(image: &ImageInspect) -> BTreeSet<String> {
    let config = image.config.as_ref();
    let ports = config.and_then(|config| config.exposed_ports.as_ref());
    let ports = ports.into_iter().flatten();
    let number = |port: &String| port.split('/').next().unwrap_or_default().to_owned();
    ports.map(number).collect()
}

/// Runs a transformation with our streams, and gives its exit code. Its container is gone afterwards.
///
/// # Errors
/// When the engine refuses, or the connection breaks.
pub async fn transform(
    engine: &Engine,
    transformation: &Transformation,
    streams: Streams,
) -> Result<i64, Error> {
    let folder = |source: &Path, target: &str| Mount {
        typ: Some(MountType::BIND),
        source: Some(source.to_string_lossy().into_owned()),
        target: Some(target.to_owned()),
        ..Mount::default()
    };
    let mut mounts = vec![
        folder(&transformation.input, "/in"),
        folder(&transformation.output, "/out"),
    ];
    let templates = transformation.templates.iter();
    mounts.extend(templates.map(|templates| folder(templates, TEMPLATES)));
    let body = ContainerCreateBody {
        image: Some(transformation.image.clone()),
        // What it makes is to be ours.
        user: user(),
        env: Some(vec!["LICENSE_AGREEMENT=true".to_owned()]),
        host_config: Some(HostConfig {
            auto_remove: Some(true),
            mounts: Some(mounts),
            ..HostConfig::default()
        }),
        ..ContainerCreateBody::default()
    };
    let options = None::<CreateContainerOptions>;
    let created = engine.docker.create_container(options, body).await?;
    let container = OneOff {
        id: created.id,
        files: Vec::new(),
        terminal: false,
        auto_remove: true,
    };
    oneoff::attached(engine, &container, streams, CancellationToken::new()).await
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "other systems have none")]
fn user() -> Option<String> {
    Some(nix::unistd::getuid().to_string())
}

#[cfg(not(unix))]
fn user() -> Option<String> {
    None
}

/// The images of transformations that the engine has.
///
/// # Errors
/// When the engine refuses.
pub async fn transformations(engine: &Engine) -> Result<Vec<ImageSummary>, Error> {
    let filters = HashMap::from([("label".to_owned(), vec![LABEL.to_owned()])]);
    let options = ListImagesOptionsBuilder::default()
        .filters(&filters)
        .build();
    Ok(engine.docker.list_images(Some(options)).await?)
}

/// Copies the templates of a transformation's image into a folder, as `templates`.
///
/// # Errors
/// When the engine does not have the image, or that no templates.
pub async fn copy_templates(engine: &Engine, image: &str, folder: &Path) -> Result<(), Error> {
    let body = ContainerCreateBody {
        image: Some(image.to_owned()),
        ..ContainerCreateBody::default()
    };
    let options = None::<CreateContainerOptions>;
    let created = engine.docker.create_container(options, body).await?;
    let folder = folder.to_string_lossy();
    let copied = copy::from_container(
        engine,
        &created.id,
        TEMPLATES,
        &folder,
        copy::Options::default(),
    )
    .await;
    let options = RemoveContainerOptionsBuilder::default().force(true).v(true);
    let removed = engine
        .docker
        .remove_container(&created.id, Some(options.build()))
        .await;
    copied.map_err(|error| error.while_doing(format!("the templates of {image}")))?;
    Ok(removed?)
}
