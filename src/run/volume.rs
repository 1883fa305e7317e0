//! Volumes: create and remove.

use bollard::query_parameters::RemoveVolumeOptionsBuilder;

use super::job::Job;
use super::{Error, Kind};
use crate::plan;
use crate::report::event::Step;

pub(super) async fn create(job: &Job, key: &str, name: &str) -> Result<(), Error> {
    let project = job.project()?;
    let Some(volume) = project.volumes.get(key) else {
        return Err(Error::new(format!("volume {key} is not defined")));
    };
    let id = format!("Volume {name}");
    job.tell(Step::working(&id, "Creating"));
    let body = plan::volume::create_body(&project.name, key, volume);
    match job.engine.docker.create_volume(body).await {
        Ok(_) => {
            job.tell(Step::done(&id, "Created"));
            Ok(())
        }
        Err(error) => {
            job.tell(Step::error(&id, "Error"));
            let mut error =
                Error::from(error).while_doing(format_args!("failed to create volume {name}"));
            error.path = vec!["volumes".to_owned(), key.to_owned()];
            Err(error)
        }
    }
}

pub(super) async fn remove(job: &Job, name: &str, required: bool) -> Result<(), Error> {
    let id = format!("Volume {name}");
    job.tell(Step::working(&id, "Removing"));
    let options = RemoveVolumeOptionsBuilder::new().force(true).build();
    let result = job.engine.docker.remove_volume(name, Some(options)).await;
    match result.map_err(Error::from) {
        Ok(()) => job.tell(Step::done(&id, "Removed")),
        Err(error) if error.is_not_found() => {
            job.tell(Step::done(&id, "Warning: No resource found to remove"));
        }
        Err(error) if error.kind == Kind::Conflict && !required => {
            job.tell(Step::warning(&id, "Resource is still in use"));
        }
        Err(error) => {
            job.tell(Step::error(&id, "Error"));
            return Err(error.while_doing(format_args!("failed to remove volume {name}")));
        }
    }
    Ok(())
}
