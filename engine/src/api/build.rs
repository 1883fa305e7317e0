//! `POST /build`: the builder, which tells its progress as the classic one or as BuildKit did, and `POST /build/prune`: its
//! cache.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::SystemTime;

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::routing::post;
use axum::{Json, Router};
use base64::Engine as _;
use bollard_stubs::models::{HostConfig, ResourcesUlimits};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::build_context::{self, dispose, receive};
use super::build_trace::Trace;
use super::images::{tell, values};
use super::lines::{Lines, lines};
use super::{Answer, Query, is_true};
use crate::build::{Auth, Build, Classic, Failure, Progress, build, check_platform};
use crate::container::blocking;
use crate::engine::Engine;
use crate::image::{Reference, registry_of, url_safe};
use crate::{Error, Result};

/// The routes of this file.
pub(super) fn routes() -> Router<Arc<Engine>> {
    Router::new()
        .route("/build", post(run))
        .route("/build/prune", post(prune))
        .merge(build_context::routes())
}

/// How many bytes of layers that no image has the steps of builds may keep.
const MOST_STEPS: u64 = 10 << 30;

#[derive(Debug, Deserialize)]
struct Parameters {
    dockerfile: Option<String>,
    remote: Option<String>,
    buildargs: Option<String>,
    labels: Option<String>,
    target: Option<String>,
    version: Option<String>,
    squash: Option<String>,
    outputs: Option<String>,
    isolation: Option<String>,
    securityopt: Option<String>,
    networkmode: Option<String>,
    platform: Option<String>,
    nocache: Option<String>,
    pull: Option<String>,
    rm: Option<String>,
    memory: Option<String>,
    memswap: Option<String>,
    shmsize: Option<String>,
    cpushares: Option<String>,
    cpuperiod: Option<String>,
    cpuquota: Option<String>,
    cpusetcpus: Option<String>,
    cpusetmems: Option<String>,
    cgroupparent: Option<String>,
    ulimits: Option<String>,
    session: Option<String>,
    q: Option<String>,
}

async fn run(
    State(engine): State<Arc<Engine>>,
    Query(parameters): Query<Parameters>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    parameters.refuse()?;
    let mut request = parameters.request(query.as_deref())?;
    request.auth = registries(&headers)?;
    let (mut fingerprint, mut kept) = (None, None);
    let session = parameters.session.as_deref();
    if let Some(session) = session.filter(|session| !session.is_empty()) {
        let mut handed = engine.secrets.take(session)?;
        (fingerprint, kept) = (handed.fingerprint.take(), handed.context.take());
        request.take(handed);
    }
    let context = build_context::context(&engine, kept);
    request.context = context.folder().to_owned();
    request.digests = Arc::clone(&context.digests);
    let telling = match parameters.version.as_deref() {
        Some("2") => Telling::Trace,
        _ if is_true(parameters.q.as_deref()) => Telling::Quiet,
        _ => Telling::Classic,
    };
    let remote = parameters.remote.filter(|remote| !remote.is_empty());
    lines(move |lines| async move {
        let cancel = request.canceled.clone();
        let work = async {
            let begun = SystemTime::now();
            let (context, bytes) = receive(body, remote.as_deref(), context, &mut request).await?;
            let sent = remote.is_none().then_some((bytes, begun));
            let result = built(&engine, &request, &lines, telling, sent).await;
            dispose(&engine, fingerprint, context);
            result
        };
        // A step that runs for nobody is stopped.
        let result = tokio::select! {
            result = work => result,
            never = abandoned(&lines, cancel) => never,
        };
        let limited = blocking(move || engine.images.limit_steps(MOST_STEPS)).await;
        if let Err(error) = limited {
            tracing::error!("build cache: {error}");
        }
        result
    })
    .await
}

/// How a build tells what it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Telling {
    /// As text.
    Classic,
    /// Only the image.
    Quiet,
    /// As BuildKit.
    Trace,
}

/// Cancels a build when its client has left; never ends.
async fn abandoned(lines: &Lines, cancel: CancellationToken) -> Result<()> {
    lines.left().await;
    cancel.cancel();
    std::future::pending().await
}

