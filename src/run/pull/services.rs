//! `pull`: the images of services, side by side.

use std::collections::BTreeMap;

use bollard::Docker;
use futures::StreamExt as _;

use super::{pull_buildable_image, pull_image};
use crate::compose::model::Service;
use crate::report::event::{Sender, Step, send};
use crate::run::Error;
use crate::run::reference::Reference;

/// What `pull` was asked for.
#[derive(Debug, Clone, Default)]
pub struct PullOptions {
    /// `--policy`: overrides the services' `pull_policy`.
    pub policy: Option<String>,
    /// `--ignore-buildable`: leave alone what can be built.
    pub ignore_buildable: bool,
    /// `--ignore-pull-failures`: a failure is told but is none.
    pub ignore_failures: bool,
    /// How many images at once; all where absent.
    pub parallel: Option<usize>,
    /// `DOCKER_DEFAULT_PLATFORM`.
    pub default_platform: Option<String>,
}

/// An image to be pulled for a service.
struct Wanted<'a> {
    service: &'a str,
    image: &'a str,
    platform: Option<&'a str>,
    buildable: bool,
}

/// Pulls the images of `services` as their policies say, all that can be pulled even when some
/// fail.
///
/// # Errors
/// When an image could not be pulled, after all others were: the names of all failures.
pub async fn pull_services(
    docker: &Docker,
    services: &BTreeMap<String, &Service>,
    options: &PullOptions,
    sender: &Sender,
) -> Result<(), Error> {
    let wanted = choose(docker, services, options, sender).await?;
    let limit = options.parallel.unwrap_or(wanted.len()).max(1);
    let pulls = wanted.iter().map(|wanted| async move {
        let buildable = wanted.buildable;
        let result = if buildable {
            let Wanted {
                image,
                platform,
                service,
                ..
            } = wanted;
            pull_buildable_image(docker, image, *platform, service, sender).await
        } else {
            pull_image(
                docker,
                wanted.image,
                wanted.platform,
                wanted.service,
                sender,
            )
            .await
        };
        result.map_err(|mut error| {
            error.path = ["services", wanted.service, "image"]
                .map(str::to_owned)
                .to_vec();
            (wanted, error)
        })
    });
    let failures: Vec<(&Wanted<'_>, Error)> = futures::stream::iter(pulls)
        .buffer_unordered(limit)
        .filter_map(|result| async move { result.err() })
        .collect()
        .await;
    finish(failures, options, sender)
}

/// Tells what [`pull_services`] would pull, as far as that can be said without the engine.
pub fn rehearse(services: &BTreeMap<String, &Service>, options: &PullOptions, sender: &Sender) {
    let mut images = Vec::new();
    for (name, service) in services {
        match decide(service, options) {
            Decision::Pull(image) | Decision::PullIfMissing(image) if !images.contains(&image) => {
                images.push(image);
                send(sender, Step::working(name.as_str(), "Pulling"));
                send(sender, Step::done(name.as_str(), "Pulled"));
            }
            Decision::Skip(why) => send(sender, Step::done(name.as_str(), why)),
            _ => {}
        }
    }
}

/// What is to be done for one service.
enum Decision<'a> {
    Pull(&'a str),
    PullIfMissing(&'a str),
    Skip(&'static str),
    /// Nothing to be said either.
    Nothing,
}

fn decide<'a>(service: &'a Service, options: &PullOptions) -> Decision<'a> {
    if service.provider.is_some() {
        return Decision::Nothing;
    }
    let Some(image) = service.image.as_deref() else {
        return Decision::Skip("Skipped - No image to be pulled");
    };
    let policy = options.policy.as_deref().or(service.pull_policy.as_deref());
    if matches!(policy, Some("never" | "build")) {
        return Decision::Skip("Skipped");
    }
    if service.build.is_some() && options.ignore_buildable {
        return Decision::Skip("Skipped - Image can be built");
    }
    match policy {
        Some("missing" | "if_not_present") => Decision::PullIfMissing(image),
        _ => Decision::Pull(image),
    }
}

/// Says what is not pulled and why; the rest is to be pulled, each image once.
async fn choose<'a>(
    docker: &Docker,
    services: &'a BTreeMap<String, &Service>,
    options: &'a PullOptions,
    sender: &Sender,
) -> Result<Vec<Wanted<'a>>, Error> {
    let mut wanted: Vec<Wanted<'a>> = Vec::new();
    for (name, service) in services {
        let skip = |why: &str| send(sender, Step::done(name.as_str(), why));
        let image = match decide(service, options) {
            Decision::Nothing => continue,
            Decision::Skip(why) => {
                skip(why);
                continue;
            }
            Decision::PullIfMissing(image) if is_present(docker, image).await? => {
                skip("Skipped - Image is already present locally");
                continue;
            }
            Decision::PullIfMissing(image) | Decision::Pull(image) => image,
        };
        if let Some(first) = wanted.iter().find(|other| other.image == image) {
            let service = first.service;
            skip(&format!(
                "Skipped - Image is already being pulled by {service}"
            ));
            continue;
        }
        let platform = service.platform.as_deref();
        wanted.push(Wanted {
            service: name,
            image,
            platform: platform.or(options.default_platform.as_deref()),
            buildable: service.build.is_some(),
        });
    }
    Ok(wanted)
}

/// Whether the engine has the image and its tag is not one that moves.
async fn is_present(docker: &Docker, image: &str) -> Result<bool, Error> {
    let reference = Reference::parse(image);
    if reference.digest.is_none() && reference.tag == Some("latest") {
        return Ok(false);
    }
    match docker.inspect_image(image).await.map_err(Error::from) {
        Ok(_) => Ok(true),
        Err(error) if error.is_not_found() => Ok(false),
        Err(error) => Err(error),
    }
}

fn finish(
    failures: Vec<(&Wanted<'_>, Error)>,
    options: &PullOptions,
    sender: &Sender,
) -> Result<(), Error> {
    let buildable: Vec<&str> = failures
        .iter()
        .filter(|(wanted, _)| wanted.buildable)
        .map(|(wanted, _)| wanted.service)
        .collect();
    if !buildable.is_empty() {
        let names = buildable.join(" ");
        let text = format!("some images must be built instead: rcompose build {names}");
        send(sender, crate::report::event::Event::Warning(text));
    }
    if options.ignore_failures {
        return Ok(());
    }
    let mut errors = failures.into_iter().map(|(_, error)| error);
    let Some(mut first) = errors.next() else {
        return Ok(());
    };
    for error in errors {
        first.message.push('\n');
        first.message.push_str(&error.message);
        first.remedy = first.remedy.or(error.remedy);
    }
    Err(first)
}
