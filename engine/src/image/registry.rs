//! What registries are asked: manifests and blobs, with a token where they want one.

use std::io;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::header::{
    ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, LOCATION, WWW_AUTHENTICATE,
};
use axum::http::{Method, Request, Response, StatusCode, request};
use bytes::Bytes;
use futures::{Stream, StreamExt as _, stream};
use serde::Deserialize;

use super::Reference;
use super::credentials::{Challenge, Credentials};
use super::reference::DEFAULT_REGISTRY;
use crate::http::{self, parsed, redirected};
use crate::{Error, Result};

/// Where the default registry answers.
const DEFAULT_HOST: &str = "registry-1.docker.io";
/// Manifests and tokens are smaller; bytes.
const LARGEST: usize = 8 << 20;
/// How long the beginning of an answer, or its next piece, may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// More redirections are not followed.
const REDIRECTIONS: usize = 5;

/// One repository of a registry.
pub(super) struct Registry {
    client: http::Client,
    /// `https://host[:port]`.
    base: String,
    repository: String,
    credentials: Credentials,
    /// The value of `Authorization` that the registry wants.
    authorization: Mutex<Option<String>>,
}

/// What a token server answers.
#[derive(Deserialize)]
struct Token {
    #[serde(default)]
    token: String,
    #[serde(default)]
    access_token: String,
}

impl Registry {
    /// The repository of a reference. Registries on this machine are asked without TLS.
    ///
    /// # Errors
    /// 500 when the machine's certificates cannot be read.
    pub(super) fn new(reference: &Reference, credentials: Credentials) -> Result<Self> {
        let host = match reference.registry.as_str() {
            DEFAULT_REGISTRY => DEFAULT_HOST,
            host => host,
        };
        let scheme = if is_loopback(host) { "http" } else { "https" };
        Ok(Self {
            client: http::client()?,
            base: format!("{scheme}://{host}"),
            repository: reference.repository.clone(),
            authorization: Mutex::new(credentials.bearer()),
            credentials,
        })
    }

    /// The same, asked without TLS wherever it is.
    pub(super) fn in_the_clear(mut self) -> Self {
        self.base = self.base.replacen("https://", "http://", 1);
        self
    }

    /// The bytes of a manifest, by tag or digest.
    ///
    /// # Errors
    /// 404 when there is none or it may not be seen, 500 when the registry does not answer.
    pub(super) async fn manifest(&self, reference: &str, accept: &str) -> Result<Vec<u8>> {
        let url = format!("{}/v2/{}/manifests/{reference}", self.base, self.repository);
        let response = self.get(&url, accept).await?;
        let bytes = self.small(response, &url).await?;
        Ok(bytes)
    }

    /// The body of a blob.
    ///
    /// # Errors
    /// As of [`Registry::manifest`].
    pub(super) async fn blob(&self, digest: &str) -> Result<Body> {
        let url = format!("{}/v2/{}/blobs/{digest}", self.base, self.repository);
        Ok(patient(self.get(&url, "*/*").await?.into_body()))
    }

    /// Whether the repository has a blob.
    ///
    /// # Errors
    /// 403 when it may not be asked, 500 when the registry does not answer.
    pub(super) async fn has_blob(&self, digest: &str) -> Result<bool> {
        let url = format!("{}/v2/{}/blobs/{digest}", self.base, self.repository);
        let response = self.ask(&Method::HEAD, &url).await?;
        match response.status() {
            StatusCode::OK => Ok(true),
            StatusCode::NOT_FOUND => Ok(false),
            status => Err(refused(status, &url)),
        }
    }

    /// Uploads a blob of `size` bytes in one piece, as the distribution specification's "POST then PUT" does.
    ///
    /// # Errors
    /// As of [`Registry::has_blob`].
    pub(super) async fn upload(
        &self,
        digest: &str,
        size: u64,
        pieces: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
    ) -> Result<()> {
        let url = format!("{}/v2/{}/blobs/uploads/", self.base, self.repository);
        let response = self.ask(&Method::POST, &url).await?;
        if response.status() != StatusCode::ACCEPTED {
            return Err(refused(response.status(), &url));
        }
        let place = response.headers().get(LOCATION);
        let place = place
            .and_then(|place| place.to_str().ok())
            .unwrap_or_default();
        let place = redirected(&parsed(&url)?, place)?;
        let separator = if place.query().is_some() { '&' } else { '?' };
        let request = Request::put(format!("{place}{separator}digest={digest}"))
            .header(CONTENT_TYPE, "application/octet-stream")
            .header(CONTENT_LENGTH, size);
        let is_own = place.authority() == parsed(&self.base)?.authority();
        let authorization = self.authorization().filter(|_| is_own);
        let moved = Arc::<AtomicBool>::default();
        let moving = Arc::clone(&moved);
        let pieces = pieces.inspect(move |_| moving.store(true, Ordering::Relaxed));
        let body = Body::from_stream(pieces);
        self.put(request, authorization, body, &moved).await
    }

