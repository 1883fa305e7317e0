//! Builds by the engine's BuildKit: a session over which it fetches files, secrets and
//! credentials, and a control connection over which the build is asked for and watched.

mod caches;
mod content;
mod filesync;
mod links;
mod offers;
mod solve;

use std::sync::Arc;
use std::time::Duration;

use bollard::health::health_server::HealthServer;
use bollard::moby::buildkit::secrets::v1::secrets_server::SecretsServer;
use bollard::moby::buildkit::v1::control_client::ControlClient;
use bollard::moby::buildkit::v1::{ListWorkersRequest, StatusRequest};
use bollard::moby::filesync::packet::file_sync_server::FileSyncServer;
use bollard::moby::filesync::v1::auth_server::AuthServer;
use bollard::moby::sshforward::v1::ssh_server::SshServer;
use hyper_util::rt::TokioIo;
use tonic::transport::{Channel, Endpoint, Server};

use caches::Caches;
use content::ContentServer;

use super::agents::agents;
use super::failure::{self, Report};
use super::key_agent::KeyAgent;
use super::recipe::{Context, Recipe, problem};
use super::trace::Trace;
use crate::connect::Address;
use crate::report::event::{Event, Sender, send};
use crate::run::Error;
use crate::run::hijack::{self, Post};
use crate::run::registry_auth::RegistryAuth;

/// What the builder may send in one message.
const LARGEST_MESSAGE: usize = 16 << 20;

/// How long a builder that refuses a build may still tell of it.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// How many bytes of requests may be on their way.
const WINDOW: u32 = 8 << 20;

/// The calls that we answer, as the engine wants to be told.
const METHODS: [&str; 5] = [
    "/moby.filesync.v1.FileSync/DiffCopy",
    "/moby.filesync.v1.Auth/Credentials",
    "/moby.buildkit.secrets.v1.Secrets/GetSecret",
    "/moby.sshforward.v1.SSH/CheckAgent",
    "/moby.sshforward.v1.SSH/ForwardAgent",
];

/// The header that has one of them.
const METHOD: &str = "X-Docker-Expose-Session-Grpc-Method";

/// Builds an image and returns its id. The second recipe is that of the person: the first may have instructions that were
/// changed for the builder.
pub(super) async fn build(
    address: &Address,
    (recipe, original): (&Recipe, &Recipe),
    auth: &RegistryAuth,
    sender: &Sender,
) -> Result<String, Error> {
    let session = random_id();
    let caches = Caches::new(recipe, &|name| std::env::var(name).ok())?;
    for warning in &caches.warnings {
        send(sender, Event::Warning(warning.clone()));
    }
    // Agents that were started for keys end with the build.
    let (serving, _agents) = serve(address, recipe, &caches, auth, &session).await?;
    let result = run(address, (recipe, original), &caches, session, sender).await;
    serving.abort();
    result
}

/// Offers the builder what it may ask for, until the returned task is aborted; some of it comes from the returned agents. The task
/// may end before: it only waits for the connection.
async fn serve(
    address: &Address,
    recipe: &Recipe,
    caches: &Caches,
    auth: &RegistryAuth,
    session: &str,
) -> Result<(tokio::task::JoinHandle<()>, Vec<KeyAgent>), Error> {
    let key = shared_key(recipe);
    let mut headers = vec![
        ("X-Docker-Expose-Session-Uuid", session),
        ("X-Docker-Expose-Session-Name", "rcompose"),
        ("X-Docker-Expose-Session-Sharedkey", key.as_str()),
    ];
    if !caches.folders.is_empty() {
        headers.extend(content::METHODS.map(|method| (METHOD, method)));
    }
    headers.extend(METHODS.map(|method| (METHOD, method)));
    let post = Post {
        path: "/session",
        protocol: "h2c",
        headers: &headers,
        body: &[],
    };
    let (sockets, started) = agents(recipe).await?;
    let connection = hijack::upgrade(address, post).await?;
    let router = Server::builder()
        .initial_connection_window_size(WINDOW)
        .initial_stream_window_size(WINDOW)
        .add_service(HealthServer::new(offers::Alive))
        .add_service(
            FileSyncServer::new(solve::folders(recipe))
                .max_decoding_message_size(LARGEST_MESSAGE)
                .max_encoding_message_size(LARGEST_MESSAGE),
        )
        .add_service(AuthServer::new(offers::Credentials(auth.all().await)))
        .add_service(SecretsServer::new(offers::SecretStore(
            recipe.secrets.clone(),
        )))
        .add_service(SshServer::new(offers::Agents(sockets)))
        .add_service(ContentServer(Arc::new(caches.folders.clone())));
    let connections = futures::stream::iter([Ok::<_, std::io::Error>(connection)]);
    let serving = tokio::spawn(async move {
        if let Err(error) = router.serve_with_incoming(connections).await {
            tracing::debug!("the builder's session ended: {error}");
        }
    });
    Ok((serving, started))
}

