//! Running a container made for one command.

use bollard::query_parameters::{
    AttachContainerOptionsBuilder, KillContainerOptionsBuilder, RemoveContainerOptionsBuilder,
    ResizeContainerTTYOptionsBuilder, WaitContainerOptionsBuilder,
};
use futures::StreamExt as _;
use tokio::task::JoinHandle;

use super::hijack::{self, Post};
use super::inject::inject;
use super::streams::{Connection, Streams, join};
use super::terminal::{Resizes, Size};
use super::{Error, Kind};
use crate::connect::Engine;
use crate::plan::step::Injection;

/// A container that was created and is to be run.
#[derive(Debug, Clone)]
pub struct OneOff {
    /// Its id.
    pub id: String,
    /// Files to copy into it before it starts.
    pub files: Vec<Injection>,
    /// Whether it has a terminal.
    pub terminal: bool,
    /// Whether the engine removes it when it ends.
    pub auto_remove: bool,
}

/// Starts the container and leaves it running.
///
/// # Errors
/// When the engine refuses.
pub async fn detached(engine: &Engine, container: &OneOff) -> Result<(), Error> {
    inject(engine, &container.id, &container.files).await?;
    start(engine, container).await
}

/// Runs the container with our streams and returns its exit code; 0 when it was left running with
/// the engine's detach keys. Signals that we get are passed on to it.
///
/// # Errors
/// When the engine refuses, or the connection breaks.
pub async fn attached(engine: &Engine, container: &OneOff, streams: Streams) -> Result<i64, Error> {
    inject(engine, &container.id, &container.files).await?;
    let connection = attach(engine, &container.id, streams.input.is_some()).await?;
    let ending = ending(engine, container);
    let signals = forward_signals(engine, &container.id);
    let result = run(engine, container, connection, streams, ending).await;
    signals.abort();
    result
}

async fn run(
    engine: &Engine,
    container: &OneOff,
    connection: Connection,
    streams: Streams,
    ending: JoinHandle<Option<i64>>,
) -> Result<i64, Error> {
    if let Err(error) = start(engine, container).await {
        ending.abort();
        return Err(error);
    }
    let joined = join(connection, streams, container.terminal);
    if container.terminal {
        tokio::select! {
            result = joined => result?,
            () = follow_size(engine, &container.id) => {}
        }
    } else {
        joined.await?;
    }
    exit_code(engine, container, ending).await
}

/// Starts it; one that cannot start and would have been removed in the end is removed now.
async fn start(engine: &Engine, container: &OneOff) -> Result<(), Error> {
    let started = engine.docker.start_container(&container.id, None).await;
    let Err(error) = started else {
        return Ok(());
    };
    if container.auto_remove {
        let options = RemoveContainerOptionsBuilder::default()
            .force(true)
            .v(true)
            .build();
        // The reason for the failed start matters more than one for a failed removal.
        let _ = engine
            .docker
            .remove_container(&container.id, Some(options))
            .await;
    }
    Err(error.into())
}

async fn attach(engine: &Engine, id: &str, input: bool) -> Result<Connection, Error> {
    if hijack::is_possible(&engine.address) {
        let input = u8::from(input);
        let path = format!(
            "/v{}/containers/{id}/attach?stream=1&stdout=1&stderr=1&stdin={input}",
            engine.api
        );
        let post = Post {
            path: &path,
            protocol: "tcp",
            ..Post::default()
        };
        return Ok(Connection::Raw(
            hijack::upgrade(&engine.address, post).await?,
        ));
    }
    let options = AttachContainerOptionsBuilder::default()
        .stream(true)
        .stdin(input)
        .stdout(true)
        .stderr(true)
        .build();
    let attached = engine.docker.attach_container(id, Some(options)).await?;
    Ok(Connection::Library {
        output: attached.output,
        input: attached.input,
    })
}

/// Begins to wait for the end before there is a beginning, so that it cannot be missed.
fn ending(engine: &Engine, container: &OneOff) -> JoinHandle<Option<i64>> {
    let condition = if container.auto_remove {
        "removed"
    } else {
        "next-exit"
    };
    let options = WaitContainerOptionsBuilder::default()
        .condition(condition)
        .build();
    let mut answers = Box::pin(engine.docker.wait_container(&container.id, Some(options)));
    tokio::spawn(async move {
        match answers.next().await {
            Some(Ok(answer)) => Some(answer.status_code),
            Some(Err(bollard::errors::Error::DockerContainerWaitError { code, .. })) => Some(code),
            _ => None,
        }
    })
}

