//! What the builder may ask of us while it builds: credentials, secrets, ssh agents, and whether
//! we are still there.

use std::collections::{BTreeMap, HashMap};
use std::pin::Pin;

use bollard::auth::DockerCredentials;
use bollard::health::health_check_response::ServingStatus;
use bollard::health::health_server::Health;
use bollard::health::{
    HealthCheckRequest, HealthCheckResponse, HealthListRequest, HealthListResponse,
};
use bollard::moby::buildkit::secrets::v1::secrets_server::Secrets;
use bollard::moby::buildkit::secrets::v1::{GetSecretRequest, GetSecretResponse};
use bollard::moby::filesync::v1::auth_server::Auth;
use bollard::moby::filesync::v1::{
    CredentialsRequest, CredentialsResponse, FetchTokenRequest, FetchTokenResponse,
    GetTokenAuthorityRequest, GetTokenAuthorityResponse, VerifyTokenAuthorityRequest,
    VerifyTokenAuthorityResponse,
};
use bollard::moby::sshforward::v1::ssh_server::Ssh;
use bollard::moby::sshforward::v1::{BytesMessage, CheckAgentRequest, CheckAgentResponse};
use tonic::{Request, Response, Status, Streaming};

use crate::run::build::recipe::SecretSource;
use crate::run::build::secrets::LARGEST;
use crate::run::reference::credentials_key;

/// Tells that we are there.
#[derive(Debug)]
pub(super) struct Alive;

#[tonic::async_trait]
impl Health for Alive {
    type WatchStream =
        Pin<Box<dyn futures::Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

    async fn check(
        &self,
        _request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        Ok(Response::new(HealthCheckResponse {
            status: ServingStatus::Serving.into(),
        }))
    }

    async fn list(
        &self,
        _request: Request<HealthListRequest>,
    ) -> Result<Response<HealthListResponse>, Status> {
        Err(Status::unimplemented("only checks are answered"))
    }

    async fn watch(
        &self,
        _request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        Err(Status::unimplemented("only checks are answered"))
    }
}

/// Credentials of registries, keyed as in Docker's configuration.
#[derive(Debug)]
pub(super) struct Credentials(pub(super) HashMap<String, DockerCredentials>);

impl Credentials {
    fn of(&self, host: &str) -> Option<&DockerCredentials> {
        let key = match host {
            "registry-1.docker.io" => credentials_key("docker.io"),
            host => host,
        };
        let with_scheme = [format!("https://{key}"), format!("http://{key}")];
        self.0
            .get(key)
            .or_else(|| with_scheme.iter().find_map(|key| self.0.get(key)))
    }
}

#[tonic::async_trait]
impl Auth for Credentials {
    async fn credentials(
        &self,
        request: Request<CredentialsRequest>,
    ) -> Result<Response<CredentialsResponse>, Status> {
        let answer = match self.of(&request.get_ref().host) {
            Some(DockerCredentials {
                identitytoken: Some(token),
                ..
            }) => CredentialsResponse {
                username: String::new(),
                secret: token.clone(),
            },
            Some(known) => CredentialsResponse {
                username: known.username.clone().unwrap_or_default(),
                secret: known.password.clone().unwrap_or_default(),
            },
            None => CredentialsResponse::default(),
        };
        Ok(Response::new(answer))
    }

    async fn fetch_token(
        &self,
        _request: Request<FetchTokenRequest>,
    ) -> Result<Response<FetchTokenResponse>, Status> {
        Err(Status::unimplemented("the builder fetches tokens itself"))
    }

    async fn get_token_authority(
        &self,
        _request: Request<GetTokenAuthorityRequest>,
    ) -> Result<Response<GetTokenAuthorityResponse>, Status> {
        Err(Status::unavailable("the builder fetches tokens itself"))
    }

    async fn verify_token_authority(
        &self,
        _request: Request<VerifyTokenAuthorityRequest>,
    ) -> Result<Response<VerifyTokenAuthorityResponse>, Status> {
        Err(Status::unavailable("the builder fetches tokens itself"))
    }
}

