//! `GET /events`.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use bollard_stubs::models::EventMessage;
use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream;
use jiff::Timestamp;
use serde::Deserialize;
use tokio::sync::broadcast::error::RecvError;

use super::Answer;
use super::Query;
use crate::engine::Engine;
use crate::filters::Filters;
use crate::{Error, Result};

const FILTERS: &[&str] = &[
    "config",
    "container",
    "daemon",
    "event",
    "image",
    "label",
    "network",
    "node",
    "plugin",
    "scope",
    "secret",
    "service",
    "type",
    "volume",
];

/// The routes of this file.
pub(super) fn routes() -> Router<Arc<Engine>> {
    Router::new().route("/events", get(events))
}

#[derive(Deserialize)]
struct Parameters {
    since: Option<String>,
    until: Option<String>,
    filters: Option<String>,
}

async fn events(State(engine): State<Arc<Engine>>, Query(parameters): Query<Parameters>) -> Answer {
    let filters = Filters::parse(parameters.filters.as_deref(), FILTERS)?;
    let since = parameters.since.as_deref().map(nanoseconds).transpose()?;
    let until = parameters.until.as_deref().map(nanoseconds).transpose()?;
    let (past, receiver) = engine.events.subscribe(since);
    let coming = stream::unfold(receiver, |mut receiver| async move {
        loop {
            match receiver.recv().await {
                Ok(event) => return Some((event, receiver)),
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return None,
            }
        }
    });
    let lines = stream::iter(past)
        .chain(coming)
        .filter(move |event| std::future::ready(passes(&filters, event)))
        .map(|event| line(&event))
        .take_until(deadline(until));
    let mut response = Response::new(Body::from_stream(lines));
    let json = axum::http::HeaderValue::from_static("application/json");
    response
        .headers_mut()
        .insert(axum::http::header::CONTENT_TYPE, json);
    Ok(response)
}

fn line(event: &EventMessage) -> Result<Bytes> {
    let mut text = serde_json::to_vec(event).map_err(Error::internal)?;
    text.push(b'\n');
    Ok(text.into())
}

/// Ends at a time (nanoseconds since 1970), or never.
async fn deadline(until: Option<i64>) {
    let Some(until) = until else {
        return std::future::pending().await;
    };
    let now = i64::try_from(Timestamp::now().as_nanosecond()).unwrap_or(i64::MAX);
    let left = u64::try_from(until - now).unwrap_or(0);
    tokio::time::sleep(std::time::Duration::from_nanos(left)).await;
}

/// A time of the API: seconds since 1970 with a fraction, or RFC 3339.
///
/// # Errors
/// 400 for anything else.
pub(crate) fn nanoseconds(text: &str) -> Result<i64> {
    let invalid = || Error::bad_request(format!("invalid time {text:?}"));
    if let Ok(time) = text.parse::<Timestamp>() {
        return i64::try_from(time.as_nanosecond()).map_err(|_| invalid());
    }
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let seconds: i64 = seconds.parse().map_err(|_| invalid())?;
    if fraction.len() > 9 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(invalid());
    }
    let fraction: i64 = format!("{fraction:0<9}").parse().map_err(|_| invalid())?;
    seconds
        .checked_mul(1_000_000_000)
        .and_then(|seconds| seconds.checked_add(fraction))
        .ok_or_else(invalid)
}

fn passes(filters: &Filters, event: &EventMessage) -> bool {
    let empty = std::collections::HashMap::new();
    let actor = event.actor.as_ref();
    let attributes = actor
        .and_then(|actor| actor.attributes.as_ref())
        .unwrap_or(&empty);
    let id = actor
        .and_then(|actor| actor.id.as_deref())
        .unwrap_or_default();
    let kind = event.typ.map(|kind| kind.to_string()).unwrap_or_default();
    let action = event.action.as_deref().unwrap_or_default();
    let name = attributes.get("name").map_or("", String::as_str);
    let is =
        |value: &str| value == id || value == name || (!value.is_empty() && id.starts_with(value));
    let of_kind = |filter: &str| {
        filters.values(filter).is_empty() || (kind == filter && filters.any(filter, is))
    };
    filters.any("type", |value| value == kind)
        && filters.any("event", |value| {
            value == action || action.split(':').next() == Some(value)
        })
        && ["container", "image", "network", "volume"]
            .into_iter()
            .all(of_kind)
        && filters.labels(attributes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read() {
        assert_eq!(nanoseconds("1").unwrap(), 1_000_000_000);
        assert_eq!(nanoseconds("1.5").unwrap(), 1_500_000_000);
        assert_eq!(nanoseconds("1970-01-01T00:00:02Z").unwrap(), 2_000_000_000);
        assert!(nanoseconds("soon").is_err());
        assert!(nanoseconds("1.x").is_err());
    }
}