    /// Stores a manifest under a tag.
    ///
    /// # Errors
    /// As of [`Registry::has_blob`].
    pub(super) async fn put_manifest(&self, tag: &str, kind: &str, text: Vec<u8>) -> Result<()> {
        let url = format!("{}/v2/{}/manifests/{tag}", self.base, self.repository);
        let request = Request::put(url).header(CONTENT_TYPE, kind);
        let body = Body::from(text);
        self.put(request, self.authorization(), body, &AtomicBool::default())
            .await
    }

    /// Sends a body; `moved` is set while pieces of it go.
    async fn put(
        &self,
        mut request: request::Builder,
        authorization: Option<String>,
        body: Body,
        moved: &AtomicBool,
    ) -> Result<()> {
        if let Some(value) = authorization {
            request = request.header(AUTHORIZATION, value);
        }
        let request = request.body(body).map_err(Error::internal)?;
        let url = request.uri().to_string();
        let failed = |why: &str| Error::internal(format!("Put \"{url}\": {why}"));
        let mut answer = pin!(self.client.request(request));
        let response = loop {
            match tokio::time::timeout(PATIENCE, &mut answer).await {
                Ok(response) => break response.map_err(|error| failed(&reason(&error)))?,
                // A large body takes as long as it takes.
                Err(_) if moved.swap(false, Ordering::Relaxed) => {}
                Err(_) => return Err(failed("the registry does not answer")),
            }
        };
        let others = [
            StatusCode::UNAUTHORIZED,
            StatusCode::FORBIDDEN,
            StatusCode::TOO_MANY_REQUESTS,
        ];
        match response.status() {
            status if status.is_success() => Ok(()),
            status if status.is_client_error() && !others.contains(&status) => {
                let message = format!("Put \"{url}\": the registry answers {status}");
                Err(Error::bad_request(message))
            }
            status => Err(refused(status, &url)),
        }
    }

    /// Sends a request without body, again with what the registry wants.
    async fn ask(&self, method: &Method, url: &str) -> Result<Response<Body>> {
        let request = |authorization: Option<String>| {
            let mut request = Request::builder().method(method).uri(url);
            if let Some(value) = authorization {
                request = request.header(AUTHORIZATION, value);
            }
            request.body(Body::empty()).map_err(Error::internal)
        };
        let response = self.send(request(self.authorization())?).await?;
        if response.status() != StatusCode::UNAUTHORIZED {
            return Ok(response);
        }
        let authorization = self.authorize(&challenge(&response)).await?;
        self.send(request(Some(authorization))?).await
    }

    async fn get(&self, url: &str, accept: &str) -> Result<Response<Body>> {
        let authorization = self.authorization();
        let response = self.follow(url, accept, authorization).await?;
        let response = match response.status() {
            StatusCode::UNAUTHORIZED => {
                let challenge = challenge(&response);
                drop(response);
                let authorization = self.authorize(&challenge).await?;
                self.follow(url, accept, Some(authorization)).await?
            }
            _ => response,
        };
        match response.status() {
            StatusCode::OK => Ok(response),
            status => Err(refused(status, url)),
        }
    }