async fn built(
    engine: &Arc<Engine>,
    request: &Build,
    lines: &Lines,
    telling: Telling,
    context: Option<(u64, SystemTime)>,
) -> Result<()> {
    let result = if telling == Telling::Trace {
        let trace = Trace::new(lines);
        if let Some((bytes, begun)) = context {
            trace.context(bytes, begun);
        }
        let sink = |progress: Progress<'_>| trace.take(progress);
        let result = build(engine, request, &sink).await;
        trace.finish();
        result.map_err(|failure| trace.located(failure))
    } else {
        let classic = Classic::new(|text: &str| {
            if telling == Telling::Classic {
                lines.say(text);
            }
        });
        let sink = |progress: Progress<'_>| classic.take(progress);
        let result = build(engine, request, &sink).await;
        classic.finish();
        result
    };
    let id = match result {
        Ok(id) => id,
        Err(failure) if failure.code.is_some() || telling == Telling::Trace => {
            lines.send(&told(failure));
            return Ok(());
        }
        Err(Failure { error, .. }) => return Err(error),
    };
    let aux = json!({ "ID": id });
    match telling {
        Telling::Trace => lines.send(&json!({ "id": "moby.image.id", "aux": aux })),
        Telling::Classic | Telling::Quiet => lines.send(&json!({ "aux": aux })),
    }
    if telling == Telling::Quiet {
        lines.say(&format!("{id}\n"));
    }
    for tag in &request.tags {
        tell(engine, "tag", &id, &tag.familiar());
    }
    Ok(())
}

/// A failure as the last line of an answer. Docker tells no place of it.
fn told(failure: Failure) -> Value {
    let message = failure.error.message;
    let mut detail = json!({ "message": message });
    if let Some(code) = failure.code {
        detail["code"] = code.into();
    }
    if let Some((lines, source)) = failure.lines.zip(failure.source) {
        detail["dockerfile"] = source.name.as_str().into();
        detail["lines"] = json!([lines.first, lines.last]);
    }
    json!({ "errorDetail": detail, "error": message })
}

async fn prune(State(engine): State<Arc<Engine>>) -> Answer<Json<Value>> {
    let (keys, bytes) = blocking(move || {
        drop(engine.secrets.contexts.clear());
        prune_caches(&engine);
        engine.images.prune_steps()
    })
    .await?;
    Ok(Json(
        json!({ "CachesDeleted": keys, "SpaceReclaimed": bytes }),
    ))
}

/// Empties the caches of `RUN --mount` that no container has.
fn prune_caches(engine: &Engine) {
    let records = engine
        .containers
        .all()
        .into_iter()
        .map(|handle| handle.record());
    let mounts = records.flat_map(|record| record.mounts.clone());
    let used: Vec<_> = mounts.map(|mount| mount.source).collect();
    let caches = std::fs::read_dir(engine.layout.build_caches());
    for cache in caches.into_iter().flatten().flatten() {
        let path = cache.path();
        if !used.contains(&path)
            && let Err(error) = std::fs::remove_dir_all(&path)
        {
            tracing::error!("remove {}: {error}", path.display());
        }
    }
}

impl Parameters {
    /// Refuses what is not honoured, by name.
    fn refuse(&self) -> Result<()> {
        let given = |value: &Option<String>| {
            value.as_deref().is_some_and(|value| {
                !matches!(value, "" | "0" | "false" | "null" | "[]" | "default")
            })
        };
        if self.remote.as_deref() == Some("client-session") {
            return Err(Error::not_supported(
                "a build context of the client's session",
            ));
        }
        let refused = [
            ("squash", &self.squash),
            ("outputs", &self.outputs),
            ("isolation", &self.isolation),
            ("securityopt", &self.securityopt),
        ];
        if let Some((name, _)) = refused.into_iter().find(|(_, value)| given(value)) {
            return Err(Error::not_supported(format!("the build parameter {name}")));
        }
        if self.rm.as_deref().is_some_and(|rm| !is_true(Some(rm))) {
            return Err(Error::not_supported("the build parameter rm=false"));
        }
        check_platform(self.platform.as_deref().unwrap_or_default())
    }