/// The secrets of a build, keyed by id.
#[derive(Debug)]
pub(super) struct SecretStore(pub(super) BTreeMap<String, SecretSource>);

#[tonic::async_trait]
impl Secrets for SecretStore {
    async fn get_secret(
        &self,
        request: Request<GetSecretRequest>,
    ) -> Result<Response<GetSecretResponse>, Status> {
        let id = &request.get_ref().id;
        let data = match self.0.get(id) {
            Some(SecretSource::Value(value)) => value.clone(),
            Some(SecretSource::File(path)) => tokio::fs::read(path).await.map_err(|error| {
                Status::failed_precondition(format!(
                    "cannot read {} for secret {id}: {error}",
                    path.display()
                ))
            })?,
            None => return Err(Status::not_found(format!("secret {id}: not found"))),
        };
        if data.len() > LARGEST {
            return Err(Status::invalid_argument(format!(
                "secret {id} is larger than {LARGEST} bytes"
            )));
        }
        Ok(Response::new(GetSecretResponse { data }))
    }
}

/// Sockets of ssh agents, keyed by id.
#[derive(Debug)]
pub(super) struct Agents(pub(super) BTreeMap<String, std::path::PathBuf>);

impl Agents {
    fn socket(&self, id: &str) -> Result<&std::path::Path, Status> {
        let id = if id.is_empty() { "default" } else { id };
        self.0
            .get(id)
            .map(std::path::PathBuf::as_path)
            .ok_or_else(|| Status::not_found(format!("no ssh key {id:?} was offered")))
    }
}

#[tonic::async_trait]
impl Ssh for Agents {
    type ForwardAgentStream =
        Pin<Box<dyn futures::Stream<Item = Result<BytesMessage, Status>> + Send>>;

    async fn check_agent(
        &self,
        request: Request<CheckAgentRequest>,
    ) -> Result<Response<CheckAgentResponse>, Status> {
        self.socket(&request.get_ref().id)?;
        Ok(Response::new(CheckAgentResponse {}))
    }

    async fn forward_agent(
        &self,
        request: Request<Streaming<BytesMessage>>,
    ) -> Result<Response<Self::ForwardAgentStream>, Status> {
        let id = request
            .metadata()
            .get("buildkit.ssh.id")
            .and_then(|id| id.to_str().ok())
            .unwrap_or_default();
        forward(self.socket(id)?, request.into_inner()).await
    }
}

#[cfg(unix)]
async fn forward(
    socket: &std::path::Path,
    mut incoming: Streaming<BytesMessage>,
) -> Result<Response<<Agents as Ssh>::ForwardAgentStream>, Status> {
    use futures::StreamExt as _;
    use tokio::io::AsyncWriteExt as _;

    let agent = tokio::net::UnixStream::connect(socket)
        .await
        .map_err(|error| {
            Status::unavailable(format!(
                "cannot reach the ssh agent at {}: {error}",
                socket.display()
            ))
        })?;
    let (from_agent, mut to_agent) = agent.into_split();
    tokio::spawn(async move {
        while let Ok(Some(message)) = incoming.message().await {
            if to_agent.write_all(&message.data).await.is_err() {
                return;
            }
        }
    });
    let answers = tokio_util::io::ReaderStream::new(from_agent).map(|bytes| match bytes {
        Ok(bytes) => Ok(BytesMessage {
            data: bytes.to_vec(),
        }),
        Err(error) => Err(Status::unavailable(error.to_string())),
    });
    Ok(Response::new(Box::pin(answers)))
}

#[cfg(not(unix))]
async fn forward(
    _socket: &std::path::Path,
    _incoming: Streaming<BytesMessage>,
) -> Result<Response<<Agents as Ssh>::ForwardAgentStream>, Status> {
    Err(Status::unimplemented("ssh agents need a unix system"))
}
