//! Answers that tell a long work's progress: one JSON object a line.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::Body;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use bytes::Bytes;
use futures::{StreamExt as _, stream};
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::Answer;
use crate::{Error, Result};

/// Where a work tells its progress.
#[derive(Debug, Clone)]
pub(crate) struct Lines {
    sender: UnboundedSender<Result<Bytes>>,
    has_begun: Arc<AtomicBool>,
}

impl Lines {
    /// Sends one object. Nobody listening is no error.
    pub(crate) fn send(&self, value: &Value) {
        self.has_begun.store(true, Ordering::Relaxed);
        let _ = self.sender.send(Ok(Bytes::from(format!("{value}\r\n"))));
    }

    /// Waits until nobody listens any more.
    pub(crate) async fn left(&self) {
        self.sender.closed().await;
    }

    /// Sends words for a person.
    pub(crate) fn say(&self, text: &str) {
        self.send(&json!({ "stream": text }));
    }
}

/// Answers with what `work` tells. It fails as any request before it told something, and with an
/// `error` line after. It goes on when the client leaves.
pub(super) async fn lines<F>(work: impl FnOnce(Lines) -> F) -> Answer
where
    F: Future<Output = Result<()>> + Send + 'static,
{
    let (sender, mut receiver) = unbounded_channel();
    let lines = Lines {
        sender,
        has_begun: Arc::default(),
    };
    let working = work(lines.clone());
    tokio::spawn(async move {
        let Err(error) = working.await else { return };
        if lines.has_begun.load(Ordering::Relaxed) {
            let message = error.message;
            lines.send(&json!({ "errorDetail": { "message": message }, "error": message }));
        } else {
            let _ = lines.sender.send(Err(error));
        }
    });
    let first = receiver.recv().await.transpose()?;
    let rest = stream::poll_fn(move |context| receiver.poll_recv(context));
    let body = stream::iter(first.map(Ok::<_, Error>)).chain(rest);
    let mut response = Response::new(Body::from_stream(body));
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}
