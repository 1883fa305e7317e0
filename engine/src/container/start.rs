//! A run of a container: mounts, network, specification, shim.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::handle::{Handle, Waiting, brief};
use super::health::Health;
use super::record::{Record, Status};
use super::{files, migration, monitor, parts, remove, settings, tell};
use crate::engine::Engine;
use crate::shim::{self, Launch, Link, Request};
use crate::{Error, Result, time};

/// How long to wait before the shim's socket is looked for again.
const RETRY: Duration = Duration::from_millis(1);

/// Starts a container because a person wants it.
///
/// # Errors
/// 304 when it runs already, 409 when it is paused or being removed, and what keeps it from
/// starting.
pub(crate) async fn start(engine: &Arc<Engine>, handle: &Arc<Handle>) -> Result<()> {
    let turn = handle.turn().await;
    match handle.record().state.status {
        Status::Running => return Err(Error::not_modified("container already started")),
        Status::Paused => {
            let message = "cannot start a paused container, try unpause instead";
            return Err(Error::conflict(message));
        }
        Status::Removing | Status::Dead => {
            let message = "container is marked for removal and cannot be started";
            return Err(Error::conflict(message));
        }
        Status::Created | Status::Restarting | Status::Exited => {}
    }
    handle.change(|record| {
        record.restart_count = 0;
        record.state.stopped_by_hand = false;
    });
    let started = run(engine, handle).await;
    drop(turn);
    if started.is_err() && handle.record().removes_itself() {
        let _ = remove::remove(engine, handle, remove::How::by_itself()).await;
    }
    started
}

/// Starts a container; the caller has its turn.
///
/// # Errors
/// What keeps it from starting; the container is `created` or `exited` then.
pub(super) async fn run(engine: &Arc<Engine>, handle: &Arc<Handle>) -> Result<()> {
    let record = handle.record();
    match begin(engine, handle, &record).await {
        Ok(pid) => {
            handle.change_live(|live| {
                let health = Health::of(&live.record);
                live.run += 1;
                live.health = health;
                let state = &mut Arc::make_mut(&mut live.record).state;
                state.status = Status::Running;
                state.pid = pid;
                state.exit_code = 0;
                state.oom_killed = false;
                state.error.clear();
                state.health = None;
                state.started_at = time::now();
            });
            monitor::watch(engine, handle);
            engine.containers.save(handle).await?;
            tell(engine, &handle.record(), "start", &[]);
            Ok(())
        }
        Err(error) => {
            clean(engine, handle).await;
            let message = &error.message;
            let code = match message.as_str() {
                text if text.contains("permission denied") => 126,
                text if text.contains("exec: ") => 127,
                _ => 128,
            };
            handle.change_live(|live| {
                live.exits += 1;
                let state = &mut Arc::make_mut(&mut live.record).state;
                if state.status == Status::Restarting {
                    state.status = Status::Exited;
                }
                state.pid = 0;
                state.exit_code = code;
                state.error.clone_from(message);
            });
            let _ = engine.containers.save(handle).await;
            Err(error)
        }
    }
}

async fn begin(engine: &Arc<Engine>, handle: &Arc<Handle>, record: &Record) -> Result<i32> {
    migration::prepare();
    let run = engine.layout.container_run(&record.id);
    let folder = run.clone();
    brief(move || {
        // What a run before a crash may have left.
        let _ = std::fs::remove_file(Launch::socket(&folder));
        let _ = std::fs::remove_dir_all(folder.join("state"));
        std::fs::create_dir_all(folder.join("bundle"))
            .map_err(|error| Error::io("create", &folder, error))
    })
    .await?;
    if !engine.images.is_prepared(&record.id) {
        // The power went before the disk had all of a new container.
        parts::prepare(engine, &record.id, &record.image_id)?;
    }
    engine.images.mount_to_run(&record.id).await?;
    let mut network = parts::attach(engine, record).await?;
    handle.change(|record| {
        record.endpoints.clone_from(&network.endpoints);
        record.ports.clone_from(&network.ports);
    });
    let files = files::write(engine, record, &network).await?;
    parts::specification(engine, record, &network, &files).await?;
    let launch = launch_of(engine, record, run)?;
    let waiting = handle.take_waiting();
    let launch = Launch {
        attached: waiting.len(),
        ..launch
    };
    let attaching = tokio::spawn(attach_all(launch.run.clone(), waiting));
    let names = network.names.take();
    let ready = parts::Network::ready(names);
    let running = shim::launch(&engine.shims, &launch, ready).await;
    if running.is_err() {
        attaching.abort();
    }
    Ok(running?.pid)
}

