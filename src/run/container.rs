//! Containers: create, replace, start, stop, restart, signal, remove.

use std::collections::BTreeMap;

use bollard::models::ContainerCreateResponse;
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, KillContainerOptionsBuilder, RemoveContainerOptionsBuilder,
    RenameContainerOptionsBuilder, RestartContainerOptionsBuilder, StartContainerOptions,
    StopContainerOptionsBuilder,
};

use super::job::Job;
use super::{Error, Kind, attach, hijack, hook, inject, network, proxy};
use crate::compose::model::Hook;
use crate::plan;
use crate::plan::container::CreateRequest;
use crate::plan::step::{ContainerRef, Create, Start, Stop};
use crate::report::event::{Origin, Step};

/// Digits of an id in temporary names.
const SHORT_ID: usize = 12;

/// The id of a container's progress.
pub(super) fn step_id(name: &str) -> String {
    format!("Container {name}")
}

/// What log lines call a container.
pub(super) fn origin(job: &Job, container: &ContainerRef) -> Origin {
    let separator = job.settings.separator;
    let prefix = format!("{}{separator}", job.project_name);
    let name = container.name.strip_prefix(prefix.as_str());
    Origin {
        container: name.unwrap_or(&container.name).to_owned(),
        service: container.service.clone(),
    }
}

/// Creates a container and returns its id.
pub(super) async fn create(job: &Job, wanted: &Create) -> Result<String, Error> {
    let step = step_id(&wanted.name);
    job.tell(Step::working(&step, "Creating"));
    match make(job, wanted, &wanted.name).await {
        Ok(id) => {
            job.tell(Step::done(&step, "Created"));
            Ok(id)
        }
        Err(error) => {
            job.tell(Step::error(&step, error.message.clone()));
            Err(error.of_service(&wanted.service.name))
        }
    }
}

/// Creates a container under a name, attached to all of its networks or not at all.
async fn make(job: &Job, wanted: &Create, name: &str) -> Result<String, Error> {
    let project = job.project()?;
    let resolved = resolve(job, wanted).await?;
    let request = plan::container::request(project, &job.settings, wanted, &resolved)
        .map_err(|error| Error::new(error.to_string()))?;
    let created = post(job, &request, name).await;
    let created = created.map_err(|error| no_such_image(error, wanted))?;
    for warning in created.warnings {
        job.tell(Step::warning(&wanted.service.name, warning));
    }
    for (network, endpoint) in request.connect {
        if let Err(error) = network::connect(job, &network, &created.id, endpoint).await {
            // Without one of its networks it would look finished to the next `up`.
            let _ = delete(job, &created.id, true, true).await;
            return Err(error);
        }
    }
    Ok(created.id)
}

async fn post(
    job: &Job,
    request: &CreateRequest,
    name: &str,
) -> Result<ContainerCreateResponse, Error> {
    let platform = request.platform.as_deref().unwrap_or_default();
    let Some(mac_address) = &request.mac_address else {
        let mut options = CreateContainerOptionsBuilder::new().name(name);
        if !platform.is_empty() {
            options = options.platform(platform);
        }
        let docker = &job.engine.docker;
        let created = docker.create_container(Some(options.build()), request.body.clone());
        return Ok(created.await?);
    };
    if !hijack::is_possible(&job.engine.address) {
        return Err(Error::new(format!(
            "mac_address needs an engine with API 1.44 or later over {}, this one has {}",
            job.engine.address, job.engine.api
        )));
    }
    let unreadable = |error: serde_json::Error| Error::new(error.to_string());
    let mut body = serde_json::to_value(&request.body).map_err(unreadable)?;
    body["MacAddress"] = mac_address.as_str().into();
    let mut path = format!(
        "/v{}/containers/create?name={}",
        job.engine.api,
        attach::query(name)
    );
    if !platform.is_empty() {
        path.push_str("&platform=");
        path.push_str(&attach::query(platform));
    }
    let answer = hijack::post(&job.engine.address, &path, body.to_string().as_bytes()).await?;
    serde_json::from_value(answer).map_err(unreadable)
}

