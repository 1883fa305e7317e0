//! `pre_start` hooks: containers of their own that run to completion before a service starts.

use bollard::models::{ContainerCreateBody, HostConfig, NetworkingConfig};
use bollard::query_parameters::{
    CreateContainerOptions, ListContainersOptionsBuilder, LogsOptionsBuilder,
    StartContainerOptions, WaitContainerOptionsBuilder,
};
use futures::StreamExt;
use std::collections::HashMap;

use super::hook::{Lines, Output, environment};
use super::job::Job;
use super::{Error, container, network};
use crate::compose::model::{Hook, Service};
use crate::plan;
use crate::plan::labels;
use crate::plan::step::ContainerRef;
use crate::report::event::Origin;

/// The value of the label that marks these containers.
const KIND: &str = "pre_start";

/// Runs one hook of a service. It shares the volumes of the container about to be started and
/// joins the service's networks.
///
/// # Errors
/// When it cannot be run or ends with another code than 0; its container is kept then.
pub(super) async fn run(
    job: &Job,
    service: &Service,
    index: usize,
    before: &ContainerRef,
) -> Result<(), Error> {
    let place = format!("service {:?} pre_start[{index}]", service.name);
    let Some(hook) = service.pre_start.get(index) else {
        return Ok(());
    };
    if hook.per_replica {
        return Err(
            Error::new(format!("{place}: per_replica is not supported yet"))
                .remedy("remove per_replica, or set it to false")
                .of_service(&service.name),
        );
    }
    if index == 0 {
        remove_left_over(job, service).await?;
    }
    let id = create(job, service, hook, before).await?;
    let ended = job
        .until_interrupt(run_to_end(job, service, index, &id))
        .await;
    match ended {
        Ok((0, _)) => container::delete(job, &id, true, true).await,
        Ok((code, output)) => {
            let short = plan::names::short(&id);
            let output = if output.is_empty() {
                String::new()
            } else {
                format!(": {output}")
            };
            Err(
                Error::new(format!("{place} exited with code {code}{output}"))
                    .remedy(format!("its container {short} is kept for inspection"))
                    .of_service(&service.name),
            )
        }
        Err(error) => {
            let _ = container::delete(job, &id, true, true).await;
            Err(error.while_doing(place).of_service(&service.name))
        }
    }
}

async fn run_to_end(
    job: &Job,
    service: &Service,
    index: usize,
    id: &str,
) -> Result<(i64, String), Error> {
    let docker = &job.engine.docker;
    // Its log is followed from before it starts to its end, so that nothing of a short life is
    // missed and the end of the log is the end of the container.
    let options = LogsOptionsBuilder::new()
        .stdout(true)
        .stderr(true)
        .follow(true)
        .build();
    docker
        .start_container(id, None::<StartContainerOptions>)
        .await?;
    let mut logs = Box::pin(docker.logs(id, Some(options)));
    let mut lines = Lines::new(Output {
        sender: job.hook_output.then_some(&job.sender),
        origin: Origin {
            container: format!("{} pre_start[{index}] ->", service.name),
            service: service.name.clone(),
        },
    });
    while let Some(Ok(piece)) = logs.next().await {
        lines.take(piece);
    }
    lines.finish();
    let options = WaitContainerOptionsBuilder::new()
        .condition("not-running")
        .build();
    let code = match docker.wait_container(id, Some(options)).next().await {
        Some(Ok(response)) => response.status_code,
        Some(Err(bollard::errors::Error::DockerContainerWaitError { code, .. })) => code,
        Some(Err(error)) => return Err(error.into()),
        None => return Err(Error::new("the engine did not tell how it ended")),
    };
    Ok((code, lines.tail()))
}

async fn create(
    job: &Job,
    service: &Service,
    hook: &Hook,
    before: &ContainerRef,
) -> Result<String, Error> {
    let project = job.project()?;
    let image = hook
        .image
        .clone()
        .unwrap_or_else(|| plan::names::image(&project.name, service, job.settings.separator));
    let mut env = environment(&service.environment);
    env.extend(environment(&hook.environment));
    let keys = service.networks_by_priority();
    let name_of = |key: &str| {
        project.networks.get(key).map_or_else(
            || format!("{}_{key}", project.name),
            |network| plan::names::network(&project.name, key, network),
        )
    };
    let endpoint = |key: &str| {
        let mut settings = plan::container::endpoint(service, "", key);
        // The service's names and addresses stay its own.
        settings.aliases = None;
        settings.ipam_config = None;
        settings.mac_address = None;
        settings
    };
    let first = keys.first().copied();
    let mode = match (&service.network_mode, first) {
        (Some(mode), _) if !mode.starts_with("service:") => Some(mode.clone()),
        (Some(_), _) => Some("none".to_owned()),
        (None, Some(key)) => Some(name_of(key)),
        (None, None) => None,
    };
    let first_endpoint = first.map(|key| HashMap::from([(name_of(key), endpoint(key))]));
    let body = ContainerCreateBody {
        image: Some(image),
        cmd: hook.command.clone(),
        user: hook.user.clone(),
        working_dir: hook.working_dir.clone(),
        env: Some(env),
        labels: Some(hook_labels(job, service)),
        host_config: Some(HostConfig {
            privileged: hook.privileged.then_some(true),
            volumes_from: Some(vec![job.id(before)?]),
            network_mode: mode,
            ..HostConfig::default()
        }),
        networking_config: Some(NetworkingConfig {
            endpoints_config: first_endpoint,
        }),
        ..ContainerCreateBody::default()
    };
    let created = job
        .engine
        .docker
        .create_container(None::<CreateContainerOptions>, body)
        .await?;
    for key in keys.iter().skip(1) {
        let attached = network::connect(job, &name_of(key), &created.id, endpoint(key)).await;
        if let Err(error) = attached {
            let _ = container::delete(job, &created.id, true, true).await;
            return Err(error);
        }
    }
    Ok(created.id)
}

fn hook_labels(job: &Job, service: &Service) -> HashMap<String, String> {
    [
        (labels::PROJECT, job.project_name.as_str()),
        (labels::SERVICE, service.name.as_str()),
        (labels::VERSION, labels::CONTRACT_VERSION),
        (labels::HOOK, KIND),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .into()
}

/// Removes the container of a hook that failed in an earlier run.
async fn remove_left_over(job: &Job, service: &Service) -> Result<(), Error> {
    let wanted = [
        (labels::PROJECT, job.project_name.as_str()),
        (labels::SERVICE, service.name.as_str()),
        (labels::HOOK, KIND),
    ];
    let filters = HashMap::from([(
        "label".to_owned(),
        wanted.map(|(key, value)| format!("{key}={value}")).to_vec(),
    )]);
    let options = ListContainersOptionsBuilder::new()
        .all(true)
        .filters(&filters)
        .build();
    for found in job.engine.docker.list_containers(Some(options)).await? {
        container::delete(job, &found.id.unwrap_or_default(), true, true).await?;
    }
    Ok(())
}
