//! Watching what runs: how it ends, what follows, and taking over after a daemon's restart.

use std::sync::Arc;
use std::time::Duration;

use super::handle::{Handle, Live, blocking};
use super::record::{Record, Status};
use super::{probe, remove, restart, start, tell, usage};
use crate::engine::Engine;
use crate::shim::{self, ExitRecord, Link, Notice, Request};
use crate::{Error, Result, time};

/// How long a shim that has gone may be missed before its container counts as ended.
const PATIENCE: Duration = Duration::from_millis(200);

/// Watches the present run of a container in the background, and checks its health.
pub(super) fn watch(engine: &Arc<Engine>, handle: &Arc<Handle>) {
    let run = handle.live().run;
    probe::spawn(engine, handle, run);
    let (engine, handle) = (engine.clone(), handle.clone());
    tokio::spawn(async move {
        wait_for_end(&engine, &handle).await;
        ended(&engine, &handle, run).await;
    });
}

async fn wait_for_end(engine: &Engine, handle: &Handle) {
    let run = engine.layout.container_run(&handle.id);
    if let Ok(mut link) = Link::ask(&run, &Request::Watch).await {
        while let Some(notice) = link.notice().await {
            if matches!(notice, Notice::Exited) {
                return;
            }
        }
    }
    // The record is written before the shim closes its connections.
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while tokio::time::Instant::now() < deadline && !matches!(shim::exit_record(&run), Ok(Some(_)))
    {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// The shim has gone without a record: the container cannot be looked after any more.
async fn unknown_end(record: &Arc<Record>) -> ExitRecord {
    let left = record.clone();
    let killed = blocking(move || {
        usage::kill_all(&left);
        Ok(())
    });
    if let Err(error) = killed.await {
        tracing::error!("kill {}: {error}", record.id);
    }
    ExitRecord {
        code: 137,
        oom: false,
        finished_at: time::now(),
    }
}

async fn ended(engine: &Arc<Engine>, handle: &Arc<Handle>, run: u64) {
    let turn = handle.turn().await;
    let Live {
        record, run: now, ..
    } = handle.live();
    if now != run || !record.state.is_up() {
        return;
    }
    let folder = engine.layout.container_run(&handle.id);
    let exit = match shim::exit_record(&folder) {
        Ok(Some(exit)) => exit,
        Ok(None) | Err(_) => unknown_end(&record).await,
    };
    start::clean(engine, handle).await;
    settle(engine, handle, &exit).await;
    let is_restarting = handle.record().state.status == Status::Restarting;
    drop(turn);
    if is_restarting {
        restart_later(engine, handle, run);
    } else if handle.record().removes_itself()
        && let Err(error) = remove::remove(engine, handle, remove::How::by_itself()).await
    {
        tracing::error!("remove {}: {error}", handle.id);
    }
}

/// Writes down how a run ended, and tells it.
async fn settle(engine: &Arc<Engine>, handle: &Arc<Handle>, exit: &ExitRecord) {
    let record = handle.record();
    let policy = record.host_config.restart_policy.as_ref();
    let state = &record.state;
    let again = restart::is_wanted(
        policy,
        exit.code,
        record.restart_count,
        state.stopped_by_hand,
    );
    let ran = start::since(&state.started_at);
    handle.change_live(|live| {
        live.exits += 1;
        let record = Arc::make_mut(&mut live.record);
        record.restart_count += i64::from(again);
        record.state.status = if again {
            Status::Restarting
        } else {
            Status::Exited
        };
        record.state.pid = 0;
        record.state.exit_code = exit.code;
        record.state.oom_killed = exit.oom;
        record.state.finished_at.clone_from(&exit.finished_at);
    });
    if let Err(error) = engine.containers.save(handle).await {
        tracing::error!("{error}");
    }
    let record = handle.record();
    if exit.oom {
        tell(engine, &record, "oom", &[]);
    }
    let extra = [
        ("exitCode", exit.code.to_string()),
        ("execDuration", ran.as_secs().to_string()),
    ];
    tell(engine, &record, "die", &extra);
}

/// Starts a container again after its pause, unless something else happens to it meanwhile.
fn restart_later(engine: &Arc<Engine>, handle: &Arc<Handle>, run: u64) {
    let (engine, handle) = (engine.clone(), handle.clone());
    tokio::spawn(async move {
        let pause = handle.next_pause();
        let is_waiting =
            |live: &Live| live.run == run && live.record.state.status == Status::Restarting;
        let other = handle.until(|live| !is_waiting(live));
        if tokio::time::timeout(pause, other).await.is_ok() {
            return;
        }
        let _turn = handle.turn().await;
        if !is_waiting(&handle.live()) {
            return;
        }
        if let Err(error) = start::run(&engine, &handle).await {
            tracing::error!("restart {}: {error}", handle.id);
            retry(&engine, &handle);
        }
    });
}

/// What could not be started is tried again as what ended at once.
fn retry(engine: &Arc<Engine>, handle: &Arc<Handle>) {
    let record = handle.record();
    let policy = record.host_config.restart_policy.as_ref();
    let state = &record.state;
    if restart::is_wanted(
        policy,
        state.exit_code,
        record.restart_count,
        state.stopped_by_hand,
    ) {
        handle.change(|record| {
            record.restart_count += 1;
            record.state.status = Status::Restarting;
        });
        restart_later(engine, handle, handle.live().run);
    }
}

/// Takes over what an earlier daemon looked after: watches what runs, settles what ended since,
/// and starts what its policy wants; `booted`: whether the machine has booted since.
///
/// # Errors
/// None that would keep the daemon from coming up; each container's are told in its log.
pub(crate) async fn adopt(engine: &Arc<Engine>, booted: bool) {
    for handle in engine.containers.all() {
        if let Err(error) = adopt_one(engine, &handle, booted).await {
            tracing::error!("adopt {}: {error}", handle.id);
        }
    }
}

async fn adopt_one(engine: &Arc<Engine>, handle: &Arc<Handle>, booted: bool) -> Result<()> {
    let record = handle.record();
    let state = &record.state;
    match state.status {
        Status::Running | Status::Paused => {
            let run = engine.layout.container_run(&handle.id);
            if shim::is_alive(&run) {
                watch(engine, handle);
                return Ok(());
            }
            let run = handle.live().run;
            ended(engine, handle, run).await;
        }
        Status::Restarting => restart_later(engine, handle, handle.live().run),
        Status::Removing | Status::Dead => {
            remove::remove(engine, handle, remove::How::forced()).await?;
        }
        Status::Exited if booted && is_wanted(handle) => {
            // Nobody has to wait for it, and the next one need not either.
            let (engine, handle) = (engine.clone(), handle.clone());
            tokio::spawn(async move {
                let _turn = handle.turn().await;
                if let Err(error) = start::run(&engine, &handle).await {
                    tracing::error!("start {}: {error}", handle.id);
                }
            });
        }
        Status::Exited if record.removes_itself() => {
            remove::remove(engine, handle, remove::How::by_itself()).await?;
        }
        Status::Exited | Status::Created => {}
    }
    Ok::<(), Error>(())
}

/// Only a boot makes a policy start what a person has stopped, and `always` is the only one.
fn is_wanted(handle: &Handle) -> bool {
    let record = handle.record();
    let policy = record.host_config.restart_policy.as_ref();
    restart::is_wanted_at_boot(policy, false, record.state.stopped_by_hand)
}

impl Handle {
    /// The pause before the next restart of this container.
    fn next_pause(&self) -> Duration {
        let record = self.record();
        let ran = match (
            record.state.finished_at.parse(),
            record.state.started_at.parse(),
        ) {
            (Ok(end), Ok(begin)) => jiff::Timestamp::duration_since(end, begin),
            _ => jiff::SignedDuration::ZERO,
        };
        self.pause(ran.try_into().unwrap_or_default())
    }
}