fn no_such_image(error: Error, wanted: &Create) -> Error {
    let service = &wanted.service;
    match (&service.image, error.is_not_found()) {
        (Some(image), true) if error.message.to_lowercase().contains("image") => Error {
            message: format!("service {:?}: no such image: {image}", service.name),
            ..error
        },
        _ => error,
    }
}

/// What the request needs to know beside the plan.
async fn resolve(job: &Job, wanted: &Create) -> Result<plan::container::Resolved, Error> {
    let mut ids = BTreeMap::new();
    for (service, container) in &wanted.references {
        ids.insert(service.clone(), job.id(container)?);
    }
    let mut seccomp = BTreeMap::new();
    for file in &wanted.seccomp_files {
        let text = tokio::fs::read_to_string(file).await.map_err(|error| {
            let mut error = Error::new(format!("cannot read security profile {file}: {error}"));
            error.path = ["services", &wanted.service.name, "security_opt"]
                .map(str::to_owned)
                .to_vec();
            error
        })?;
        seccomp.insert(file.clone(), text);
    }
    let image_id = if wanted.image_id.is_none() {
        let project = job.project()?;
        let separator = job.settings.separator;
        let image = plan::names::image(&project.name, &wanted.service, separator);
        job.image_id(&image).await?
    } else {
        None
    };
    Ok(plan::container::Resolved {
        ids,
        seccomp,
        proxy: proxy::variables(&job.engine.address.url()),
        image_id,
    })
}

/// Replaces a container: creates the new one under a temporary name, stops and removes the old
/// one, gives the new one its name. Returns the new one's id.
pub(super) async fn recreate(
    job: &Job,
    old: &ContainerRef,
    wanted: &Create,
    temporary: &str,
    timeout: Option<i64>,
) -> Result<String, Error> {
    let step = step_id(&old.name);
    job.tell(Step::working(&step, "Recreate"));
    match replace(job, old, wanted, temporary, timeout).await {
        Ok(id) => {
            job.tell(Step::done(&step, "Recreated"));
            Ok(id)
        }
        Err(error) => {
            job.tell(Step::error(&step, error.message.clone()));
            Err(error.of_service(&wanted.service.name))
        }
    }
}

async fn replace(
    job: &Job,
    old: &ContainerRef,
    wanted: &Create,
    temporary: &str,
    timeout: Option<i64>,
) -> Result<String, Error> {
    let old_id = job.id(old)?;
    let id = match make(job, wanted, temporary).await {
        // What a run that was cut short has left behind.
        Err(error) if error.message.contains("is already in use by container") => {
            delete(job, temporary, true, false).await?;
            make(job, wanted, temporary).await?
        }
        made => made?,
    };
    let removed = async {
        halt(job, &old_id, timeout).await?;
        delete(job, &old_id, false, false).await
    };
    if let Err(error) = removed.await {
        // The old one stays what the project has; a half-made replacement would be in the way.
        return Err(match delete(job, &id, true, false).await {
            Ok(()) => error,
            Err(_) => error.remedy(format!(
                "container {temporary} is left over: the next up takes care of it"
            )),
        });
    }
    rename(job, &id, temporary, &wanted.name).await?;
    Ok(id)
}

async fn rename(job: &Job, id: &str, from: &str, to: &str) -> Result<(), Error> {
    let options = RenameContainerOptionsBuilder::new().name(to).build();
    let result = job.engine.docker.rename_container(id, options).await;
    result.map_err(|error| {
        Error::from(error)
            .while_doing(format_args!("container {from} has not got its name {to}"))
            .remedy("the next up takes care of it, once the name is free")
    })
}

/// Starts a container with its configs and secrets, and runs its hooks.
pub(super) async fn start(job: &Job, wanted: &Start) -> Result<(), Error> {
    let container = &wanted.container;
    let id = job.id(container)?;
    let step = step_id(&container.name);
    let service = &container.service;
    let begin = async {
        if let Some(name) = unfinished_replacement(wanted) {
            // Where the name is taken after all, the container keeps the temporary one.
            let _ = rename(job, &id, &container.name, name).await;
        }
        inject::inject(&job.engine, &id, &wanted.inject).await?;
        job.tell(Step::working(&step, "Starting"));
        if let Some(hub) = &job.hub {
            hub.starting(&id);
        }
        job.engine
            .docker
            .start_container(&id, None::<StartContainerOptions>)
            .await?;
        if let Some(hub) = &job.hub {
            hub.has_started(&id);
        }
        run_hooks(job, container, &id, &wanted.post_start).await
    };
    match begin.await {
        Ok(()) => {
            job.tell(Step::done(&step, "Started"));
            Ok(())
        }
        Err(error) => {
            job.tell(Step::error(&step, error.message.clone()));
            Err(error
                .while_doing(format_args!("container {}", container.name))
                .of_service(service))
        }
    }
}

