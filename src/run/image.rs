//! Images: remove, and pull or build as a plan says.

use bollard::query_parameters::RemoveImageOptions;

use super::build::BuildOptions;
use super::job::Job;
use super::{Error, Kind, build as builder, pull};
use crate::compose::model::Service;
use crate::plan::step::Pull;
use crate::report::event::{Event, Sender, Step, send};

pub(super) async fn remove(job: &Job, image: &str) -> Result<(), Error> {
    let id = format!("Image {image}");
    job.tell(Step::working(&id, "Removing"));
    let result = job
        .engine
        .docker
        .remove_image(image, None::<RemoveImageOptions>, None)
        .await;
    match result.map_err(Error::from) {
        Ok(_) => job.tell(Step::done(&id, "Removed")),
        Err(error) if error.is_not_found() => {
            job.tell(Step::done(&id, "Warning: No resource found to remove"));
        }
        Err(error) if error.kind == Kind::Conflict => {
            job.tell(Step::warning(&id, "Resource is still in use"));
        }
        Err(error) => {
            job.tell(Step::error(&id, "Error"));
            return Err(error.while_doing(format_args!("failed to remove image {image}")));
        }
    }
    Ok(())
}

/// Pulls an image and says whether that worked. That of a service that can be built may fail:
/// the plan goes on to build it.
pub(super) async fn pull(job: &Job, wanted: &Pull) -> Result<bool, Error> {
    let service = wanted.services.first().map_or("", String::as_str);
    let quiet = job.quiet_pull.then(|| without_layers(job.sender.clone()));
    let sender = quiet.as_ref().unwrap_or(&job.sender);
    let docker = &job.engine.docker;
    let platform = wanted.platform.as_deref();
    if wanted.buildable {
        let result =
            pull::pull_buildable_image(docker, &wanted.image, platform, service, sender).await;
        return match result {
            Err(error) if error.kind == Kind::Connection => Err(error),
            result => Ok(result.is_ok()),
        };
    }
    pull::pull_image(docker, &wanted.image, platform, service, sender)
        .await
        .map(|()| true)
        .map_err(|mut error| {
            error.path = ["services", service, "image"].map(str::to_owned).to_vec();
            error
        })
}

/// A sender that passes on everything but the progress of layers.
fn without_layers(sender: Sender) -> Sender {
    let (quiet, mut events) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Some(event) = events.recv().await {
            let is_part = match &event {
                Event::Step(step) => step.parent.is_some(),
                Event::Build(_) => true,
                _ => false,
            };
            if !is_part {
                send(&sender, event);
            }
        }
    });
    quiet
}

/// Builds the image of a service.
pub(super) async fn build(job: &Job, service: &Service) -> Result<(), Error> {
    let project = job.project()?;
    let options = BuildOptions {
        separator: Some(job.settings.separator),
        default_platform: project.environment.get("DOCKER_DEFAULT_PLATFORM").cloned(),
        single_platform: true,
        classic: job.build.classic,
        ..BuildOptions::default()
    };
    let quiet = job.build.quiet.then(|| without_layers(job.sender.clone()));
    let sender = quiet.as_ref().unwrap_or(&job.sender);
    let names = [service.name.clone()];
    let built = builder::build_services(&job.engine, project, &names, &options, sender).await;
    built.map(|_| ()).map_err(|mut error| {
        if error.path.is_empty() {
            error.path = ["services", &service.name, "build"]
                .map(str::to_owned)
                .to_vec();
        }
        error
    })
}
