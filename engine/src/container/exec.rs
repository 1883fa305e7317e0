//! Processes beside a container's first.

use std::sync::{Arc, Mutex, PoisonError};

use bollard_stubs::models::ExecConfig;
use serde_json::{Value, json};

use super::handle::Handle;
use super::record::Status;
use super::{parts, tell};
use crate::engine::Engine;
use crate::shim::{AttachRequest, ExecRequest, Link, Request, Session};
use crate::{Error, Result, identifier};

/// An exec instance.
#[derive(Debug)]
pub(crate) struct Exec {
    /// 64 hexadecimal digits.
    pub(crate) id: String,
    /// Id of its container.
    pub(crate) container: String,
    /// As asked for.
    pub(crate) config: ExecConfig,
    progress: Mutex<Progress>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    Created,
    Running(i32),
    Ended(i64),
}

impl Exec {
    fn progress(&self) -> Progress {
        *self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, progress: Progress) {
        *self.progress.lock().unwrap_or_else(PoisonError::into_inner) = progress;
    }

    /// Whether it has not ended.
    pub(crate) fn is_open(&self) -> bool {
        !matches!(self.progress(), Progress::Ended(_))
    }

    /// Whether it has ended, or could not be executed.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.progress(), Progress::Ended(_))
    }

    /// Whether it has a terminal.
    pub(crate) fn has_terminal(&self) -> bool {
        self.config.tty == Some(true)
    }

    fn command(&self) -> String {
        self.config.cmd.clone().unwrap_or_default().join(" ")
    }
}

/// Makes an exec instance, which does not run yet.
///
/// # Errors
/// 409 when the container does not run or is paused, 400 without a command.
pub(crate) fn create(engine: &Engine, handle: &Handle, config: ExecConfig) -> Result<Arc<Exec>> {
    check_running(handle)?;
    if config.cmd.as_ref().is_none_or(Vec::is_empty) {
        return Err(Error::bad_request("no exec command specified"));
    }
    let exec = Arc::new(Exec {
        id: identifier::new(),
        container: handle.id.clone(),
        config,
        progress: Mutex::new(Progress::Created),
    });
    engine.containers.insert_exec(exec.clone());
    publish(engine, handle, &exec, "exec_create", None);
    Ok(exec)
}

fn check_running(handle: &Handle) -> Result<()> {
    let (id, name) = (&handle.id, &handle.record().name);
    match handle.record().state.status {
        Status::Running => Ok(()),
        Status::Paused => Err(Error::conflict(format!(
            "Container {name} is paused, unpause the container before exec"
        ))),
        Status::Restarting => Err(Error::conflict(format!(
            "container {id} is restarting, wait until the container is running"
        ))),
        _ => Err(Error::conflict(format!("container {id} is not running"))),
    }
}

/// Starts it. The caller reads the session until its exit code and then calls [`ended`].
///
/// # Errors
/// 409 when it was started before or its container does not run, 400 when the command cannot be
/// executed.
pub(crate) async fn start(
    engine: &Arc<Engine>,
    exec: &Arc<Exec>,
    detached: bool,
    size: Option<(u16, u16)>,
) -> Result<Session> {
    match exec.progress() {
        Progress::Created => {}
        Progress::Running(_) => {
            let message = format!("Error: Exec command {} is already running", exec.id);
            return Err(Error::conflict(message));
        }
        Progress::Ended(_) => {
            let message = format!("Error: Exec command {} has already run", exec.id);
            return Err(Error::conflict(message));
        }
    }
    let handle = engine.containers.get(&exec.container)?;
    check_running(&handle)?;
    exec.set(Progress::Running(0));
    match session(engine, &handle, exec, detached, size).await {
        Ok(session) => {
            exec.set(Progress::Running(session.pid.unwrap_or_default()));
            publish(engine, &handle, exec, "exec_start", None);
            Ok(session)
        }
        Err(error) => {
            let denied = error.message.contains("permission denied");
            exec.set(Progress::Ended(if denied { 126 } else { 127 }));
            Err(error)
        }
    }
}

