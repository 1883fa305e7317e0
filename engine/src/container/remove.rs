//! Removing, renaming and pruning.

use std::sync::Arc;

use super::handle::Handle;
use super::record::{Mount, Status};
use super::{create, parts, start, stop, tell};
use crate::engine::Engine;
use crate::filters::Filters;
use crate::{Error, Result};

const SIGKILL: i32 = 9;

/// How to remove.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct How {
    /// Kills it first if it runs.
    pub(crate) force: bool,
    /// Its anonymous volumes too.
    pub(crate) volumes: bool,
}

impl How {
    /// With its anonymous volumes, as `--rm` does.
    pub(super) fn by_itself() -> Self {
        Self {
            force: false,
            volumes: true,
        }
    }

    /// Whatever its state.
    pub(super) fn forced() -> Self {
        Self {
            force: true,
            volumes: false,
        }
    }
}

/// Removes a container with everything it has.
///
/// # Errors
/// 409 when it runs and `force` is not given, or when it is being removed already.
pub(crate) async fn remove(engine: &Arc<Engine>, handle: &Arc<Handle>, how: How) -> Result<()> {
    if how.force && handle.record().state.is_up() {
        stop::kill(engine, handle, SIGKILL).await.or_else(ended)?;
    }
    let turn = handle.turn().await;
    let record = handle.record();
    if handle.live().removed {
        return Err(Error::not_found(format!(
            "No such container: {}",
            handle.id
        )));
    }
    if record.state.is_up() {
        let (state, name) = (record.state.status.as_str(), &record.name);
        return Err(Error::conflict(format!(
            "cannot remove container \"{name}\": container is {state}: stop the container before \
             removing or force remove"
        )));
    }
    handle.change(|record| record.state.status = Status::Removing);
    start::clean(engine, handle).await;
    if let Err(error) = take_apart(engine, handle).await {
        handle.change(|record| {
            record.state.status = Status::Dead;
            record.state.error.clone_from(&error.message);
        });
        return Err(error);
    }
    engine.containers.forget(handle);
    drop(turn);
    tell(engine, &record, "destroy", &[]);
    if how.volumes {
        remove_volumes(engine, &record.mounts).await;
    }
    Ok(())
}

fn ended(error: Error) -> Result<()> {
    if error.status == 409 {
        Ok(())
    } else {
        Err(error)
    }
}

async fn take_apart(engine: &Engine, handle: &Handle) -> Result<()> {
    engine.images.discard(&handle.id).await?;
    engine.volumes.release(&handle.id);
    engine.containers.erase(&handle.id).await?;
    let run = engine.layout.container_run(&handle.id);
    super::brief(move || {
        let missing = |error: &std::io::Error| error.kind() == std::io::ErrorKind::NotFound;
        let failed = |error| Error::io("remove", &run, error);
        // First what may be mounted still, in a way that cannot reach into it.
        match std::fs::remove_dir(run.join("rootfs")) {
            Err(error) if !missing(&error) => return Err(failed(error)),
            _ => {}
        }
        match std::fs::remove_dir_all(&run) {
            Err(error) if !missing(&error) => Err(failed(error)),
            _ => Ok(()),
        }
    })
    .await
}

async fn remove_volumes(engine: &Engine, mounts: &[Mount]) {
    for mount in mounts.iter().filter(|mount| mount.anonymous) {
        let Some(name) = mount.volume() else { continue };
        let is_used = engine.containers.all().iter().any(|other| {
            let record = other.record();
            record
                .mounts
                .iter()
                .any(|mount| mount.volume() == Some(name))
        });
        if !is_used && let Err(error) = parts::remove_volume(engine, name).await {
            tracing::error!("remove volume {name}: {error}");
        }
    }
}

/// Gives a container another name.
///
/// # Errors
/// 400 for what is no name, 409 when another container has it.
pub(crate) async fn rename(engine: &Arc<Engine>, handle: &Arc<Handle>, name: &str) -> Result<()> {
    if name.is_empty() {
        return Err(Error::bad_request("Neither old nor new names may be empty"));
    }
    let name = create::check_name(name)?;
    let _turn = handle.turn().await;
    let old = handle.record().name.clone();
    if old == name {
        return Err(Error::bad_request(
            "Renaming a container with the same name as its current name",
        ));
    }
    engine.containers.take_name(name, &handle.id)?;
    handle.change(|record| name.clone_into(&mut record.name));
    if let Err(error) = engine.containers.save(handle).await {
        engine.containers.free_name(name);
        handle.change(|record| record.name.clone_from(&old));
        return Err(error);
    }
    engine.containers.free_name(&old);
    engine.networks.rename(&handle.id, name).await?;
    tell(
        engine,
        &handle.record(),
        "rename",
        &[("oldName", format!("/{old}"))],
    );
    Ok(())
}

/// Removes every container that does not run and passes the filters; their ids.
///
/// # Errors
/// Those of filters.
pub(crate) async fn prune(engine: &Arc<Engine>, filters: &Filters) -> Result<Vec<String>> {
    let until = super::list::until(filters)?;
    let mut removed = Vec::new();
    for handle in engine.containers.all() {
        let record = handle.record();
        let is_old = until
            .as_deref()
            .is_none_or(|until| record.created.as_str() < until);
        let is_idle = matches!(
            record.state.status,
            Status::Created | Status::Exited | Status::Dead
        );
        if is_old && is_idle && filters.labels(&record.labels()) {
            match remove(engine, &handle, How::default()).await {
                Ok(()) => removed.push(record.id.clone()),
                Err(error) => tracing::error!("prune {}: {error}", record.id),
            }
        }
    }
    Ok(removed)
}
