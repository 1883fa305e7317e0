//! The engine that both tools are measured on.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use bollard::Docker;
use bollard::models::EventMessage;
use bollard::query_parameters::{CreateImageOptionsBuilder, EventsOptionsBuilder};
use futures::StreamExt as _;
use tokio::runtime::Builder;

use crate::Error;

/// The image that every service runs.
pub(crate) const IMAGE: &str = "rcompose-bench:1";

/// Sleeps for ever, or exits at once where it is the probe of a health check.
const PROGRAM: &str = "fn main() {
    if std::env::args().len() > 1 { return }
    loop { std::thread::sleep(std::time::Duration::from_secs(3600)) }
}";

/// Something that happened to a container.
pub(crate) struct ContainerEvent {
    /// The container's id.
    pub(crate) id: String,
    /// The container's name.
    pub(crate) container: String,
    /// `start` or `health_status: healthy`.
    pub(crate) action: String,
    /// Nanoseconds since 1970.
    pub(crate) time: i64,
}

/// An engine that has the image and whose events are being recorded.
pub(crate) struct Engine {
    /// Path of its socket.
    pub(crate) socket: PathBuf,
    events: Arc<Mutex<Vec<ContainerEvent>>>,
}

impl Engine {
    /// Builds and loads the image and starts to record events.
    ///
    /// # Errors
    /// When the program cannot be compiled or the engine does not take the image.
    pub(crate) fn prepare(socket: &Path, folder: &Path) -> Result<Self, Error> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let archive = image_archive(folder)?;
        let docker = runtime.block_on(connect(socket))?;
        runtime.block_on(import(&docker, archive))?;
        let events = Arc::default();
        let recorded = Arc::clone(&events);
        thread::spawn(move || runtime.block_on(record(docker, recorded)));
        Ok(Self {
            socket: socket.to_owned(),
            events,
        })
    }

    /// Takes the events recorded since the last call.
    pub(crate) fn take_events(&self) -> Vec<ContainerEvent> {
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut events)
    }
}

/// A client of the engine at a socket.
pub(crate) async fn connect(socket: &Path) -> Result<Docker, Error> {
    let path = socket.to_string_lossy();
    let docker = Docker::connect_with_unix(&path, 120, bollard::API_DEFAULT_VERSION)?;
    Ok(docker.negotiate_version().await?)
}

/// A root file system with one static program in it.
fn image_archive(folder: &Path) -> Result<Vec<u8>, Error> {
    let source = folder.join("bench.rs");
    let program = folder.join("bench");
    fs::write(&source, PROGRAM)?;
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let status = Command::new(rustc)
        .args(["--edition", "2024", "-O", "-C", "strip=symbols"])
        .args(["-C", "target-feature=+crt-static", "-o"])
        .arg(&program)
        .arg(&source)
        .status()?;
    if !status.success() {
        return Err("cannot compile the program that the containers run".into());
    }
    let mut archive = tar::Builder::new(Vec::new());
    archive.append_path_with_name(&program, "bench")?;
    Ok(archive.into_inner()?)
}

async fn import(docker: &Docker, archive: Vec<u8>) -> Result<(), Error> {
    let options = CreateImageOptionsBuilder::new()
        .from_src("-")
        .repo(IMAGE)
        .build();
    let body = bollard::body_full(archive.into());
    let mut progress = std::pin::pin!(docker.create_image(Some(options), Some(body), None));
    while let Some(step) = progress.next().await {
        step?;
    }
    Ok(())
}

async fn record(docker: Docker, events: Arc<Mutex<Vec<ContainerEvent>>>) {
    let filters = HashMap::from([
        ("type", vec!["container"]),
        ("event", vec!["start", "health_status"]),
    ]);
    let options = EventsOptionsBuilder::new().filters(&filters).build();
    let mut stream = std::pin::pin!(docker.events(Some(options)));
    while let Some(Ok(message)) = stream.next().await {
        let mut events = events.lock().unwrap_or_else(PoisonError::into_inner);
        events.extend(container_event(message));
    }
}

fn container_event(message: EventMessage) -> Option<ContainerEvent> {
    let actor = message.actor?;
    Some(ContainerEvent {
        id: actor.id?,
        container: actor.attributes?.remove("name")?,
        action: message.action?,
        time: message.time_nano?,
    })
}