async fn session(
    engine: &Arc<Engine>,
    handle: &Arc<Handle>,
    exec: &Exec,
    detached: bool,
    size: Option<(u16, u16)>,
) -> Result<Session> {
    let wants = |asked: Option<bool>| !detached && asked == Some(true);
    let asked_size = match exec.config.console_size.as_deref() {
        Some([height, width]) => u16::try_from(*width).ok().zip(u16::try_from(*height).ok()),
        _ => None,
    };
    let request = ExecRequest {
        id: exec.id.clone(),
        process: parts::process(engine, handle, &exec.id, &exec.config)?,
        tty: exec.has_terminal(),
        streams: AttachRequest {
            stdin: wants(exec.config.attach_stdin),
            stdout: wants(exec.config.attach_stdout),
            stderr: wants(exec.config.attach_stderr),
        },
        size: size
            .or(asked_size)
            .filter(|(width, height)| *width > 0 && *height > 0),
    };
    let process = request.process.clone();
    let run = engine.layout.container_run(&handle.id);
    let asked = Link::ask(&run, &Request::Exec(request)).await;
    let _ = std::fs::remove_file(process);
    Ok(asked?.session())
}

/// The request for a command of the engine's own: a health check.
///
/// # Errors
/// Those of its specification.
pub(super) fn request_for_words(
    engine: &Arc<Engine>,
    handle: &Arc<Handle>,
    words: Vec<String>,
    streams: AttachRequest,
) -> Result<ExecRequest> {
    let id = identifier::new();
    let config = ExecConfig {
        cmd: Some(words),
        ..ExecConfig::default()
    };
    Ok(ExecRequest {
        process: parts::process(engine, handle, &id, &config)?,
        id,
        tty: false,
        streams,
        size: None,
    })
}

/// Takes note of its exit code.
pub(crate) fn ended(engine: &Engine, exec: &Exec, code: i64) {
    exec.set(Progress::Ended(code));
    if let Ok(handle) = engine.containers.get(&exec.container) {
        publish(engine, &handle, exec, "exec_die", Some(code));
    }
}

fn publish(engine: &Engine, handle: &Handle, exec: &Exec, action: &str, code: Option<i64>) {
    let action = match code {
        None => format!("{action}: {}", exec.command()),
        Some(_) => action.to_owned(),
    };
    let mut extra = vec![("execID", exec.id.clone())];
    extra.extend(code.map(|code| ("exitCode", code.to_string())));
    tell(engine, &handle.record(), &action, &extra);
}

/// A new size for its terminal.
///
/// # Errors
/// 409 when it does not run.
pub(crate) async fn resize(engine: &Engine, exec: &Exec, width: u16, height: u16) -> Result<()> {
    let run = engine.layout.container_run(&exec.container);
    let request = Request::Resize {
        exec: Some(exec.id.clone()),
        width,
        height,
    };
    Link::ask(&run, &request).await.map(drop)
}

/// What the API shows of it.
pub(crate) fn inspect(exec: &Exec) -> Value {
    let config = &exec.config;
    let words = config.cmd.clone().unwrap_or_default();
    let (running, code, pid) = match exec.progress() {
        Progress::Created => (false, None, 0),
        Progress::Running(pid) => (true, None, pid),
        Progress::Ended(code) => (false, Some(code), 0),
    };
    json!({
        "ID": exec.id,
        "ContainerID": exec.container,
        "Running": running,
        "ExitCode": code,
        "Pid": pid,
        "OpenStdin": config.attach_stdin == Some(true),
        "OpenStdout": config.attach_stdout == Some(true),
        "OpenStderr": config.attach_stderr == Some(true),
        "CanRemove": false,
        "DetachKeys": config.detach_keys.clone().unwrap_or_default(),
        "ProcessConfig": {
            "tty": exec.has_terminal(),
            "entrypoint": words.first(),
            "arguments": words.get(1..).unwrap_or_default(),
            "privileged": config.privileged == Some(true),
            "user": config.user.clone().unwrap_or_default(),
        },
    })
}
