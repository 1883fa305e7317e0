//! Stopping, killing, pausing and restarting.

use std::sync::Arc;
use std::time::Duration;

use super::handle::Handle;
use super::record::{Record, Status};
use super::{signal, start, tell};
use crate::engine::Engine;
use crate::shim::{Link, Request};
use crate::{Error, Result};

/// How long a container may take to end when nobody says.
const GRACE: i64 = 10;
/// How long the kernel may take to end what was killed.
const AFTER_KILL: Duration = Duration::from_secs(10);
const SIGTERM: i32 = 15;
const SIGKILL: i32 = 9;

/// How to stop; what is not said is taken from the container.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Stop {
    /// The first signal.
    pub(crate) signal: Option<i32>,
    /// Seconds before SIGKILL; negative: never.
    pub(crate) grace: Option<i64>,
}

/// Stops a container and waits until it has ended.
///
/// # Errors
/// 304 when it does not run.
pub(crate) async fn stop(engine: &Arc<Engine>, handle: &Arc<Handle>, how: Stop) -> Result<()> {
    let record = handle.record();
    match record.state.status {
        Status::Running | Status::Paused => {}
        Status::Restarting => return give_up(engine, handle).await,
        _ => return Err(Error::not_modified("container already stopped")),
    }
    handle.change(|record| record.state.stopped_by_hand = true);
    engine.containers.save(handle).await?;
    end(engine, handle, how).await?;
    tell(engine, &handle.record(), "stop", &[]);
    Ok(())
}

/// Does not start again what waits for its next start.
async fn give_up(engine: &Arc<Engine>, handle: &Arc<Handle>) -> Result<()> {
    let _turn = handle.turn().await;
    handle.change(|record| {
        record.state.stopped_by_hand = true;
        if record.state.status == Status::Restarting {
            record.state.status = Status::Exited;
        }
    });
    engine.containers.save(handle).await
}

/// Sends the first signal, waits, kills.
async fn end(engine: &Arc<Engine>, handle: &Arc<Handle>, how: Stop) -> Result<()> {
    let live = handle.live();
    let record = &live.record;
    let has_ended = |now: &super::Live| now.run != live.run || !now.record.state.is_up();
    if record.state.status == Status::Paused {
        unpause(engine, handle).await?;
    }
    let signal = match how.signal {
        Some(signal) => signal,
        None => stop_signal(record)?,
    };
    let grace = how.grace.or(record.config.stop_timeout).unwrap_or(GRACE);
    // Whatever does not come through has ended, or will be killed.
    let _ = send(engine, handle, signal).await;
    let Ok(grace) = u64::try_from(grace) else {
        handle.until(has_ended).await;
        return Ok(());
    };
    let grace = Duration::from_secs(grace);
    if tokio::time::timeout(grace, handle.until(has_ended))
        .await
        .is_ok()
    {
        return Ok(());
    }
    let _ = send(engine, handle, SIGKILL).await;
    match tokio::time::timeout(AFTER_KILL, handle.until(has_ended)).await {
        Ok(_) => Ok(()),
        Err(_) => Err(Error::internal(format!(
            "cannot stop container: {}: tried to kill container, but did not receive an exit event",
            handle.id
        ))),
    }
}

/// The signal that a container wants to be stopped with.
///
/// # Errors
/// 400 for a name that is none.
pub(super) fn stop_signal(record: &Record) -> Result<i32> {
    match record.config.stop_signal.as_deref() {
        Some(name) if !name.is_empty() => signal::parse(name),
        _ => Ok(SIGTERM),
    }
}

async fn send(engine: &Engine, handle: &Handle, signal: i32) -> Result<()> {
    let run = engine.layout.container_run(&handle.id);
    Link::ask(&run, &Request::Signal { exec: None, signal }).await?;
    tell(
        engine,
        &handle.record(),
        "kill",
        &[("signal", signal.to_string())],
    );
    Ok(())
}

/// Sends a signal. After one that ends it, its restart policy does not start it again.
///
/// # Errors
/// 409 when it does not run.
pub(crate) async fn kill(engine: &Arc<Engine>, handle: &Arc<Handle>, signal: i32) -> Result<()> {
    let record = handle.record();
    if !record.state.is_up() {
        if record.state.status == Status::Restarting {
            return give_up(engine, handle).await;
        }
        let (id, name) = (&handle.id, &record.name);
        return Err(Error::conflict(format!(
            "cannot kill container: {name}: container {id} is not running"
        )));
    }
    let ends = signal == SIGKILL || stop_signal(&record).is_ok_and(|stop| stop == signal);
    if ends {
        handle.change(|record| record.state.stopped_by_hand = true);
        engine.containers.save(handle).await?;
    }
    send(engine, handle, signal).await?;
    if signal == SIGKILL {
        if record.state.status == Status::Paused {
            // A frozen process ends only when it is thawed.
            let _ = unpause(engine, handle).await;
        }
        let run = handle.live().run;
        let ended = handle.until(|live| live.run != run || !live.record.state.is_up());
        let _ = tokio::time::timeout(AFTER_KILL, ended).await;
    }
    Ok(())
}

/// Stops a container if it runs, and starts it.
///
/// # Errors
/// What keeps it from stopping or starting.
pub(crate) async fn restart(engine: &Arc<Engine>, handle: &Arc<Handle>, how: Stop) -> Result<()> {
    match stop(engine, handle, how).await {
        Err(error) if error.status != 304 => return Err(error),
        _ => {}
    }
    match start::start(engine, handle).await {
        Err(error) if error.status != 304 => return Err(error),
        _ => {}
    }
    tell(engine, &handle.record(), "restart", &[]);
    Ok(())
}

/// Freezes all processes.
///
/// # Errors
/// 409 when it does not run or is frozen already.
pub(crate) async fn pause(engine: &Arc<Engine>, handle: &Arc<Handle>) -> Result<()> {
    let _turn = handle.turn().await;
    let id = &handle.id;
    match handle.record().state.status {
        Status::Running => {}
        Status::Paused => return Err(Error::conflict(format!("Container {id} is already paused"))),
        _ => return Err(Error::conflict(format!("container {id} is not running"))),
    }
    freeze(engine, handle, true).await?;
    tell(engine, &handle.record(), "pause", &[]);
    Ok(())
}

/// Lets all processes go on.
///
/// # Errors
/// 409 when it is not frozen.
pub(crate) async fn unpause(engine: &Arc<Engine>, handle: &Arc<Handle>) -> Result<()> {
    let _turn = handle.turn().await;
    if handle.record().state.status != Status::Paused {
        return Err(Error::conflict(format!(
            "Container {} is not paused",
            handle.id
        )));
    }
    freeze(engine, handle, false).await?;
    tell(engine, &handle.record(), "unpause", &[]);
    Ok(())
}

async fn freeze(engine: &Arc<Engine>, handle: &Arc<Handle>, on: bool) -> Result<()> {
    let run = engine.layout.container_run(&handle.id);
    Link::ask(&run, &Request::Freeze(on)).await?;
    handle.change(|record| {
        record.state.status = if on { Status::Paused } else { Status::Running };
    });
    engine.containers.save(handle).await
}
