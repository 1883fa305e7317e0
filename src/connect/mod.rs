//! Which engine: `--engine`, `RCOMPOSE_ENGINE`, `DOCKER_HOST`, docker contexts, otherwise the
//! Docker or Podman socket that answers, otherwise the bundled engine.
//!
//! `endpoint::candidates` lists where an engine may be, purely from options,
//! environment and configuration files; [`connect`] asks them in order and takes the first
//! that answers. The bundled engine comes last and is started if need be, unless another one was
//! chosen: an engine that was asked for and does not answer is never replaced. The answer to one ping tells the API version, so nothing else is asked.

pub mod bundled;
mod context;
mod endpoint;
mod probe;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bollard::{BollardRequest, ClientVersion, Docker};

pub use bundled::Intent;
pub use endpoint::{Address, Tls, docker_config_folder};

use crate::plan::observed::ApiVersion;
use crate::run::Error;
use bundled::Decision;
use endpoint::Candidates;
use probe::Pong;

/// How long one request may take: a stop with a long grace period, or a pull that waits in a
/// queue, answers late, and whoever is in a hurry presses Ctrl-C.
const REQUEST_TIMEOUT_SECONDS: u64 = 24 * 60 * 60;

/// How long a place may take to answer the ping.
const PING_TIMEOUT: Duration = Duration::from_secs(20);

/// What the client library speaks.
const NEWEST_API: ApiVersion = ApiVersion::v1(53);

/// A connection to an engine that has answered.
#[derive(Debug, Clone)]
pub struct Engine {
    /// The client.
    pub docker: Docker,
    /// The API version both sides speak.
    pub api: ApiVersion,
    /// Whether the engine is part of an active swarm.
    pub swarm: bool,
    /// Whether it is Podman.
    pub podman: bool,
    /// Whether it is the bundled engine.
    pub bundled: bool,
    /// Where it is.
    pub address: Address,
    /// The engine's clock when it answered, in Unix seconds, and when that was here. Events
    /// since then can be asked for, so that none is missed between looking and listening.
    pub clock: Option<(i64, Instant)>,
}

impl Engine {
    /// Path of the engine's socket on its own host, for containers that talk to it.
    pub fn socket_path(&self) -> Option<String> {
        match &self.address {
            Address::Unix(path) => Some(path.to_string_lossy().into_owned()),
            _ => None,
        }
    }
}

/// Finds the engine to use and connects to it.
///
/// `choice` is `--engine` or `RCOMPOSE_ENGINE`; `env` is the environment of the process; `intent`
/// is what for, since an engine that has never been used is not started to be looked at.
///
/// # Errors
/// When the choice is not understood, or nothing answers: the message says what was tried.
pub async fn connect(
    choice: Option<&str>,
    env: &BTreeMap<String, String>,
    intent: Intent,
) -> Result<Engine, Error> {
    let candidates = endpoint::candidates(choice, env)?;
    let mut tried = Vec::new();
    for address in &candidates.addresses {
        match try_address(address, env).await {
            Ok(engine) => return Ok(engine),
            Err(reason) => tried.push(format!("{address} ({reason})")),
        }
    }
    let Some(address) = candidates.addresses.last().filter(|_| candidates.bundled) else {
        return Err(nothing_answers(&candidates, &tried));
    };
    let chosen = candidates.chosen_by.is_some();
    match bundled::start(env, chosen, intent).await? {
        Decision::Start => {}
        // One that is there and not for this user has been used, by somebody else.
        Decision::Pointless if !refused(&tried) => {
            return Err(nothing_answers(&candidates, &tried));
        }
        Decision::Pointless | Decision::Forbidden => {
            let message = format!("no container engine answers: tried {}", tried.join(", "));
            return Err(Error::new(message).remedy(bundled::NEEDS_ROOT));
        }
    }
    match try_address(address, env).await {
        Ok(engine) => Ok(engine),
        Err(reason) => Err(nothing_answers(
            &candidates,
            &[format!("{address} ({reason})")],
        )),
    }
}

/// Whether the last place is there, and not for this user.
fn refused(tried: &[String]) -> bool {
    tried
        .last()
        .is_some_and(|place| place.ends_with("(permission denied)"))
}

async fn try_address(address: &Address, env: &BTreeMap<String, String>) -> Result<Engine, String> {
    let asked = Instant::now();
    let pong = match tokio::time::timeout(PING_TIMEOUT, probe::ping(address)).await {
        Ok(result) => result?,
        Err(_) => return Err("no answer in time".to_owned()),
    };
    let docker = client(address, NEWEST_API)?;
    let (docker, pong) = match pong {
        Some(pong) => (docker, pong),
        None => negotiate(docker).await?,
    };
    let wanted = env
        .get("DOCKER_API_VERSION")
        .and_then(|text| parse_version(text));
    let api = wanted.unwrap_or(NEWEST_API.min(pong.api));
    Ok(Engine {
        docker: pin_version(docker, api),
        api,
        swarm: pong.swarm,
        podman: pong.podman,
        bundled: pong.bundled,
        address: address.clone(),
        clock: pong.date.map(|date| (date, asked)),
    })
}