/// Connects the clients that want to see a run from its beginning. The shim waits for them
/// before it starts the container.
async fn attach_all(run: PathBuf, waiting: Vec<Waiting>) {
    for Waiting { wants, link } in waiting {
        let connected = loop {
            match Link::ask(&run, &Request::Attach(wants)).await {
                Ok(connected) => break connected,
                // The shim is not there yet.
                Err(error) if error.status == 409 => tokio::time::sleep(RETRY).await,
                Err(error) => {
                    tracing::error!("attach: {error}");
                    return;
                }
            }
        };
        // The client may have gone by now.
        let _ = link.send(connected);
    }
}

fn launch_of(engine: &Engine, record: &Record, run: PathBuf) -> Result<Launch> {
    let limits = settings::log_limits(record.host_config.log_config.as_ref())?;
    let size = match record.host_config.console_size.as_deref() {
        Some([height, width]) if *height > 0 && *width > 0 => {
            let number = |value: usize| u16::try_from(value).unwrap_or(u16::MAX);
            Some((number(*width), number(*height)))
        }
        _ => None,
    };
    Ok(Launch {
        id: record.id.clone(),
        run,
        log: limits.map(|_| log_path(engine, &record.id)),
        limits: limits.unwrap_or_default(),
        tty: record.has_terminal(),
        size,
        open_stdin: record.config.open_stdin == Some(true),
        stdin_once: record.config.stdin_once == Some(true),
        init: record.host_config.init == Some(true),
        groups: parts::machine().groups(&record.cgroup()),
        attached: 0,
    })
}

/// The json-file log of a container.
pub(crate) fn log_path(engine: &Engine, id: &str) -> PathBuf {
    engine.layout.container(id).join(format!("{id}-json.log"))
}

/// Takes away what a run needed. What fails is told in the daemon's log: the next run, or the
/// removal, tries again.
pub(super) async fn clean(engine: &Engine, handle: &Handle) {
    let (detached, unmounted) = tokio::join!(
        parts::detach(engine, &handle.id),
        engine.images.unmount(&handle.id)
    );
    let mut results = vec![detached, unmounted];
    for mount in &handle.record().mounts {
        if let Some(name) = mount.volume() {
            results.push(engine.volumes.unmount(name, &handle.id).await);
        }
    }
    for error in results.into_iter().filter_map(Result::err) {
        tracing::error!("clean up after {}: {error}", handle.id);
    }
    let run = engine.layout.container_run(&handle.id);
    let _ = brief(move || {
        let _ = std::fs::remove_dir_all(run.join("bundle"));
        let _ = std::fs::remove_dir_all(run.join("state"));
        // The mount points are empty by now; should one not be, this leaves it alone.
        for name in ["rootfs", ""] {
            let _ = std::fs::remove_dir(run.join(name));
        }
        Ok(())
    })
    .await;
    handle.change(|record| record.ports.clear());
}

/// How long ago a time was; nothing for one to come, or none.
pub(super) fn since(time: &str) -> Duration {
    let time: Option<Timestamp> = time.parse().ok();
    let elapsed = time.map(|time| Timestamp::now().duration_since(time));
    elapsed
        .and_then(|elapsed| elapsed.try_into().ok())
        .unwrap_or_default()
}
