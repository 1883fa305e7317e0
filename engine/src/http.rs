//! Asking servers over HTTP: registries, and what builds take from elsewhere.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::http::header::{LOCATION, USER_AGENT};
use axum::http::{Request, Response, Uri};
use futures::StreamExt as _;
use futures::stream::unfold;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::time::timeout;

use crate::{Error, Result};

/// More redirections are not followed.
const REDIRECTIONS: usize = 10;
/// How long the beginning of an answer, or its next piece, may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is said of a server that goes on for longer without a word.
const SILENT: &str = "the server does not answer";

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

/// What `http` and `https` addresses answer, redirections followed. Its body fails when the next piece does not come.
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
        let answered = timeout(PATIENCE, client.request(request)).await;
        let response = answered.map_err(|_| refused(&SILENT))?.map_err(|error| {
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
            uri = redirected(&uri, place).map_err(|error| refused(&error))?;
            continue;
        }
        if !status.is_success() {
            return Err(refused(&format!("the server answers with status {status}")));
        }
        return Ok(response.map(|body| lasting(Body::new(body), PATIENCE)));
    }
    Err(refused(&"too many redirections"))
}

/// A body whose pieces each come within `patience`, or an error does.
fn lasting(body: Body, patience: Duration) -> Body {
    let next = move |mut pieces: BodyDataStream| async move {
        let piece = match timeout(patience, pieces.next()).await {
            Ok(piece) => piece?,
            Err(_) => Err(axum::Error::new(SILENT)),
        };
        Some((piece, pieces))
    };
    Body::from_stream(unfold(body.into_data_stream(), next))
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

    #[tokio::test]
    async fn a_server_that_falls_silent_is_not_waited_for() {
        let pieces = futures::stream::iter([Ok::<_, Error>("piece")]);
        let silent = Body::from_stream(pieces.chain(futures::stream::pending()));
        let mut pieces = lasting(silent, Duration::from_millis(50)).into_data_stream();
        assert_eq!(pieces.next().await.unwrap().unwrap(), "piece");
        let error = pieces.next().await.unwrap().unwrap_err();
        assert_eq!(error.to_string(), SILENT);
        let whole = lasting(Body::from("all"), Duration::from_millis(50));
        let mut pieces = whole.into_data_stream();
        assert_eq!(pieces.next().await.unwrap().unwrap(), "all");
        assert!(pieces.next().await.is_none());
    }

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
