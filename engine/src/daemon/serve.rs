//! Serves the API until told to end.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use axum::body::Body;
use axum::extract::Request;
use axum::response::IntoResponse as _;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::net::{UnixListener, UnixStream};
use tokio::signal::unix::{SignalKind, signal};
use tower::ServiceExt as _;

use super::lock;
use crate::container::monitor;
use crate::engine::Engine;
use crate::{Error, Layout, Result, api};

/// How to serve.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// Path of the unix socket; one that nobody listens on any more is replaced.
    pub socket: PathBuf,
    /// Where everything is on disk.
    pub layout: Layout,
}

/// Serves the API until SIGTERM or SIGINT. Containers go on.
///
/// # Errors
/// When another daemon has the root, a folder cannot be made, or the socket is in use.
pub async fn serve(options: ServeOptions) -> Result<()> {
    let layout = &options.layout;
    for folder in [layout.root(), layout.run()] {
        fs::create_dir_all(folder).map_err(|error| Error::io("create", folder, error))?;
    }
    let _lock = lock::take(&layout.lock())?;
    let engine = Engine::open(layout.clone())?;
    let listener = listen(&options.socket)?;
    engine.networks.adopt(&running(&engine)).await?;
    monitor::adopt(&engine).await;
    let router = api::router(engine);
    let signals = |kind| signal(kind).map_err(Error::internal);
    let mut terminated = signals(SignalKind::terminate())?;
    let mut interrupted = signals(SignalKind::interrupt())?;
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => { tokio::spawn(connection(stream, router.clone())); }
                Err(error) => tracing::error!("accept: {error}"),
            },
            _ = terminated.recv() => break,
            _ = interrupted.recv() => break,
        }
    }
    // A client that comes now must find no engine rather than one that is leaving.
    let _ = fs::remove_file(&options.socket);
    Ok(())
}

/// The containers that ran when the last daemon wrote about them.
fn running(engine: &Engine) -> HashSet<String> {
    let records = engine
        .containers
        .all()
        .into_iter()
        .map(|handle| handle.record());
    let up = records.filter(|record| record.state.is_up());
    up.map(|record| record.id.clone()).collect()
}

/// The lock says that no other daemon uses this root, so a socket that is there is a left-over,
/// unless somebody answers on it.
fn listen(socket: &Path) -> Result<UnixListener> {
    if std::os::unix::net::UnixStream::connect(socket).is_ok() {
        let message = format!("something else listens on {}", socket.display());
        return Err(Error::conflict(message));
    }
    if let Some(folder) = socket.parent() {
        fs::create_dir_all(folder).map_err(|error| Error::io("create", folder, error))?;
    }
    let _ = fs::remove_file(socket);
    let listener = UnixListener::bind(socket).map_err(|error| Error::io("bind", socket, error))?;
    fs::set_permissions(socket, fs::Permissions::from_mode(0o660))
        .map_err(|error| Error::io("set the mode of", socket, error))?;
    Ok(listener)
}

async fn connection(stream: UnixStream, router: axum::Router) {
    let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
        let router = router.clone();
        async move {
            let request: Request = request.map(Body::new);
            match api::strip_version(request) {
                Ok(request) => router.oneshot(request).await,
                Err(error) => Ok(error.into_response()),
            }
        }
    });
    let served = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades()
        .await;
    if let Err(error) = served {
        tracing::debug!("connection: {error}");
    }
}