/// The builder keeps the files of a context under this key, so that the next build of the same
/// one only sends what changed.
fn shared_key(recipe: &Recipe) -> String {
    use sha2::Digest as _;
    let context = match &recipe.context {
        Context::Local(path) => path.to_string_lossy().into_owned(),
        Context::Remote(url) => url.clone(),
    };
    let digest = sha2::Sha256::digest(format!("rcompose:{context}").as_bytes());
    crate::run::hex(&digest[..16])
}

async fn run(
    address: &Address,
    (recipe, original): (&Recipe, &Recipe),
    caches: &Caches,
    session: String,
    sender: &Sender,
) -> Result<String, Error> {
    let channel = control(address).await?;
    let mut control = ControlClient::new(channel)
        .max_decoding_message_size(LARGEST_MESSAGE)
        .max_encoding_message_size(LARGEST_MESSAGE);
    let reference = random_id();
    let gateway = host_gateway(&mut control, recipe).await?;
    let request = solve::request(
        recipe,
        caches,
        reference.clone(),
        session,
        gateway.as_deref(),
    )?;
    let watching = watch(control.clone(), reference, recipe.service.clone(), sender);
    let (refused, is_refused) = tokio::sync::oneshot::channel();
    let solving = async {
        let solved = control.solve(request).await;
        if solved.is_err() {
            let _ = refused.send(());
        }
        solved
    };
    // Of a request that the builder has not even begun it tells nothing, not even an end.
    let ended = async {
        tokio::select! {
            trace = watching => Some(trace),
            () = after_refusal(is_refused) => None,
        }
    };
    let (solved, trace) = tokio::join!(solving, ended);
    let trace = trace.unwrap_or_else(|| Trace::new(&recipe.service));
    match solved {
        Ok(response) => {
            let answer = response.into_inner().exporter_response;
            caches.note(recipe, &answer)?;
            let digest = answer
                .get("containerimage.digest")
                .or_else(|| answer.get("containerimage.config.digest"));
            digest.cloned().ok_or_else(|| {
                let service = &recipe.service;
                Error::new(format!(
                    "the builder did not tell the image of service {service:?}"
                ))
            })
        }
        Err(status) => Err(failed(original, &status, &trace)),
    }
}

/// Ends some time after the builder has refused a request: the last that it tells of the build is there by then.
async fn after_refusal(refused: tokio::sync::oneshot::Receiver<()>) {
    if refused.await.is_err() {
        return std::future::pending().await;
    }
    tokio::time::sleep(LAST_WORDS).await;
}

/// The address of the engine's host that `host-gateway` in `extra_hosts` stands for; asked for
/// only where it is needed.
async fn host_gateway(
    control: &mut ControlClient<Channel>,
    recipe: &Recipe,
) -> Result<Option<String>, Error> {
    const LABEL: &str = "org.mobyproject.buildkit.worker.moby.host-gateway-ip";
    if !recipe
        .extra_hosts
        .iter()
        .any(|(_, ip)| ip == solve::HOST_GATEWAY)
    {
        return Ok(None);
    }
    let workers = control.list_workers(ListWorkersRequest::default()).await;
    let workers = workers.map_or_else(|_| Vec::new(), |answer| answer.into_inner().record);
    let address = workers
        .into_iter()
        .find_map(|mut worker| worker.labels.remove(LABEL));
    address.map(Some).ok_or_else(|| {
        problem(
            &recipe.service,
            "extra_hosts",
            "this engine does not tell builds the address of its host (host-gateway)",
        )
        .remedy("give the address itself")
    })
}

async fn control(address: &Address) -> Result<Channel, Error> {
    let address = address.clone();
    let connector = tower::service_fn(move |_| {
        let address = address.clone();
        async move {
            let post = Post {
                path: "/grpc",
                protocol: "h2c",
                ..Post::default()
            };
            let connection = hijack::upgrade(&address, post).await;
            connection.map(TokioIo::new).map_err(std::io::Error::other)
        }
    });
    Endpoint::from_static("http://builder")
        .connect_with_connector(connector)
        .await
        .map_err(|error| {
            Error::new(format!("cannot reach the engine's BuildKit: {error}"))
                .remedy("build with DOCKER_BUILDKIT=0, if the engine has no BuildKit")
        })
}

/// Tells the progress of a build until it ends.
async fn watch(
    mut control: ControlClient<Channel>,
    reference: String,
    service: String,
    sender: &Sender,
) -> Trace {
    let mut trace = Trace::new(&service);
    let Ok(response) = control.status(StatusRequest { r#ref: reference }).await else {
        return trace;
    };
    let mut messages = response.into_inner();
    while let Ok(Some(message)) = messages.message().await {
        for step in trace.take(message) {
            send(sender, step);
        }
    }
    trace
}

fn failed(recipe: &Recipe, status: &tonic::Status, trace: &Trace) -> Error {
    let report = Report {
        text: status.message().to_owned(),
        lines: failure::lines_of(status),
        step: trace.failed(),
    };
    failure::error(recipe, report)
}

fn random_id() -> String {
    let bytes: [u8; 16] = rand::random();
    crate::run::hex(&bytes)
}
