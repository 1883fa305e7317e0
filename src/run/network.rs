//! Networks: create, remove, attach and detach containers.

use bollard::models::{EndpointSettings, NetworkConnectRequest, NetworkDisconnectRequest};
use bollard::query_parameters::InspectNetworkOptions;

use super::job::Job;
use super::{Error, Kind};
use crate::plan;
use crate::report::event::Step;

pub(super) async fn create(job: &Job, key: &str, name: &str) -> Result<(), Error> {
    let project = job.project()?;
    let Some(network) = project.networks.get(key) else {
        return Err(Error::new(format!("network {key} is not defined")));
    };
    let id = format!("Network {name}");
    job.tell(Step::working(&id, "Creating"));
    let body = plan::network::create_body(&project.name, key, network);
    match job.engine.docker.create_network(body).await {
        Ok(_) => {
            job.tell(Step::done(&id, "Created"));
            Ok(())
        }
        Err(error) => {
            job.tell(Step::error(&id, "Error"));
            let mut error =
                Error::from(error).while_doing(format_args!("failed to create network {name}"));
            error.path = vec!["networks".to_owned(), key.to_owned()];
            Err(error)
        }
    }
}

pub(super) async fn remove(job: &Job, id: &str, name: &str, required: bool) -> Result<(), Error> {
    let step = format!("Network {name}");
    // One that is replaced is told as removed only.
    if !required {
        job.tell(Step::working(&step, "Removing"));
    }
    let result = job.engine.docker.remove_network(id).await;
    let error = match result.map_err(Error::from) {
        Ok(()) => {
            job.tell(Step::done(&step, "Removed"));
            return Ok(());
        }
        Err(error) if error.is_not_found() => {
            job.tell(Step::warning(&step, "No resource found to remove"));
            return Ok(());
        }
        Err(error) => error,
    };
    if in_use(job, id).await && !required {
        job.tell(Step::warning(&step, "Resource is still in use"));
        return Ok(());
    }
    job.tell(Step::error(&step, "Error"));
    let error = error.while_doing(format_args!("failed to remove network {name}"));
    Err(if error.message.contains("has active endpoints") {
        error.remedy(
            "detach the containers on it (docker network inspect shows them); where there are none, the engine has lost count and must be restarted",
        )
    } else {
        error
    })
}

/// Whether containers are attached, which the refusal to remove it does not tell apart from
/// an endpoint the engine forgot.
async fn in_use(job: &Job, id: &str) -> bool {
    let inspected = job
        .engine
        .docker
        .inspect_network(id, None::<InspectNetworkOptions>)
        .await;
    inspected.is_ok_and(|network| {
        network
            .containers
            .is_some_and(|containers| !containers.is_empty())
    })
}

/// Attaches a container to a network.
pub(super) async fn connect(
    job: &Job,
    network: &str,
    container: &str,
    endpoint: EndpointSettings,
) -> Result<(), Error> {
    let request = NetworkConnectRequest {
        container: container.to_owned(),
        endpoint_config: Some(endpoint),
    };
    let result = job.engine.docker.connect_network(network, request).await;
    result.map_err(|error| {
        Error::from(error).while_doing(format_args!("cannot attach to network {network}"))
    })
}

/// Detaches a container from a network, by force. One that is not attached is fine.
pub(super) async fn disconnect(
    job: &Job,
    network: &str,
    name: &str,
    container: &str,
) -> Result<(), Error> {
    let request = NetworkDisconnectRequest {
        container: container.to_owned(),
        force: Some(true),
    };
    let result = job.engine.docker.disconnect_network(network, request).await;
    match result.map_err(Error::from) {
        Err(error) if matches!(error.kind, Kind::NotFound | Kind::Conflict) => Ok(()),
        Err(error) if error.message.contains("is not connected to") => Ok(()),
        Err(error) => Err(error.while_doing(format_args!("cannot detach from network {name}"))),
        Ok(()) => Ok(()),
    }
}
