//! What a client hands over before a build, `POST /build/secrets` and `POST /build/context`, and the context that comes with
//! the build.

use std::collections::BTreeMap;
use std::io::{BufReader, Read};
use std::sync::{Arc, Weak};

use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Json, Router};
use base64::Engine as _;
use serde::Deserialize;

use super::build::{decoded, registries};
use super::build_remote;
use super::{Answer, Query};
use crate::archive::{Root, Unpack, body_reader, decompress, unpack_noting};
use crate::build::{Build, Context, Handed, Manifest, PATIENCE};
use crate::container::blocking;
use crate::engine::Engine;
use crate::{Error, Result};

/// Bytes of a manifest, and of the secrets of a build.
const LARGEST_BODY: usize = 64 << 20;

/// Bytes of a context that are read at once.
const CHUNK: usize = 1 << 18;

/// The routes of this file.
pub(super) fn routes() -> Router<Arc<Engine>> {
    Router::new()
        .route("/build/secrets", post(offer))
        .route("/build/context", post(compare))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
}

#[derive(Debug, Deserialize)]
struct Session {
    session: Option<String>,
    agents: Option<String>,
    context: Option<String>,
    place: Option<String>,
    host: Option<String>,
    uncached: Option<String>,
}

/// The secrets of the build that will have the same `session`, Base64 by id, in `X-Registry-Config` the credentials of
/// registries, in `agents` the sockets of ssh agents on this machine, by id, in `host` a `HostConfig` whose `Ulimits`, `ShmSize`,
/// `Memory` and `Privileged` count, in `uncached` the stages that take nothing from the cache, and in `context` a fingerprint of the context: the
/// answer is 200 where that is here, and 202 where it has to be sent. Docker has no such path: with BuildKit its clients serve
/// all that to the engine.
async fn offer(
    State(engine): State<Arc<Engine>>,
    Query(asked): Query<Session>,
    headers: HeaderMap,
    Json(encoded): Json<BTreeMap<String, String>>,
) -> Answer<StatusCode> {
    let decode = |(id, value): (String, String)| {
        let value = base64::prelude::BASE64_STANDARD.decode(value);
        let value = value.map_err(|_| Error::bad_request(format!("secret {id} is not Base64")))?;
        Ok((id, value))
    };
    let handed = Handed {
        secrets: encoded.into_iter().map(decode).collect::<Result<_>>()?,
        auth: registries(&headers)?,
        agents: decoded("agents", asked.agents.as_deref())?,
        host: decoded("host", asked.host.as_deref())?,
        uncached: decoded("uncached", asked.uncached.as_deref())?,
        context: asked
            .context
            .as_ref()
            .and_then(|fingerprint| engine.secrets.contexts.take(fingerprint)),
        fingerprint: asked.context.filter(|fingerprint| !fingerprint.is_empty()),
    };
    let status = match handed.context {
        Some(_) => StatusCode::OK,
        None => StatusCode::ACCEPTED,
    };
    let session = asked.session.unwrap_or_default();
    let later = Arc::downgrade(&engine);
    blocking(move || engine.secrets.offer(&session, handed)).await?;
    tokio::spawn(forget(later));
    Ok(status)
}

/// Forgets what was handed over for a build that has not begun when it should have.
async fn forget(engine: Weak<Engine>) {
    tokio::time::sleep(PATIENCE).await;
    tokio::task::spawn_blocking(move || {
        if let Some(engine) = engine.upgrade() {
            engine.secrets.forget_late();
        }
    });
}

/// The manifest of a context that was not here, for the build that will have the same `session`; `place` is the client's name
/// for where it has it. Answers the numbers of the paths that have to be sent, from 0; `null` for all of them.
async fn compare(
    State(engine): State<Arc<Engine>>,
    Query(asked): Query<Session>,
    body: Bytes,
) -> Answer<Json<Option<Vec<usize>>>> {
    let session = asked.session.unwrap_or_default();
    let place = asked.place.unwrap_or_default();
    let wanted = blocking(move || {
        let mut manifest = Manifest::parse(&body)?;
        let kept = engine.secrets.contexts.take_of(&place);
        if let Some(mut context) = kept {
            match context.turn_into(&mut manifest) {
                Ok(Some(wanted)) => {
                    engine.secrets.add_context(&session, context)?;
                    return Ok(Some(wanted));
                }
                Ok(None) => {}
                Err(error) => tracing::error!("a kept build context: {error}"),
            }
            remove_later(context);
        }
        let context = Context::awaited(engine.images.temporary(), place, manifest);
        engine.secrets.add_context(&session, context)?;
        Ok(None)
    });
    Ok(Json(wanted.await?))
}

/// The context of a build that begins: the one that is here already, or an empty one.
pub(super) fn context(engine: &Engine, kept: Option<Context>) -> Context {
    kept.unwrap_or_else(|| Context::new(engine.images.temporary(), 0))
}

/// Puts what comes into the context's folder, and answers how many bytes have come for that.
pub(super) async fn receive(
    body: Body,
    remote: Option<&str>,
    mut context: Context,
    request: &mut Build,
) -> Result<(Context, u64)> {
    let failed = |error: std::io::Error| Error::bad_request(format!("build context: {error}"));
    let is_remote = remote.is_some();
    let mut reader = Counted(BufReader::with_capacity(CHUNK, body_reader(body)), 0);
    let (context, count) = blocking(move || {
        let folder = context.folder();
        std::fs::create_dir_all(folder).map_err(failed)?;
        let root = Root::open(folder).map_err(failed)?;
        let unpacked = if is_remote {
            Ok(crate::archive::Unpacked::default())
        } else {
            decompress(&mut reader)
                .and_then(|reader| unpack_noting(&root, reader, Unpack::default()))
        };
        // A client that is still sending would see a broken connection instead of the answer.
        let _ = std::io::copy(&mut reader, &mut std::io::sink());
        context.receive(unpacked.map_err(failed)?, reader.1);
        Ok((context, reader.1))
    })
    .await?;
    if let Some(remote) = remote {
        match build_remote::fetch(remote, &request.context, &request.canceled).await {
            Ok(folder) => request.context = folder,
            Err(error) => {
                remove_later(context);
                return Err(error);
            }
        }
    }
    Ok((context, count))
}

/// Keeps a context for the next build where the client has a name for it and all of it is there; otherwise removes it.
pub(super) fn dispose(engine: &Engine, fingerprint: Option<String>, context: Context) {
    let is_whole = context.digests.are_of_a_whole();
    let surplus = match fingerprint.filter(|_| is_whole) {
        Some(fingerprint) => engine.secrets.contexts.keep(fingerprint, context),
        None => vec![(String::new(), context)],
    };
    remove_later(surplus);
}

/// Drops contexts, whose folders go with them, while nobody waits for it.
fn remove_later(surplus: impl Send + 'static) {
    tokio::task::spawn_blocking(move || drop(surplus));
}

/// A reader, and how many bytes it has read.
struct Counted<R>(R, u64);

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.0.read(buffer)?;
        self.1 += count as u64;
        Ok(count)
    }
}
