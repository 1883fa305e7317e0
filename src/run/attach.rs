//! Our streams joined to those of a container that runs.

use bollard::query_parameters::{
    AttachContainerOptionsBuilder, KillContainerOptionsBuilder, ResizeContainerTTYOptionsBuilder,
    WaitContainerOptionsBuilder,
};
use futures::StreamExt as _;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::hijack::{self, Post};
use super::streams::{Connection, Streams, join};
use super::terminal::{Resizes, Size};
use super::{Error, container_end};
use crate::connect::Engine;

/// What a container offers to those who attach to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer {
    /// Whether its program has a terminal.
    pub terminal: bool,
    /// Whether its program reads what we write.
    pub input: bool,
}

/// How to attach.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Whether the program has a terminal.
    pub terminal: bool,
    /// The keys that leave it, as the engine writes them; the engine's own where absent.
    pub detach_keys: Option<String>,
    /// Cancelled when the person has pressed them.
    pub detached: CancellationToken,
    /// Whether signals that we get are passed on to the program.
    pub pass_signals: bool,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The program has ended with this code.
    Exited(i64),
    /// The person has left it with the detach keys.
    Detached,
}

/// Looks whether a container can be attached to. Uses `GET /containers/{id}/json`.
///
/// # Errors
/// When it does not run, or the engine refuses.
pub async fn offer(engine: &Engine, id: &str) -> Result<Offer, Error> {
    let container = engine.docker.inspect_container(id, None).await?;
    let state = container.state.unwrap_or_default();
    let refused = match () {
        () if state.restarting == Some(true) => {
            Some(("restarting", "wait until it runs, then attach again"))
        }
        () if state.paused == Some(true) => Some(("paused", "let it go on with \"unpause\" first")),
        () if state.running != Some(true) => Some(("stopped", "start it first")),
        () => None,
    };
    if let Some((what, remedy)) = refused {
        return Err(Error::new(format!("cannot attach to a {what} container")).remedy(remedy));
    }
    let config = container.config.unwrap_or_default();
    Ok(Offer {
        terminal: config.tty == Some(true),
        input: config.open_stdin == Some(true),
    })
}

/// Joins our streams to those of a container until its program ends or the person leaves it.
///
/// Uses `POST /containers/{id}/attach`, `wait`, `resize` and `kill`.
///
/// # Errors
/// When the engine refuses, or the connection breaks.
pub async fn attach(
    engine: &Engine,
    id: &str,
    options: &Options,
    streams: Streams,
) -> Result<End, Error> {
    let ending = ending(engine, id, "not-running");
    let signals = options.pass_signals.then(|| forward_signals(engine, id));
    let result = attached(engine, id, options, streams, ending).await;
    if let Some(signals) = signals {
        signals.abort();
    }
    result
}

async fn attached(
    engine: &Engine,
    id: &str,
    options: &Options,
    streams: Streams,
    ending: JoinHandle<Option<i64>>,
) -> Result<End, Error> {
    let keys = options.detach_keys.as_deref();
    let connection = connect(engine, id, streams.input.is_some(), keys).await?;
    let joined = join(connection, streams, options.terminal);
    if !options.terminal {
        joined.await?;
        // Nothing but its end closes the connection.
        return match ending.await {
            Ok(Some(code)) => Ok(End::Exited(code)),
            _ => Err(Error::new("the engine did not tell the exit code")),
        };
    }
    // A program draws itself anew when the size changes.
    if let Some(size) = Size::current() {
        resize(engine, id, size.width + 1, size.height + 1).await;
    }
    tokio::select! {
        result = joined => result?,
        () = follow_size(engine, id) => {}
        () = options.detached.cancelled() => return Ok(End::Detached),
    }
    Ok(container_end::after_output(engine, id, ending).await)
}

/// Opens the connection to a container's streams.
pub(super) async fn connect(
    engine: &Engine,
    id: &str,
    input: bool,
    detach_keys: Option<&str>,
) -> Result<Connection, Error> {
    if hijack::is_possible(&engine.address) {
        let input = u8::from(input);
        let mut path = format!(
            "/v{}/containers/{id}/attach?stream=1&stdout=1&stderr=1&stdin={input}",
            engine.api
        );
        if let Some(keys) = detach_keys {
            path.push_str("&detachKeys=");
            path.push_str(&query(keys));
        }
        let post = Post {
            path: &path,
            protocol: "tcp",
            ..Post::default()
        };
        return Ok(Connection::Raw(
            hijack::upgrade(&engine.address, post).await?,
        ));
    }
    let mut options = AttachContainerOptionsBuilder::default()
        .stream(true)
        .stdin(input)
        .stdout(true)
        .stderr(true);
    if let Some(keys) = detach_keys {
        options = options.detach_keys(keys);
    }
    let attached = engine
        .docker
        .attach_container(id, Some(options.build()))
        .await?;
    Ok(Connection::Library {
        output: attached.output,
        input: attached.input,
    })
}

/// A text as a value of a query.
pub(super) fn query(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::new(), |mut query, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.') {
            query.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(query, "%{byte:02X}");
        }
        query
    })
}

/// Begins to wait for a container's end. Where the end is still to come, begin before it can.
pub(super) fn ending(engine: &Engine, id: &str, condition: &str) -> JoinHandle<Option<i64>> {
    let options = WaitContainerOptionsBuilder::default()
        .condition(condition)
        .build();
    let mut answers = Box::pin(engine.docker.wait_container(id, Some(options)));
    tokio::spawn(async move {
        match answers.next().await {
            Some(Ok(answer)) => Some(answer.status_code),
            Some(Err(bollard::errors::Error::DockerContainerWaitError { code, .. })) => Some(code),
            _ => None,
        }
    })
}

/// Tells the engine the size of our terminal, now and whenever it changes; never returns.
pub(super) async fn follow_size(engine: &Engine, id: &str) {
    let mut resizes = Resizes::listen().ok();
    let mut size = Size::current();
    loop {
        if let Some(size) = size {
            resize(engine, id, size.width, size.height).await;
        }
        match &mut resizes {
            Some(changes) => size = changes.next().await,
            None => return std::future::pending().await,
        }
    }
}

async fn resize(engine: &Engine, id: &str, width: u16, height: u16) {
    let options = ResizeContainerTTYOptionsBuilder::default()
        .w(width.into())
        .h(height.into())
        .build();
    // The next change comes with another chance.
    let _ = engine.docker.resize_container_tty(id, options).await;
}

/// Passes the signals that a person or a supervisor sends on to the container.
#[cfg(unix)]
pub(super) fn forward_signals(engine: &Engine, id: &str) -> JoinHandle<()> {
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

/// Passes Ctrl-C on to the container.
#[cfg(not(unix))]
pub(super) fn forward_signals(engine: &Engine, id: &str) -> JoinHandle<()> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_written_as_a_query_takes_them() {
        assert_eq!(query("ctrl-p,ctrl-[ &"), "ctrl-p%2Cctrl-%5B%20%26");
    }
}
