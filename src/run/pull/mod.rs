//! Pulling images.

mod layers;
mod services;

use bollard::Docker;
use bollard::query_parameters::CreateImageOptionsBuilder;
use futures::StreamExt as _;

pub use services::{PullOptions, pull_services, rehearse};

use super::Error;
use super::reference::Reference;
use super::registry_auth::RegistryAuth;
use crate::report::event::{Sender, Status, Step, send};
use layers::Layers;

/// Pulls an image and tells its progress as that of `id` (a service's name), with a part for
/// each layer.
///
/// # Errors
/// When the engine cannot pull it; the failure has been told as progress too.
pub async fn pull_image(
    docker: &Docker,
    reference: &str,
    platform: Option<&str>,
    id: &str,
    sender: &Sender,
) -> Result<(), Error> {
    pull(docker, reference, platform, id, Status::Error, sender).await
}

/// As [`pull_image`], for an image that can be built instead: a failure is told as a warning.
///
/// # Errors
/// When the engine cannot pull it.
pub async fn pull_buildable_image(
    docker: &Docker,
    reference: &str,
    platform: Option<&str>,
    id: &str,
    sender: &Sender,
) -> Result<(), Error> {
    pull(docker, reference, platform, id, Status::Warning, sender).await
}

async fn pull(
    docker: &Docker,
    reference: &str,
    platform: Option<&str>,
    id: &str,
    on_failure: Status,
    sender: &Sender,
) -> Result<(), Error> {
    send(sender, Step::working(id, "Pulling"));
    match try_pull(docker, reference, platform, id, sender).await {
        Ok(()) => {
            send(sender, Step::done(id, "Pulled"));
            Ok(())
        }
        Err(error) => {
            let text = match on_failure {
                Status::Warning => "Warning",
                _ => "Error",
            };
            send(
                sender,
                Step::new(id, on_failure, text).detail(error.message.clone()),
            );
            Err(explain(error, reference))
        }
    }
}

async fn try_pull(
    docker: &Docker,
    reference: &str,
    platform: Option<&str>,
    id: &str,
    sender: &Sender,
) -> Result<(), Error> {
    let credentials = RegistryAuth::load()?.for_image(reference).await?;
    let parts = Reference::parse(reference);
    let options = CreateImageOptionsBuilder::default()
        .from_image(parts.name)
        .tag(parts.tag_or_digest())
        .platform(platform.unwrap_or_default())
        .build();
    let mut messages = docker.create_image(Some(options), None, credentials);
    let mut layers = Layers::new(id);
    while let Some(message) = messages.next().await {
        for step in layers.take(message?) {
            send(sender, step);
        }
    }
    Ok(())
}

/// Names the image and adds what helps.
fn explain(error: Error, reference: &str) -> Error {
    let message = error.message.to_lowercase();
    let registry = Reference::parse(reference).domain();
    let remedy = if message.contains("unauthorized")
        || message.contains("access denied")
        || message.contains("authentication required")
        || message.contains("no basic auth credentials")
    {
        format!("check the image's name, or log in first: docker login {registry}")
    } else if message.contains("not found") || message.contains("manifest unknown") {
        "check the image's name and tag under `image`".to_owned()
    } else if message.contains("no matching manifest") || message.contains("platform") {
        "choose a `platform` that the image is published for".to_owned()
    } else if message.contains("dial tcp")
        || message.contains("lookup")
        || message.contains("timeout")
        || message.contains("no such host")
    {
        format!("check that the engine's host can reach {registry}, or load the image from a file")
    } else {
        return error.while_doing(format!("cannot pull image {reference}"));
    };
    error
        .while_doing(format!("cannot pull image {reference}"))
        .remedy(remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_name_the_image_and_what_helps() {
        let error = explain(
            Error::new("manifest for x/y:1 not found: manifest unknown"),
            "x/y:1",
        );
        assert!(error.message.starts_with("cannot pull image x/y:1: "));
        assert!(error.remedy.is_some_and(|text| text.contains("`image`")));
        let error = explain(Error::new("dial tcp: connection refused"), "h:1/y");
        assert!(error.remedy.is_some_and(|text| text.contains("h:1")));
    }
}
