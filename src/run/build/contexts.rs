//! Named contexts that are folders, for builders that know no named contexts: each becomes an image for as long as the
//! build takes, and the instructions name that.

use std::time::Duration;

use bollard::Docker;
use bollard::query_parameters::{CreateImageOptionsBuilder, RemoveImageOptionsBuilder};
use futures::StreamExt as _;

use super::archive::Archive;
use super::posted::ignore_file_of;
use super::recipe::{Context, Dockerfile, NamedContext, Recipe};
use crate::run::{Error, Kind, cleanup};

/// Images of an engine that hold the contexts of a build.
#[derive(Debug)]
pub(super) struct ContextImages {
    docker: Docker,
    names: Vec<String>,
    /// Whether the engine has the last one, as far as is known.
    is_whole: bool,
}

impl ContextImages {
    /// None yet.
    pub(super) fn none(docker: &Docker) -> Self {
        Self {
            docker: docker.clone(),
            names: Vec::new(),
            is_whole: true,
        }
    }

    /// Puts the folders among a recipe's contexts onto the engine; the recipe then names images only. Where the Dockerfile is
    /// not here its instructions cannot name others, and nothing is done.
    ///
    /// # Errors
    /// When a folder cannot be read, or the engine does not take it.
    pub(super) async fn import(&mut self, recipe: &mut Recipe) -> Result<(), Error> {
        if let (Dockerfile::Inside(_), Context::Remote(_)) = (&recipe.dockerfile, &recipe.context) {
            return Ok(());
        }
        for (name, context) in &mut recipe.contexts {
            let NamedContext::Local(root) = context else {
                continue;
            };
            let id = crate::run::hex(&rand::random::<[u8; 8]>());
            let image = format!("rcompose-context-{id}:latest");
            let archive = Archive {
                ignore: ignore_file_of(root)?,
                root: Some(root.clone()),
                always: None,
                extras: Vec::new(),
                scanned: None,
            };
            let added = self.add(&image, archive).await;
            added.map_err(|error| error.while_doing(format!("additional context {name:?}")))?;
            *context = NamedContext::Image(image);
        }
        Ok(())
    }

    async fn add(&mut self, image: &str, archive: Archive) -> Result<(), Error> {
        let options = CreateImageOptionsBuilder::default()
            .from_src("-")
            .repo(image)
            .build();
        let (content, packing) = archive.stream();
        let body = bollard::body_try_stream(content);
        let mut messages = self.docker.create_image(Some(options), Some(body), None);
        self.names.push(image.to_owned());
        self.is_whole = false;
        while let Some(message) = messages.next().await {
            if let Err(error) = message {
                return Err(packing.take().unwrap_or_else(|| error.into()));
            }
        }
        self.is_whole = true;
        Ok(())
    }
}

/// However the build ends, and if it is given up: they are taken away.
impl Drop for ContextImages {
    fn drop(&mut self) {
        if self.names.is_empty() {
            return;
        }
        let names = std::mem::take(&mut self.names);
        let tries = if self.is_whole { 1 } else { TRIES };
        cleanup::begin(remove(self.docker.clone(), names, tries));
    }
}

/// How often an image is looked for that the engine may have taken whole without telling yet.
const TRIES: usize = 5;

/// Removes images. One that is gone already, or that cannot be removed, is no failure of the build.
async fn remove(docker: Docker, names: Vec<String>, tries: usize) {
    for name in names {
        for attempt in 1..=tries {
            let options = RemoveImageOptionsBuilder::default().force(true).build();
            let removed = docker.remove_image(&name, Some(options), None).await;
            let Err(error) = removed.map_err(Error::from) else {
                break;
            };
            if attempt < tries {
                tokio::time::sleep(Duration::from_millis(200)).await;
            } else if error.kind != Kind::NotFound {
                tracing::warn!("the image {name} was not removed: {error}");
            }
        }
    }
}