    fn authorization(&self) -> Option<String> {
        let known = self.authorization.lock();
        known.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Follows redirections; what the registry wants to know is not for other hosts.
    async fn follow(
        &self,
        url: &str,
        accept: &str,
        mut authorization: Option<String>,
    ) -> Result<Response<Body>> {
        let mut url = parsed(url)?;
        for _ in 0..REDIRECTIONS {
            let mut request = Request::get(url.clone()).header(ACCEPT, accept);
            if let Some(value) = &authorization {
                request = request.header(AUTHORIZATION, value);
            }
            let request = request.body(Body::empty()).map_err(Error::internal)?;
            let response = self.send(request).await?;
            if !response.status().is_redirection() {
                return Ok(response);
            }
            let target = response.headers().get(LOCATION);
            let target = target
                .and_then(|target| target.to_str().ok())
                .unwrap_or_default();
            let next = redirected(&url, target)?;
            if next.authority() != url.authority() || next.scheme() != url.scheme() {
                authorization = None;
            }
            url = next;
        }
        Err(Error::internal(format!(
            "Get \"{url}\": too many redirections"
        )))
    }

    async fn send(&self, request: Request<Body>) -> Result<Response<Body>> {
        let what = format!("{} \"{}\"", title(request.method()), request.uri());
        let failed = |error: &dyn std::fmt::Display| Error::internal(format!("{what}: {error}"));
        match tokio::time::timeout(PATIENCE, self.client.request(request)).await {
            Ok(Ok(response)) => Ok(response.map(Body::new)),
            Ok(Err(error)) => Err(failed(&reason(&error))),
            Err(_) => Err(failed(&"the registry does not answer")),
        }
    }

    async fn small(&self, response: Response<Body>, url: &str) -> Result<Vec<u8>> {
        let failed = |error| Error::internal(format!("Get {url:?}: {error}"));
        let bytes = to_bytes(response.into_body(), LARGEST).await;
        Ok(bytes.map_err(failed)?.to_vec())
    }

    /// Gets what the registry wants, as it says with its refusal.
    async fn authorize(&self, challenge: &str) -> Result<String> {
        let denied = || refused(StatusCode::UNAUTHORIZED, &self.base);
        let value = match Challenge::parse(challenge).ok_or_else(denied)? {
            Challenge::Basic => self.credentials.basic().ok_or_else(denied)?,
            Challenge::Bearer {
                realm,
                service,
                scope,
            } => {
                let scope = scope.unwrap_or_else(|| format!("repository:{}:pull", self.repository));
                self.token(&realm, &service.unwrap_or_default(), &scope)
                    .await?
            }
        };
        *self
            .authorization
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(value.clone());
        Ok(value)
    }

    async fn token(&self, realm: &str, service: &str, scope: &str) -> Result<String> {
        let url = parsed(realm)?;
        let is_safe = url.scheme_str() == Some("https") || url.host().is_some_and(is_loopback);
        if !is_safe {
            return Err(Error::internal(format!(
                "the registry wants a token of {realm}, which is asked without TLS"
            )));
        }
        let pairs = [("service", service), ("scope", scope)];
        let request = if let Some(identity) = &self.credentials.identity_token {
            let more = [
                ("grant_type", "refresh_token"),
                ("client_id", "rcompose"),
                ("refresh_token", identity),
            ];
            let form = serde_urlencoded::to_string([&pairs[..], &more].concat());
            Request::post(url)
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(Body::from(form.map_err(Error::internal)?))
        } else {
            let query = serde_urlencoded::to_string(pairs).map_err(Error::internal)?;
            let separator = if realm.contains('?') { '&' } else { '?' };
            let mut request = Request::get(format!("{realm}{separator}{query}"));
            if let Some(basic) = self.credentials.basic() {
                request = request.header(AUTHORIZATION, basic);
            }
            request.body(Body::empty())
        };
        let response = self.send(request.map_err(Error::internal)?).await?;
        if response.status() != StatusCode::OK {
            return Err(refused(response.status(), realm));
        }
        let bytes = self.small(response, realm).await?;
        let wrong = |error| Error::internal(format!("the token of {realm}: {error}"));
        let token: Token = serde_json::from_slice(&bytes).map_err(wrong)?;
        let text = if token.token.is_empty() {
            token.access_token
        } else {
            token.token
        };
        Ok(format!("Bearer {text}"))
    }
}

/// How the registry wants to be asked.
fn challenge(response: &Response<Body>) -> String {
    let challenge = response.headers().get(WWW_AUTHENTICATE);
    let challenge = challenge.and_then(|text| text.to_str().ok());
    challenge.unwrap_or_default().to_owned()
}

fn refused(status: StatusCode, url: &str) -> Error {
    match status {
        StatusCode::NOT_FOUND => Error::not_found("manifest unknown"),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Error::forbidden(
            "repository does not exist or may require authorization: access is denied",
        ),
        StatusCode::TOO_MANY_REQUESTS => {
            Error::internal("toomanyrequests: the registry wants fewer requests")
        }
        status => Error::internal(format!("Get {url:?}: the registry answers {status}")),
    }
}

/// A body that ends with an error when nothing comes for a while.
fn patient(body: Body) -> Body {
    let pieces = body.into_data_stream();
    Body::from_stream(stream::unfold(pieces, |mut pieces| async {
        match tokio::time::timeout(PATIENCE, pieces.next()).await {
            Ok(Some(piece)) => Some((piece.map_err(io::Error::other), pieces)),
            Ok(None) => None,
            Err(_) => Some((Err(io::ErrorKind::TimedOut.into()), pieces)),
        }
    }))
}

fn title(method: &Method) -> &'static str {
    match *method {
        Method::POST => "Post",
        Method::HEAD => "Head",
        _ => "Get",
    }
}

/// The innermost cause: the outer ones only say that something failed.
fn reason(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

/// Whether a host, with or without port, is this machine.
fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    let address: Option<IpAddr> = name.parse().ok();
    name == "localhost" || address.is_some_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_asked_without_tls() {
        for host in ["localhost", "localhost:5000", "127.0.0.1:1", "[::1]:5000"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["localhost.x", "registry:5000", "10.0.0.1", "[fe80::1]:1"] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
