//! Pushing the images of services.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bollard::Docker;
use bollard::models::PushImageInfo;
use bollard::query_parameters::PushImageOptionsBuilder;
use futures::StreamExt as _;

use super::Error;
use super::reference::Reference;
use super::registry_auth::RegistryAuth;
use crate::compose::model::Service;
use crate::report::event::{Event, Sender, Step, Stream, send};

/// Progress is told this far apart.
const PAUSE: Duration = Duration::from_secs(1);

/// What `push` was asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// A failure is told but is none.
    pub ignore_failures: bool,
    /// How many images at once; all where absent.
    pub parallel: Option<usize>,
    /// Nothing is pushed.
    pub dry_run: bool,
}

/// Pushes the images that services are built to, under all of their names, even when some fail.
/// Services without a `build` or an `image` are passed over. Uses `POST /images/{name}/push`.
///
/// # Errors
/// When an image could not be pushed, after all others were: the names of all failures.
pub async fn push_services(
    docker: &Docker,
    services: &BTreeMap<String, &Service>,
    options: Options,
    sender: &Sender,
) -> Result<(), Error> {
    let wanted = chosen(services, sender);
    let limit = options.parallel.unwrap_or(wanted.len()).max(1);
    let pushes = wanted.iter().map(|(service, image)| async move {
        if options.dry_run {
            send(sender, Step::working(*image, "Pushing"));
            send(sender, Step::done(*image, "Pushed"));
            return Ok(());
        }
        push(docker, image, sender).await.map_err(|mut error| {
            send(sender, Step::error(*image, "Error").detail(&error.message));
            error.path = ["services", service, "image"].map(str::to_owned).to_vec();
            (*service, error)
        })
    });
    let failures: Vec<(&str, Error)> = futures::stream::iter(pushes)
        .buffer_unordered(limit)
        .filter_map(|result| async move { result.err() })
        .collect()
        .await;
    if !options.ignore_failures {
        let errors = failures.into_iter().map(|(_, error)| error).collect();
        return Error::join(errors).map_or(Ok(()), Err);
    }
    for (service, error) in failures {
        let text = format!("Pushing {service}: {}", error.message);
        let stream = Stream::Stderr;
        send(sender, Event::Note { text, stream });
    }
    Ok(())
}

/// Services and the names to push, each pair once.
fn chosen<'a>(
    services: &'a BTreeMap<String, &'a Service>,
    sender: &Sender,
) -> Vec<(&'a str, &'a str)> {
    let mut wanted = Vec::new();
    for (name, service) in services {
        let (Some(build), Some(image)) = (&service.build, service.image.as_deref()) else {
            send(sender, Step::done(name.as_str(), "Skipped").detail(""));
            continue;
        };
        let tags = build.tags.iter().map(String::as_str);
        for image in std::iter::once(image).chain(tags) {
            if !wanted.iter().any(|(_, known)| *known == image) {
                wanted.push((name.as_str(), image));
            }
        }
    }
    wanted
}

async fn push(docker: &Docker, image: &str, sender: &Sender) -> Result<(), Error> {
    let named = |error: Error| error.while_doing(format!("cannot push image {image}"));
    let parts = Reference::parse(image);
    if parts.digest.is_some() {
        return Err(named(
            Error::new("cannot push a digest reference")
                .remedy("give the image a tag under `image`"),
        ));
    }
    send(sender, Step::working(image, "Pushing"));
    let credentials = RegistryAuth::load()?.for_image(image).await?;
    let options = PushImageOptionsBuilder::default()
        .tag(parts.tag_or_digest())
        .build();
    let mut messages = docker.push_image(parts.name, Some(options), credentials);
    let mut told = Instant::now();
    while let Some(message) = messages.next().await {
        let message = message.map_err(|error| explained(named(error.into()), parts.domain()))?;
        if told.elapsed() < PAUSE {
            continue;
        }
        if let Some(step) = progressed(image, &message) {
            send(sender, step);
            told = Instant::now();
        }
    }
    send(sender, Step::done(image, "Pushed"));
    Ok(())
}

/// Adds what helps.
fn explained(error: Error, registry: &str) -> Error {
    let message = error.message.to_lowercase();
    let remedy = if message.contains("unauthorized")
        || message.contains("denied")
        || message.contains("authentication required")
        || message.contains("no basic auth credentials")
    {
        format!("log in first: docker login {registry}")
    } else if message.contains("does not exist locally") {
        "build it first: rcompose build".to_owned()
    } else if message.contains("dial tcp") || message.contains("no such host") {
        format!("check that the engine's host can reach {registry}")
    } else if message.contains("page not found") || message.contains("not supported") {
        "use an engine that can push, such as Docker".to_owned()
    } else {
        return error;
    };
    error.remedy(remedy)
}

/// How far a layer got, as progress of its image.
fn progressed(image: &str, message: &PushImageInfo) -> Option<Step> {
    let detail = message.progress_detail.as_ref()?;
    let bytes = |number: Option<i64>| number.and_then(|number| u64::try_from(number).ok());
    let (current, total) = (bytes(detail.current)?, bytes(detail.total)?);
    Some(Step::working(image, "Pushing").progress(current, total))
}

#[cfg(test)]
mod tests {
    use bollard::models::ProgressDetail;

    use super::*;

    #[test]
    fn only_bytes_are_progress() {
        let mut message = PushImageInfo::default();
        assert_eq!(progressed("a/b:1", &message), None);
        message.progress_detail = Some(ProgressDetail {
            current: Some(1),
            total: Some(2),
        });
        let expected = Step::working("a/b:1", "Pushing").progress(1, 2);
        assert_eq!(progressed("a/b:1", &message), Some(expected));
    }

    #[test]
    fn refusals_say_what_helps() {
        let remedy = |message: &str| explained(Error::new(message), "here:1").remedy;
        assert_eq!(
            remedy("unauthorized: access to the resource is denied").as_deref(),
            Some("log in first: docker login here:1")
        );
        assert_eq!(remedy("something else"), None);
    }
}