/// The name a container should have got at the end of a replacement that was cut short.
fn unfinished_replacement(wanted: &Start) -> Option<&str> {
    let name = wanted.container.name.as_str();
    let (id, rest) = name.split_once('_')?;
    let given = wanted.service.as_ref()?.container_name.as_deref();
    let is_temporary = id.len() == SHORT_ID
        && id.bytes().all(|byte| byte.is_ascii_hexdigit())
        && rest.contains(wanted.container.service.as_str())
        && given != Some(name);
    is_temporary.then_some(rest)
}

async fn run_hooks(
    job: &Job,
    container: &ContainerRef,
    id: &str,
    hooks: &[Hook],
) -> Result<(), Error> {
    for hook in hooks {
        let mut origin = origin(job, container);
        origin.container.push_str(" ->");
        let output = hook::Output {
            sender: job.hook_output.then_some(&job.sender),
            origin,
        };
        job.until_interrupt(hook::run(&job.engine, id, &container.service, hook, output))
            .await?;
    }
    Ok(())
}

/// Stops a container after its hooks. One that does not run, or is gone, is fine.
pub(super) async fn stop(job: &Job, wanted: &Stop) -> Result<(), Error> {
    let container = &wanted.container;
    let id = job.id(container)?;
    let step = step_id(&container.name);
    job.tell(Step::working(&step, "Stopping"));
    let stopping = async {
        match run_hooks(job, container, &id, &wanted.pre_stop).await {
            // It had stopped, or was removed, before.
            Err(error) if matches!(error.kind, Kind::NotFound | Kind::Conflict) => {}
            result => result?,
        }
        job.until_interrupt(halt(job, &id, wanted.timeout)).await
    };
    match stopping.await {
        Ok(()) => {
            job.tell(Step::done(&step, "Stopped"));
            Ok(())
        }
        Err(error) if error.kind == Kind::Interrupted => Err(error),
        Err(error) => {
            job.tell(Step::error(&step, "Error while Stopping"));
            Err(error.while_doing(format_args!("container {}", container.name)))
        }
    }
}

async fn halt(job: &Job, id: &str, timeout: Option<i64>) -> Result<(), Error> {
    let mut options = StopContainerOptionsBuilder::new();
    if let Some(seconds) = seconds(timeout) {
        options = options.t(seconds);
    }
    if let Some(hub) = &job.hub {
        hub.forget(id);
    }
    let result = job.engine.docker.stop_container(id, Some(options.build()));
    match result.await.map_err(Error::from) {
        Err(error) if error.is_not_found() => Ok(()),
        result => result,
    }
}

/// Seconds as the engine takes them.
fn seconds(timeout: Option<i64>) -> Option<i32> {
    timeout.map(|seconds| i32::try_from(seconds).unwrap_or(i32::MAX))
}

/// Restarts a container with its hooks.
pub(super) async fn restart(job: &Job, wanted: &Stop, post_start: &[Hook]) -> Result<(), Error> {
    let container = &wanted.container;
    let id = job.id(container)?;
    let step = step_id(&container.name);
    let restarting = async {
        run_hooks(job, container, &id, &wanted.pre_stop).await?;
        job.tell(Step::working(&step, "Restarting"));
        let mut options = RestartContainerOptionsBuilder::new();
        if let Some(seconds) = seconds(wanted.timeout) {
            options = options.t(seconds);
        }
        if let Some(hub) = &job.hub {
            hub.forget(&id);
        }
        let result = job
            .engine
            .docker
            .restart_container(&id, Some(options.build()));
        job.until_interrupt(async { Ok(result.await?) }).await?;
        job.tell(Step::done(&step, "Started"));
        run_hooks(job, container, &id, post_start).await
    };
    restarting.await.map_err(|error| {
        job.tell(Step::error(&step, error.message.clone()));
        error
            .while_doing(format_args!("container {}", container.name))
            .of_service(&container.service)
    })
}

