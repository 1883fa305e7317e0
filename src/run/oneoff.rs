//! Running a container made for one command.

use bollard::query_parameters::RemoveContainerOptionsBuilder;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::attach::{self, End};
use super::inject::inject;
use super::streams::{Connection, Streams, join};
use super::{Error, Kind, container_end};
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

/// Runs the container with our streams and returns its exit code; 0 when it was left running: by
/// cancelling `detached`, or with the engine's detach keys. Signals that we get are passed on to it.
///
/// # Errors
/// When the engine refuses, or the connection breaks.
pub async fn attached(
    engine: &Engine,
    container: &OneOff,
    streams: Streams,
    detached: CancellationToken,
) -> Result<i64, Error> {
    inject(engine, &container.id, &container.files).await?;
    let input = streams.input.is_some();
    let connection = attach::connect(engine, &container.id, input, None).await?;
    // Begins to wait for the end before there is a beginning, so that it cannot be missed.
    let condition = if container.auto_remove {
        "removed"
    } else {
        "next-exit"
    };
    let ending = attach::ending(engine, &container.id, condition);
    let signals = attach::forward_signals(engine, &container.id);
    let result = tokio::select! {
        result = run(engine, container, connection, streams, ending) => result,
        () = detached.cancelled() => Ok(0),
    };
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
            () = attach::follow_size(engine, &container.id) => {}
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
            return Ok(
                match container_end::after_output(engine, &container.id, ending).await {
                    End::Exited(code) => code,
                    End::Detached => 0,
                },
            );
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