/// The exit code once the output has ended. Of a container that the engine removes, once it is
/// gone.
async fn exit_code(
    engine: &Engine,
    container: &OneOff,
    mut ending: JoinHandle<Option<i64>>,
) -> Result<i64, Error> {
    let state = engine.docker.inspect_container(&container.id, None).await;
    let state = state.map(|container| container.state.unwrap_or_default());
    match state.map_err(Error::from) {
        // Left with the detach keys.
        Ok(state) if state.running == Some(true) && !ending.is_finished() => {
            return Ok(still_running(engine, &container.id, ending).await);
        }
        Ok(state) => {
            if container.auto_remove {
                // A removal that takes longer goes on without us.
                let _ = tokio::time::timeout(REMOVAL_PAUSE, &mut ending).await;
            }
            if let Some(code) = state.exit_code {
                ending.abort();
                return Ok(code);
            }
        }
        Err(error) if matches!(error.kind, Kind::NotFound | Kind::Conflict) => {}
        Err(error) => return Err(error),
    }
    match ending.await {
        Ok(Some(code)) => Ok(code),
        _ => Err(Error::new(
            "the engine did not tell the command's exit code",
        )),
    }
}

const REMOVAL_PAUSE: std::time::Duration = std::time::Duration::from_secs(10);

/// The output may end a moment before the engine notes the end of the process. Otherwise the
/// person has detached.
async fn still_running(engine: &Engine, id: &str, ending: JoinHandle<Option<i64>>) -> i64 {
    if let Ok(Ok(Some(code))) = tokio::time::timeout(DETACH_PAUSE, ending).await {
        return code;
    }
    let state = engine.docker.inspect_container(id, None).await.ok();
    let state = state.and_then(|container| container.state);
    state
        .filter(|state| state.running != Some(true))
        .and_then(|state| state.exit_code)
        .unwrap_or(0)
}

const DETACH_PAUSE: std::time::Duration = std::time::Duration::from_secs(2);

/// Tells the engine the size of our terminal, now and whenever it changes; never returns.
async fn follow_size(engine: &Engine, id: &str) {
    let mut resizes = Resizes::listen().ok();
    let mut size = Size::current();
    loop {
        if let Some(size) = size {
            let options = ResizeContainerTTYOptionsBuilder::default()
                .w(size.width.into())
                .h(size.height.into())
                .build();
            // The next change comes with another chance.
            let _ = engine.docker.resize_container_tty(id, options).await;
        }
        match &mut resizes {
            Some(changes) => size = changes.next().await,
            None => return std::future::pending().await,
        }
    }
}

/// Passes the signals that a person or a supervisor sends on to the container.
#[cfg(unix)]
fn forward_signals(engine: &Engine, id: &str) -> JoinHandle<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let kinds = [
        ("SIGINT", SignalKind::interrupt()),
        ("SIGTERM", SignalKind::terminate()),
        ("SIGHUP", SignalKind::hangup()),
        ("SIGQUIT", SignalKind::quit()),
        ("SIGUSR1", SignalKind::user_defined1()),
        ("SIGUSR2", SignalKind::user_defined2()),
    ];
    let mut listening = futures::stream::SelectAll::new();
    for (name, kind) in kinds {
        if let Ok(mut signals) = signal(kind) {
            let named = futures::stream::poll_fn(move |context| {
                signals.poll_recv(context).map(|got| got.map(|()| name))
            });
            listening.push(named);
        }
    }
    let docker = engine.docker.clone();
    let id = id.to_owned();
    tokio::spawn(async move {
        while let Some(name) = listening.next().await {
            let options = KillContainerOptionsBuilder::default().signal(name).build();
            // It may have ended already.
            let _ = docker.kill_container(&id, Some(options)).await;
        }
    })
}

#[cfg(not(unix))]
fn forward_signals(engine: &Engine, id: &str) -> JoinHandle<()> {
    let docker = engine.docker.clone();
    let id = id.to_owned();
    tokio::spawn(async move {
        while tokio::signal::ctrl_c().await.is_ok() {
            let options = KillContainerOptionsBuilder::default()
                .signal("SIGINT")
                .build();
            // It may have ended already.
            let _ = docker.kill_container(&id, Some(options)).await;
        }
    })
}