    fn request(&self, query: Option<&str>) -> Result<Build> {
        let tags = values(query, "t");
        let tags = tags
            .iter()
            .filter(|tag| !tag.is_empty())
            .map(|tag| Ok(Reference::parse(tag)?.tagged()));
        let args = self.buildargs.as_deref();
        Ok(Build {
            dockerfile: self.dockerfile.clone().unwrap_or_default(),
            tags: tags.collect::<Result<_>>()?,
            args: decoded::<HashMap<String, Option<String>>>("buildargs", args)?,
            labels: decoded::<BTreeMap<String, String>>("labels", self.labels.as_deref())?,
            target: self.target.clone().unwrap_or_default(),
            no_cache: is_true(self.nocache.as_deref()),
            pull: is_true(self.pull.as_deref()),
            host: self.host(query)?,
            ..Build::default()
        })
    }

    /// Limits and network of the containers of `RUN`.
    fn host(&self, query: Option<&str>) -> Result<HostConfig> {
        let hosts: Vec<String> = values(query, "extrahosts")
            .iter()
            .flat_map(|hosts| hosts.split(','))
            .filter(|host| !host.is_empty())
            .map(str::to_owned)
            .collect();
        let text = |value: &Option<String>| value.clone().filter(|value| !value.is_empty());
        Ok(HostConfig {
            network_mode: text(&self.networkmode),
            extra_hosts: Some(hosts).filter(|hosts| !hosts.is_empty()),
            memory: number("memory", self.memory.as_deref())?,
            memory_swap: number("memswap", self.memswap.as_deref())?,
            shm_size: number("shmsize", self.shmsize.as_deref())?,
            cpu_shares: number("cpushares", self.cpushares.as_deref())?,
            cpu_period: number("cpuperiod", self.cpuperiod.as_deref())?,
            cpu_quota: number("cpuquota", self.cpuquota.as_deref())?,
            cpuset_cpus: text(&self.cpusetcpus),
            cpuset_mems: text(&self.cpusetmems),
            cgroup_parent: text(&self.cgroupparent),
            ulimits: decoded::<Option<Vec<ResourcesUlimits>>>("ulimits", self.ulimits.as_deref())?,
            ..HostConfig::default()
        })
    }
}

fn number(name: &str, text: Option<&str>) -> Result<Option<i64>> {
    let Some(text) = text.filter(|text| !matches!(*text, "" | "0")) else {
        return Ok(None);
    };
    let wrong = |error| Error::bad_request(format!("invalid value of {name}: {error}"));
    text.parse().map(Some).map_err(wrong)
}

/// What registries want to know, as `X-Registry-Config` has it.
pub(super) fn registries(headers: &HeaderMap) -> Result<Auth> {
    let config = headers.get("x-registry-config");
    config.map_or_else(|| Ok(Auth::new()), |config| credentials(config.as_bytes()))
}

/// What registries want to know, by host: a map of what `X-Registry-Auth` has of one.
fn credentials(header: &[u8]) -> Result<HashMap<String, String>> {
    let base64 = url_safe();
    let wrong = |error: &dyn std::fmt::Display| {
        Error::bad_request(format!("X-Registry-Config is not understood: {error}"))
    };
    let text = base64.decode(header).map_err(|error| wrong(&error))?;
    let by_host: HashMap<String, Value> =
        serde_json::from_slice(&text).map_err(|error| wrong(&error))?;
    let encoded = by_host
        .into_iter()
        .map(|(host, value)| (registry_of(&host), base64.encode(value.to_string())));
    Ok(encoded.collect())
}

pub(super) fn decoded<T: serde::de::DeserializeOwned + Default>(
    name: &str,
    text: Option<&str>,
) -> Result<T> {
    let Some(text) = text.filter(|text| !matches!(*text, "" | "null")) else {
        return Ok(T::default());
    };
    serde_json::from_str(text).map_err(|error| Error::bad_request(format!("{name}: {error}")))
}
