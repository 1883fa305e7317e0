//! Named contexts that are folders, for builders that know no named contexts: each becomes an image for as long as the
//! build takes, and the instructions name that.

use bollard::Docker;
use bollard::query_parameters::{CreateImageOptionsBuilder, RemoveImageOptionsBuilder};
use futures::StreamExt as _;

use super::archive::Archive;
use super::posted::ignore_file_of;
use super::recipe::{Context, Dockerfile, NamedContext, Recipe};
use crate::run::Error;

/// Images of an engine that hold the contexts of a build.
#[derive(Debug)]
pub(super) struct ContextImages<'e> {
    docker: &'e Docker,
    names: Vec<String>,
}

impl<'e> ContextImages<'e> {
    /// None yet.
    pub(super) fn none(docker: &'e Docker) -> Self {
        Self {
            docker,
            names: Vec::new(),
        }
    }

    /// Puts the folders among a recipe's contexts onto the engine; the recipe then names images only. Where the Dockerfile is
    /// not here its instructions cannot name others, and nothing is done.
    ///
    /// # Errors
    /// When a folder cannot be read, or the engine does not take it.
    pub(super) async fn import(&mut self, recipe: &mut Recipe) -> Result<(), Error> {
        let imported = self.folders(recipe).await;
        if imported.is_err() {
            self.remove().await;
        }
        imported
    }

    async fn folders(&mut self, recipe: &mut Recipe) -> Result<(), Error> {
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
        while let Some(message) = messages.next().await {
            if let Err(error) = message {
                return Err(packing.take().unwrap_or_else(|| error.into()));
            }
        }
        Ok(())
    }

    /// Takes them away. One that is gone already, or that cannot be removed, is no failure of the build.
    pub(super) async fn remove(&mut self) {
        for name in std::mem::take(&mut self.names) {
            let options = RemoveImageOptionsBuilder::default().force(true).build();
            let removed = self.docker.remove_image(&name, Some(options), None).await;
            if let Err(error) = removed {
                tracing::debug!("remove {name}: {error}");
            }
        }
    }
}
