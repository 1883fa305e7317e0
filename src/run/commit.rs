//! An image of a container.

use bollard::models::ContainerConfig;
use bollard::query_parameters::CommitContainerOptionsBuilder;

use super::Error;
use super::reference::Reference;
use crate::connect::Engine;

/// What the image is to be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Its name, with or without a tag; none where absent.
    pub reference: Option<String>,
    /// Who made it.
    pub author: Option<String>,
    /// What it is.
    pub comment: Option<String>,
    /// Instructions of a Dockerfile that change its configuration.
    pub changes: Vec<String>,
    /// Whether the container is frozen meanwhile.
    pub pause: bool,
}

/// Makes an image of a container and returns its id. Uses `POST /commit`.
///
/// # Errors
/// When the name is no name of an image, or the engine refuses.
pub async fn commit(engine: &Engine, container: &str, options: &Options) -> Result<String, Error> {
    let mut parameters = CommitContainerOptionsBuilder::new()
        .container(container)
        .pause(options.pause);
    if let Some(reference) = options.reference.as_deref() {
        let parts = Reference::parse(reference);
        if parts.digest.is_some() {
            return Err(Error::new(format!(
                "an image cannot be committed to a digest: {reference}"
            ))
            .remedy("name it REPOSITORY:TAG"));
        }
        parameters = parameters.repo(parts.name).tag(parts.tag_or_digest());
    }
    if let Some(author) = &options.author {
        parameters = parameters.author(author);
    }
    if let Some(comment) = &options.comment {
        parameters = parameters.comment(comment);
    }
    let changes = options.changes.join("\n");
    if !changes.is_empty() {
        parameters = parameters.changes(&changes);
    }
    let made = engine
        .docker
        .commit_container(parameters.build(), ContainerConfig::default())
        .await?;
    Ok(made.id)
}