/// Asks the version through the client, for transports that the probe does not speak.
async fn negotiate(docker: Docker) -> Result<(Docker, Pong), String> {
    let answer = tokio::time::timeout(PING_TIMEOUT, docker.version()).await;
    let version = match answer {
        Ok(Ok(version)) => version,
        Ok(Err(error)) => return Err(describe(&error)),
        Err(_) => return Err("no answer in time".to_owned()),
    };
    let podman = version
        .components
        .iter()
        .flatten()
        .any(|component| component.name.starts_with("Podman"));
    let bundled = version
        .platform
        .is_some_and(|platform| platform.name == "rcompose engine");
    let api = version.api_version.as_deref().and_then(parse_version);
    let pong = Pong {
        api: api.ok_or("does not tell its API version")?,
        swarm: false,
        podman,
        bundled,
        date: None,
    };
    Ok((docker, pong))
}

fn client(address: &Address, api: ApiVersion) -> Result<Docker, String> {
    let version = ClientVersion {
        major_version: api.major as usize,
        minor_version: api.minor as usize,
    };
    let docker = match address {
        #[cfg(unix)]
        Address::Unix(path) => {
            Docker::connect_with_unix(&path.to_string_lossy(), REQUEST_TIMEOUT_SECONDS, &version)
        }
        #[cfg(not(unix))]
        Address::Unix(_) => return Err("unix sockets need a unix system".to_owned()),
        #[cfg(windows)]
        Address::Pipe(pipe) => {
            Docker::connect_with_named_pipe(pipe, REQUEST_TIMEOUT_SECONDS, &version)
        }
        #[cfg(not(windows))]
        Address::Pipe(_) => return Err("named pipes need Windows".to_owned()),
        Address::Tcp { host, tls: None } => {
            Docker::connect_with_http(host, REQUEST_TIMEOUT_SECONDS, &version)
        }
        Address::Tcp {
            host,
            tls: Some(tls),
        } => Docker::connect_with_ssl(
            host,
            &tls.key,
            &tls.cert,
            &tls.ca,
            REQUEST_TIMEOUT_SECONDS,
            &version,
        ),
        Address::Ssh(url) => Docker::connect_with_ssh(url, REQUEST_TIMEOUT_SECONDS, &version, None),
    };
    docker.map_err(|error| describe(&error))
}

/// Makes every request name the API version, so that engines newer than this program answer
/// in the form it knows.
fn pin_version(docker: Docker, api: ApiVersion) -> Docker {
    let prefix = format!("/v{api}");
    docker.with_request_modifier(move |request| with_prefix(request, &prefix))
}

fn with_prefix(mut request: BollardRequest, prefix: &str) -> BollardRequest {
    let uri = request.uri();
    let path = uri
        .path_and_query()
        .map_or("/", |path_and_query| path_and_query.as_str());
    if path.starts_with("/v1.") {
        return request;
    }
    let mut parts = uri.clone().into_parts();
    if let Ok(prefixed) = format!("{prefix}{path}").parse() {
        parts.path_and_query = Some(prefixed);
        if let Ok(uri) = parts.try_into() {
            *request.uri_mut() = uri;
        }
    }
    request
}

/// Reads "1.41".
fn parse_version(text: &str) -> Option<ApiVersion> {
    let (major, minor) = text.trim().trim_start_matches('v').split_once('.')?;
    Some(ApiVersion {
        major: major.parse().ok()?,
        minor: minor.parse().ok()?,
    })
}

/// The innermost cause of a client error, which names the real problem.
fn describe(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string().to_lowercase()
}

fn nothing_answers(candidates: &Candidates, tried: &[String]) -> Error {
    let tried = tried.join(", ");
    match &candidates.chosen_by {
        Some(origin) => Error::new(format!("no engine answers at {tried}"))
            .remedy(format!("start it, or change {origin}")),
        None => Error::new(format!("no container engine answers: tried {tried}"))
            .remedy(if candidates.bundled {
                "`rcompose up` starts the bundled engine, which has never been used; or start Docker or \
                 Podman, or name the engine with --engine or DOCKER_HOST"
            } else {
                "start Docker or Podman, or name the engine with --engine or DOCKER_HOST"
            }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read() {
        assert_eq!(parse_version("1.41"), Some(ApiVersion::v1(41)));
        assert_eq!(parse_version("v1.53"), Some(ApiVersion::v1(53)));
        assert_eq!(parse_version("nonsense"), None);
    }

    #[tokio::test]
    async fn nothing_answering_says_what_was_tried() {
        let env = BTreeMap::from([(
            "DOCKER_HOST".to_owned(),
            "unix:///nonexistent/docker.sock".to_owned(),
        )]);
        let error = connect(None, &env, Intent::Make)
            .await
            .expect_err("nothing is there");
        assert!(
            error.message.contains("/nonexistent/docker.sock"),
            "{error}"
        );
        assert!(
            error
                .remedy
                .is_some_and(|text| text.contains("DOCKER_HOST"))
        );
    }
}
