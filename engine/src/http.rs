//! Asking servers over HTTP: registries, and what builds take from elsewhere.

use std::time::Duration;

use axum::body::Body;
use axum::http::header::{LOCATION, USER_AGENT};
use axum::http::{Request, Response, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use crate::{Error, Result};

/// More redirections are not followed.
const REDIRECTIONS: usize = 10;
/// How long the beginning of an answer, or its next piece, may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// What asks servers, with TLS and without.
pub(crate) type Client = legacy::Client<HttpsConnector<HttpConnector>, Body>;

/// A client that trusts the certificates of this machine.
///
/// # Errors
/// 500 when they cannot be read.
pub(crate) fn client() -> Result<Client> {
    let connector = HttpsConnectorBuilder::new()
        .with_native_roots()
        .map_err(|error| Error::internal(format!("certificates of this machine: {error}")))?
        .https_or_http()
        .enable_http1()
        .build();
    Ok(legacy::Client::builder(TokioExecutor::new()).build(connector))
}

/// What `http` and `https` addresses answer, redirections followed.
///
/// # Errors
/// 400 for what is no address, does not answer or answers with another status than success.
pub(crate) async fn get(url: &str) -> Result<Response<Body>> {
    let client = client()?;
    let refused = |error: &dyn std::fmt::Display| Error::bad_request(format!("{url}: {error}"));
    let mut uri: Uri = url.parse().map_err(|error| refused(&error))?;
    for _ in 0..=REDIRECTIONS {
        let request = Request::get(&uri)
            .header(USER_AGENT, concat!("rcompose/", env!("CARGO_PKG_VERSION")))
            .body(Body::empty())
            .map_err(|error| refused(&error))?;
        let answered = patient(url, client.request(request)).await?;
        let response = answered.map_err(|error| {
            let mut message = error.to_string();
            let mut source = std::error::Error::source(&error);
            while let Some(inner) = source {
                message = inner.to_string();
                source = inner.source();
            }
            refused(&message)
        })?;
        let status = response.status();
        if status.is_redirection()
            && let Some(place) = response.headers().get(LOCATION)
        {
            let place = place.to_str().map_err(|error| refused(&error))?;
            uri = redirected(&uri, place)?;
            continue;
        }
        if !status.is_success() {
            return Err(refused(&format!("the server answers with status {status}")));
        }
        return Ok(response.map(Body::new));
    }
    Err(refused(&"too many redirections"))
}

/// Waits for a part of an answer as long as one may take.
///
/// # Errors
/// 400 when it takes longer.
pub(crate) async fn patient<T>(url: &str, answer: impl Future<Output = T>) -> Result<T> {
    let late = |_| Error::bad_request(format!("{url}: the server does not answer"));
    tokio::time::timeout(PATIENCE, answer).await.map_err(late)
}

/// Where a redirection leads: no further than from TLS to TLS.
pub(crate) fn redirected(from: &Uri, target: &str) -> Result<Uri> {
    let scheme = from.scheme_str().unwrap_or("https");
    let authority = from
        .authority()
        .map(ToString::to_string)
        .unwrap_or_default();
    let uri = if target.starts_with('/') && !target.starts_with("//") {
        parsed(&format!("{scheme}://{authority}{target}"))?
    } else {
        parsed(target)?
    };
    if scheme == "https" && uri.scheme_str() != Some("https") {
        let message = format!("{authority} redirects to {target}, which is asked without TLS");
        return Err(Error::internal(message));
    }
    Ok(uri)
}

/// An address.
///
/// # Errors
/// Where it is none.
pub(crate) fn parsed(url: &str) -> Result<Uri> {
    let wrong = || Error::internal(format!("{url:?} is no address of a server"));
    let uri: Uri = url.parse().map_err(|_| wrong())?;
    match (uri.scheme_str(), uri.authority()) {
        (Some("http" | "https"), Some(_)) => Ok(uri),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirections_stay_with_tls() {
        let from: Uri = "https://a.x/v2/b".parse().unwrap();
        assert_eq!(
            redirected(&from, "/c?d").unwrap().to_string(),
            "https://a.x/c?d"
        );
        assert_eq!(
            redirected(&from, "https://e/f").unwrap().to_string(),
            "https://e/f"
        );
        assert!(redirected(&from, "http://a.x/c").is_err());
        assert!(redirected(&from, "//x").is_err());
    }
}
