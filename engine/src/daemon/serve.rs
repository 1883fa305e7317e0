//! Serves the API until told to end.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::response::IntoResponse as _;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::net::UnixListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tower::ServiceExt as _;

use super::activity::{Activity, Counted};
use super::lock::{self, Lock};
use super::start::make_folder;
use super::{Place, Running, running, volatile};
use crate::container::{Status, cgroup, monitor};
use crate::engine::Engine;
use crate::{Error, Result, api, footprint};

/// How long requests that are being answered are waited for when the daemon leaves.
const FAREWELL: Duration = Duration::from_secs(1);
/// Who belongs to this group may use the socket, where the machine has it.
const GROUP: &str = "rcompose";

/// How to serve.
#[derive(Debug, Clone, Copy, Default)]
pub struct ServeOptions {
    /// How long to stay when nothing runs and nobody is connected; `None`: for ever.
    pub idle: Option<Duration>,
    /// Whether to wait for another daemon of this root that is leaving.
    pub patient: bool,
}

/// Serves the API until SIGTERM or SIGINT, or until idle for too long. Containers go on.
/// `on_ready` is called once clients are answered; what ran already is looked after by then.
///
/// # Errors
/// When another daemon has the root, a folder cannot be made, or the socket is in use.
pub async fn serve(place: Place, options: ServeOptions, on_ready: impl FnOnce()) -> Result<()> {
    footprint::share_arenas();
    let layout = &place.layout;
    make_folder(layout.root(), 0o711)?;
    make_folder(layout.run(), 0o755)?;
    let _lock = take_root(&place, options.patient)?;
    if place.is_listening() {
        let message = format!("something else listens on {}", place.socket.display());
        return Err(Error::conflict(message));
    }
    let mut signals = Signals::new()?;
    let booted = volatile::prepare(layout)?;
    let engine = Engine::open(layout.clone())?;
    engine.images.discard_passed().await;
    engine.networks.adopt(&up(&engine)).await?;
    monitor::adopt(&engine, booted).await;
    let listener = listen(&place.socket)?;
    Running::this(&place.socket)?.write(layout)?;
    on_ready();
    footprint::trim();
    footprint::give_code_back();

    let server = Server::new(&engine);
    let why = tokio::select! {
        () = server.accept(&listener) => "closed",
        () = signals.any() => "told to",
        () = idle(&server.activity, options.idle, &engine) => "idle",
    };
    tracing::info!("leaves: {why}");
    // A client that comes now must find no engine rather than one that is leaving.
    let _ = fs::remove_file(&place.socket);
    running::forget(layout);
    server.finish(listener).await;
    engine.containers.flush().await;
    if !is_busy(&engine) {
        engine.networks.rest().await;
        volatile::release(layout);
        cgroup::remove_parents();
    }
    Ok(())
}

fn take_root(place: &Place, patient: bool) -> Result<Lock> {
    let path = place.layout.lock();
    if patient {
        return lock::take(&path);
    }
    lock::try_take(&path)?.ok_or_else(|| {
        let path = path.display();
        Error::conflict(format!(
            "another engine runs with this root ({path} is locked)"
        ))
    })
}

/// The containers that ran when the last daemon wrote about them.
fn up(engine: &Engine) -> HashSet<String> {
    let records = engine
        .containers
        .all()
        .into_iter()
        .map(|handle| handle.record());
    let up = records.filter(|record| record.state.is_up());
    up.map(|record| record.id.clone()).collect()
}

/// Whether anything runs, or is about to: names, published ports, health checks and restarts
/// need the daemon then.
fn is_busy(engine: &Engine) -> bool {
    let handles = engine.containers.all();
    handles.iter().any(|handle| {
        let state = &handle.record().state;
        state.is_up() || state.status == Status::Restarting
    })
}

async fn idle(activity: &Activity, period: Option<Duration>, engine: &Engine) {
    match period {
        Some(period) => activity.idle_for(period, || is_busy(engine)).await,
        None => std::future::pending().await,
    }
}

/// The lock says that no other daemon uses this root, so a socket that is there is a left-over.
fn listen(socket: &Path) -> Result<UnixListener> {
    if let Some(folder) = socket.parent() {
        make_folder(folder, 0o755)?;
    }
    let _ = fs::remove_file(socket);
    let listener = UnixListener::bind(socket).map_err(|error| Error::io("bind", socket, error))?;
    fs::set_permissions(socket, fs::Permissions::from_mode(0o660))
        .map_err(|error| Error::io("set the mode of", socket, error))?;
    if let Ok(Some(group)) = nix::unistd::Group::from_name(GROUP)
        && let Err(error) = nix::unistd::chown(socket, None, Some(group.gid))
    {
        tracing::warn!("give {} to the group {GROUP}: {error}", socket.display());
    }
    Ok(listener)
}

/// SIGTERM and SIGINT.
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    fn new() -> Result<Self> {
        let listen = |kind| signal(kind).map_err(Error::internal);
        Ok(Self {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
        })
    }

    async fn any(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// The connections.
struct Server {
    router: axum::Router,
    activity: Activity,
    /// Told when the daemon leaves.
    leaving: watch::Sender<()>,
}

impl Server {
    fn new(engine: &Arc<Engine>) -> Self {
        Self {
            router: api::router(engine.clone()),
            activity: Activity::new(),
            leaving: watch::Sender::default(),
        }
    }

    async fn accept(&self, listener: &UnixListener) {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => self.spawn(self.activity.count(stream)),
                Err(error) => {
                    // Out of descriptors, most likely; some are given back soon.
                    tracing::error!("accept: {error}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    fn spawn(&self, stream: Counted) {
        let leaving = self.leaving.subscribe();
        tokio::spawn(connection(stream, self.router.clone(), leaving));
    }

    /// Answers those who have connected already, and waits a moment for what is being answered.
    async fn finish(&self, listener: UnixListener) {
        let waiting = self.accept(&listener);
        let _ = tokio::time::timeout(Duration::ZERO, waiting).await;
        drop(listener);
        self.leaving.send_replace(());
        let _ = tokio::time::timeout(FAREWELL, self.leaving.closed()).await;
    }
}

async fn connection(stream: Counted, router: axum::Router, mut leaving: watch::Receiver<()>) {
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
    let mut serving = pin!(
        hyper::server::conn::http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades()
    );
    let served = tokio::select! {
        served = serving.as_mut() => served,
        _ = leaving.changed() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = served {
        tracing::debug!("connection: {error}");
    }
}
