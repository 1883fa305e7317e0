//! `POST /containers/{id}/attach`, and what it shares with exec: connections that stop being HTTP.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::header::{CONNECTION, CONTENT_TYPE, UPGRADE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use axum::routing::post;
use bytes::{BufMut as _, Bytes, BytesMut};
use futures::{Stream, StreamExt as _, stream};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};

use super::logs::stream_type;
use super::{Answer, Query, is_true};
use crate::container::{Handle, logs, tell};
use crate::engine::Engine;
use crate::shim::{AttachRequest, Frame, Link, Session, Stream as From};
use crate::{Error, Result};

/// The routes of this file.
pub(super) fn routes() -> Router<Arc<Engine>> {
    Router::new().route("/containers/{id}/attach", post(attach))
}

#[derive(Deserialize)]
struct Parameters {
    stream: Option<String>,
    logs: Option<String>,
    stdin: Option<String>,
    stdout: Option<String>,
    stderr: Option<String>,
}

async fn attach(
    State(engine): State<Arc<Engine>>,
    Path(id): Path<String>,
    Query(parameters): Query<Parameters>,
    request: Request,
) -> Answer {
    let handle = engine.containers.get(&id)?;
    let record = handle.record();
    let multiplexed = !record.has_terminal();
    let wants = AttachRequest {
        stdin: is_true(parameters.stdin.as_deref()) && record.config.open_stdin == Some(true),
        stdout: is_true(parameters.stdout.as_deref()),
        stderr: is_true(parameters.stderr.as_deref()),
    };
    let past = if is_true(parameters.logs.as_deref()) {
        Some(past(&engine, &handle, wants, multiplexed).await?.boxed())
    } else {
        None
    };
    let session = if is_true(parameters.stream.as_deref()) {
        Some(session(&engine, &handle, wants).await?)
    } else {
        None
    };
    tell(&engine, &record, "attach", &[]);
    let past = past.unwrap_or_else(|| stream::empty().boxed());
    Ok(hijack(request, multiplexed, past, session, |_| ()))
}

async fn past(
    engine: &Arc<Engine>,
    handle: &Arc<Handle>,
    wants: AttachRequest,
    multiplexed: bool,
) -> Result<impl Stream<Item = Result<Bytes>> + Send + 'static> {
    let query = logs::Query {
        stdout: wants.stdout,
        stderr: wants.stderr,
        multiplexed,
        ..logs::Query::default()
    };
    logs::read(engine, handle, query).await
}

/// A session that is there, or will be when the container is started.
pub(super) enum Coming {
    /// It is there.
    Here(Session),
    /// It comes with the container's start.
    Later(tokio::sync::oneshot::Receiver<Link>),
}

async fn session(engine: &Engine, handle: &Handle, wants: AttachRequest) -> Result<Coming> {
    let live = handle.live();
    if live.record.state.is_up() {
        let run = engine.layout.container_run(&handle.id);
        let link = Link::ask(&run, &crate::shim::Request::Attach(wants)).await;
        // One that has just ended has nothing to say any more, as if attached too late.
        return link.map(|link| Coming::Here(link.session()));
    }
    if live.removed {
        return Err(Error::not_found(format!(
            "No such container: {}",
            handle.id
        )));
    }
    Ok(Coming::Later(handle.attach_later(wants)))
}

/// Answers a request whose connection becomes the streams of a process. `past` is sent first;
/// `ended` gets the process's exit code, when it has one. A client that asks for no upgrade
/// gets the output as an ordinary body, and no input.
pub(super) fn hijack(
    mut request: Request,
    multiplexed: bool,
    past: stream::BoxStream<'static, Result<Bytes>>,
    session: Option<Coming>,
    ended: impl FnOnce(i64) + Send + 'static,
) -> Response {
    let wants_upgrade = request.headers().contains_key(UPGRADE);
    let kind = HeaderValue::from_static(stream_type(multiplexed));
    if wants_upgrade && let Some(upgrade) = request.extensions_mut().remove::<OnUpgrade>() {
        tokio::spawn(async move {
            match upgrade.await {
                Ok(stream) => {
                    connect(TokioIo::new(stream), multiplexed, past, session, ended).await;
                }
                Err(error) => tracing::debug!("upgrade: {error}"),
            }
        });
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, kind);
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("tcp"));
        return response;
    }
    let (ours, theirs) = tokio::io::duplex(64 * 1024);
    tokio::spawn(connect(OutputOnly(ours), multiplexed, past, session, ended));
    let body = tokio_util::io::ReaderStream::new(theirs);
    let mut response = Response::new(Body::from_stream(body));
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

/// Copies both directions until the process ends. Its exit code is known before the client sees
/// the end, after which it asks for it.
async fn connect(
    client: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    multiplexed: bool,
    mut past: stream::BoxStream<'static, Result<Bytes>>,
    session: Option<Coming>,
    ended: impl FnOnce(i64) + Send + 'static,
) {
    let (mut reader, mut writer) = tokio::io::split(client);
    let mut is_there = true;
    while let Some(Ok(piece)) = past.next().await {
        is_there &= writer.write_all(&piece).await.is_ok();
    }
    let session = match session {
        Some(Coming::Here(session)) => Some(session),
        Some(Coming::Later(link)) => link.await.ok().map(Link::session),
        None => None,
    };
    let Some(session) = session else {
        let _ = writer.shutdown().await;
        return;
    };
    let Session {
        mut output,
        mut input,
        ..
    } = session;
    let typing = tokio::spawn(async move {
        let _ = tokio::io::copy(&mut reader, &mut input).await;
        let _ = input.shutdown().await;
        // Kept until the output has ended: dropping it would look like a client that has gone.
        (reader, input)
    });
    let mut code = None;
    while let Ok(Some(frame)) = output.next().await {
        code = frame.exit_code();
        if code.is_some() {
            break;
        }
        // The process goes on without its client, and its exit code is still wanted.
        if is_there {
            is_there = writer.write_all(&piece(&frame, multiplexed)).await.is_ok();
        }
    }
    // Without a code the shim was killed, and with it what it held.
    ended(code.unwrap_or(137));
    let _ = writer.flush().await;
    let _ = writer.shutdown().await;
    typing.abort();
}

/// Words of the engine's own as a process's output.
pub(super) fn message(text: &str, multiplexed: bool) -> Bytes {
    let frame = Frame {
        stream: From::Stdout,
        bytes: Bytes::copy_from_slice(text.as_bytes()),
    };
    piece(&frame, multiplexed)
}

fn piece(frame: &Frame, multiplexed: bool) -> Bytes {
    if !multiplexed {
        return frame.bytes.clone();
    }
    let mut bytes = BytesMut::with_capacity(frame.bytes.len() + 8);
    bytes.put_u32(if frame.stream == From::Stderr {
        0x0200_0000
    } else {
        0x0100_0000
    });
    bytes.put_u32(u32::try_from(frame.bytes.len()).unwrap_or(u32::MAX));
    bytes.put_slice(&frame.bytes);
    bytes.freeze()
}

/// A client whose input never comes and never ends.
struct OutputOnly(tokio::io::DuplexStream);

impl AsyncRead for OutputOnly {
    fn poll_read(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
        _: &mut tokio::io::ReadBuf<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        std::task::Poll::Pending
    }
}

impl AsyncWrite for OutputOnly {
    fn poll_write(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
        bytes: &[u8],
    ) -> std::task::Poll<std::io::Result<usize>> {
        std::pin::Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        std::pin::Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        std::pin::Pin::new(&mut self.0).poll_shutdown(context)
    }
}
