//! Running a command in a running container.

use std::time::Duration;

use bollard::exec::{CreateExecOptions, ResizeExecOptions, StartExecOptions, StartExecResults};
use tokio_util::sync::CancellationToken;

use super::Error;
use super::hijack::{self, Post};
use super::streams::{Connection, Streams, join};
use super::terminal::{Resizes, Size};
use crate::connect::Engine;

/// What to run and how.
#[derive(Debug, Clone, Default)]
pub struct Command {
    /// The command and its arguments.
    pub command: Vec<String>,
    /// `NAME=VALUE`.
    pub environment: Vec<String>,
    /// User, and group after a colon.
    pub user: Option<String>,
    /// Folder to start in.
    pub working_dir: Option<String>,
    /// With extended privileges.
    pub privileged: bool,
    /// With a terminal.
    pub terminal: bool,
    /// Whether it gets our input.
    pub interactive: bool,
}

/// Starts a command in a container and leaves it running.
///
/// # Errors
/// When the engine refuses.
pub async fn detached(engine: &Engine, container: &str, command: Command) -> Result<(), Error> {
    let terminal = command.terminal;
    let exec = create(engine, container, command, false).await?;
    let options = StartExecOptions {
        detach: true,
        tty: terminal,
        output_capacity: None,
    };
    engine.docker.start_exec(&exec, Some(options)).await?;
    Ok(())
}

/// Runs a command in a container with our streams and returns its exit code; 0 when it was left
/// running: by cancelling `detached`, or with the engine's detach keys.
///
/// # Errors
/// When the engine refuses, or the connection breaks.
pub async fn attached(
    engine: &Engine,
    container: &str,
    command: Command,
    streams: Streams,
    detached: CancellationToken,
) -> Result<i64, Error> {
    let terminal = command.terminal;
    let exec = create(engine, container, command, true).await?;
    let connection = start(engine, &exec, terminal).await?;
    let joined = join(connection, streams, terminal);
    if terminal {
        tokio::select! {
            result = joined => result?,
            () = follow_size(engine, &exec) => {}
            () = detached.cancelled() => return Ok(0),
        }
    } else {
        joined.await?;
    }
    let state = engine.docker.inspect_exec(&exec).await?;
    Ok(state.exit_code.unwrap_or(0))
}

async fn create(
    engine: &Engine,
    container: &str,
    command: Command,
    attach: bool,
) -> Result<String, Error> {
    let options = CreateExecOptions {
        attach_stdin: Some(attach && command.interactive),
        attach_stdout: Some(attach),
        attach_stderr: Some(attach),
        tty: Some(command.terminal),
        env: Some(command.environment),
        cmd: Some(command.command),
        privileged: Some(command.privileged),
        user: command.user,
        working_dir: command.working_dir,
        detach_keys: None,
    };
    Ok(engine.docker.create_exec(container, options).await?.id)
}

async fn start(engine: &Engine, exec: &str, terminal: bool) -> Result<Connection, Error> {
    if hijack::is_possible(&engine.address) {
        let mut body = serde_json::json!({ "Detach": false, "Tty": terminal });
        if let Some(size) = Size::current().filter(|_| terminal) {
            // Before the command runs; older engines take no notice of it, and are told the size after the start.
            body["ConsoleSize"] = serde_json::json!([size.height, size.width]);
        }
        let body = body.to_string();
        let post = Post {
            path: &format!("/v{}/exec/{exec}/start", engine.api),
            protocol: "tcp",
            headers: &[],
            body: body.as_bytes(),
        };
        return Ok(Connection::Raw(
            hijack::upgrade(&engine.address, post).await?,
        ));
    }
    let options = StartExecOptions {
        detach: false,
        tty: terminal,
        output_capacity: None,
    };
    match engine.docker.start_exec(exec, Some(options)).await? {
        StartExecResults::Attached { output, input } => Ok(Connection::Library { output, input }),
        StartExecResults::Detached => Err(Error::new("the engine did not attach to the command")),
    }
}

/// Tells the engine the size of our terminal, now and whenever it changes; never returns.
async fn follow_size(engine: &Engine, exec: &str) {
    let mut resizes = Resizes::listen().ok();
    let mut size = Size::current();
    // The engine may not know the process yet, for as long as it takes to start it.
    let mut pause = FIRST_PAUSE;
    for _ in 0..RESIZE_ATTEMPTS {
        match size {
            Some(now) if resize(engine, exec, now).await.is_err() => {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            _ => break,
        }
    }
    while let Some(changes) = &mut resizes {
        size = changes.next().await;
        if let Some(size) = size {
            // The next change comes with another chance.
            let _ = resize(engine, exec, size).await;
        }
    }
    std::future::pending::<()>().await;
}

/// How often it is tried: for about ten seconds.
const RESIZE_ATTEMPTS: usize = 24;
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

async fn resize(engine: &Engine, exec: &str, size: Size) -> Result<(), Error> {
    let options = ResizeExecOptions {
        height: size.height,
        width: size.width,
    };
    Ok(engine.docker.resize_exec(exec, options).await?)
}