/// Sends a signal. A container that does not run any more is fine.
pub(super) async fn kill(job: &Job, container: &ContainerRef, signal: &str) -> Result<(), Error> {
    let id = job.id(container)?;
    let step = step_id(&container.name);
    job.tell(Step::working(&step, "Killing"));
    let options = KillContainerOptionsBuilder::new().signal(signal).build();
    let result = job.engine.docker.kill_container(&id, Some(options)).await;
    match result.map_err(Error::from) {
        Err(error) if !matches!(error.kind, Kind::NotFound | Kind::Conflict) => {
            job.tell(Step::error(&step, "Error while Killing"));
            Err(error.while_doing(format_args!("container {}", container.name)))
        }
        _ => {
            job.tell(Step::done(&step, "Killed"));
            Ok(())
        }
    }
}

/// Freezes or unfreezes a container.
pub(super) async fn freeze(job: &Job, container: &ContainerRef, frozen: bool) -> Result<(), Error> {
    let id = job.id(container)?;
    let step = step_id(&container.name);
    let (doing, done) = if frozen {
        ("Pausing", "Paused")
    } else {
        ("Unpausing", "Unpaused")
    };
    job.tell(Step::working(&step, doing));
    let docker = &job.engine.docker;
    let result = if frozen {
        docker.pause_container(&id).await
    } else {
        docker.unpause_container(&id).await
    };
    match result {
        Ok(()) => {
            job.tell(Step::done(&step, done));
            Ok(())
        }
        Err(error) => {
            job.tell(Step::error(&step, "Error"));
            Err(Error::from(error).while_doing(format_args!("container {}", container.name)))
        }
    }
}

/// Removes a container. One that is gone, or being removed, is fine.
pub(super) async fn remove(
    job: &Job,
    container: &ContainerRef,
    volumes: bool,
    force: bool,
) -> Result<(), Error> {
    let id = job.id(container)?;
    let step = step_id(&container.name);
    job.tell(Step::working(&step, "Removing"));
    match delete(job, &id, force, volumes).await {
        Ok(()) => {
            job.tell(Step::done(&step, "Removed"));
            Ok(())
        }
        Err(error) => {
            job.tell(Step::error(&step, "Error while Removing"));
            Err(error.while_doing(format_args!("container {}", container.name)))
        }
    }
}

/// Removes a container, its anonymous volumes too with `volumes`.
pub(super) async fn delete(job: &Job, id: &str, force: bool, volumes: bool) -> Result<(), Error> {
    let options = RemoveContainerOptionsBuilder::new()
        .force(force)
        .v(volumes)
        .build();
    let result = job.engine.docker.remove_container(id, Some(options)).await;
    match result.map_err(Error::from) {
        Err(error) if error.is_not_found() => Ok(()),
        Err(error) if error.kind == Kind::Conflict && error.message.contains("in progress") => {
            Ok(())
        }
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::compose::model::Service;

    fn start(name: &str, container_name: Option<&str>) -> Start {
        Start {
            container: ContainerRef {
                name: name.to_owned(),
                service: "web".to_owned(),
                origin: plan::step::Origin::Existing("1".to_owned()),
            },
            inject: Vec::new(),
            post_start: Vec::new(),
            service: Some(Arc::new(Service {
                container_name: container_name.map(str::to_owned),
                ..Service::default()
            })),
        }
    }

    #[test]
    fn a_replacement_that_was_cut_short_gets_its_name() {
        let name = "0a3f8d533514_p-web-1";
        let replaced = start(name, None);
        assert_eq!(unfinished_replacement(&replaced), Some("p-web-1"));
        for kept in [
            start("p-web-1", None),
            start("my_web", None),
            start(name, Some(name)),
        ] {
            assert_eq!(unfinished_replacement(&kept), None);
        }
    }
}
