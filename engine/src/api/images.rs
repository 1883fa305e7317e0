//! `/images`: list, load, save, import, pull, and one image.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue, Method};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, get, post};
use axum::{Json, Router};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::images_shown::{history, inspected, listed};
use super::lines::{Lines, lines};
use super::{Answer, Query, is_true};
use crate::archive::{body_reader, stream};
use crate::build::{check_platform, configure};
use crate::container::blocking;
use crate::engine::Engine;
use crate::events::Kind;
use crate::filters::Filters;
use crate::image::{self, Credentials, FILTERS, Import, Reference, Removed};
use crate::{Error, Result};

/// The routes of this file.
pub(super) fn routes() -> Router<Arc<Engine>> {
    Router::new()
        .route("/images/json", get(list))
        .route("/images/create", post(create))
        .route("/images/load", post(load))
        .route("/images/get", get(save_several))
        .route("/images/prune", post(prune))
        .route("/images/search", get(search))
        .route("/images/{*rest}", any(one))
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Parameters {
    filters: Option<String>,
    force: Option<String>,
    from_image: Option<String>,
    from_src: Option<String>,
    repo: Option<String>,
    tag: Option<String>,
    message: Option<String>,
    platform: Option<String>,
    quiet: Option<String>,
    changes: Option<String>,
}

/// The values of a parameter that may come several times.
pub(super) fn values(query: Option<&str>, name: &str) -> Vec<String> {
    let pairs: Vec<(String, String)> =
        serde_urlencoded::from_str(query.unwrap_or_default()).unwrap_or_default();
    pairs
        .into_iter()
        .filter(|(key, _)| key == name)
        .map(|(_, value)| value)
        .collect()
}

async fn list(
    State(engine): State<Arc<Engine>>,
    Query(parameters): Query<Parameters>,
) -> Answer<Json<Value>> {
    let filters = Filters::parse(parameters.filters.as_deref(), FILTERS)?;
    let images = engine.images.list(&filters)?;
    Ok(Json(images.iter().map(listed).collect()))
}

async fn load(
    State(engine): State<Arc<Engine>>,
    Query(parameters): Query<Parameters>,
    body: Body,
) -> Answer {
    let quiet = is_true(parameters.quiet.as_deref());
    let reader = body_reader(body);
    lines(move |lines| async move {
        let of = Arc::clone(&engine);
        let loaded = blocking(move || of.images.load(reader)).await?;
        tracing::debug!(quiet, "loaded {} images", loaded.len());
        for image in loaded {
            tell(&engine, "load", &image.id, &image.id);
            for name in &image.names {
                lines.say(&format!("Loaded image: {name}\n"));
            }
            if image.names.is_empty() {
                lines.say(&format!("Loaded image ID: {}\n", image.id));
            }
        }
        Ok(())
    })
    .await
}

async fn create(
    State(engine): State<Arc<Engine>>,
    Query(parameters): Query<Parameters>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    check_platform(parameters.platform.as_deref().unwrap_or_default())?;
    if let Some(name) = parameters.from_image.filter(|name| !name.is_empty()) {
        let reference = named(&name, parameters.tag.as_deref())?;
        let auth = headers.get("x-registry-auth").cloned();
        return lines(move |lines| pull(engine, reference, auth, lines)).await;
    }
    let source = parameters.from_src.unwrap_or_default();
    if source != "-" {
        return Err(Error::not_supported(format!("fromSrc={source}")));
    }
    let mut import = Import {
        message: parameters
            .message
            .filter(|message| !message.is_empty())
            .unwrap_or_else(|| "Imported from -".to_owned()),
        ..Import::default()
    };
    if let Some(name) = parameters.repo.filter(|name| !name.is_empty()) {
        import.name = Some(named(&name, parameters.tag.as_deref())?);
    }
    configure::changes(&mut import.config, &values(query.as_deref(), "changes"))?;
    let reader = body_reader(body);
    lines(move |lines| async move {
        let of = Arc::clone(&engine);
        let id = blocking(move || of.images.import(reader, import)).await?;
        tell(&engine, "import", &id, &id);
        lines.send(&json!({ "status": id }));
        Ok(())
    })
    .await
}

/// A name and a tag that come apart; the tag may be a digest.
pub(super) fn named(name: &str, tag: Option<&str>) -> Result<Reference> {
    let text = match tag.filter(|tag| !tag.is_empty()) {
        Some(tag) if tag.contains(':') => format!("{name}@{tag}"),
        Some(tag) if Reference::parse(name)?.tag.is_none() => format!("{name}:{tag}"),
        _ => name.to_owned(),
    };
    Ok(Reference::parse(&text)?.tagged())
}

/// Who asks a registry, of the header `X-Registry-Auth`.
fn credentials(auth: Option<&HeaderValue>) -> Result<Credentials> {
    Credentials::parse(auth.map(HeaderValue::as_bytes).unwrap_or_default())
}

/// Tells progress as lines of the answer.
fn teller(lines: Lines) -> image::Tell {
    Arc::new(move |value| lines.send(&value))
}

async fn push(
    engine: Arc<Engine>,
    reference: Reference,
    auth: Option<HeaderValue>,
    lines: Lines,
) -> Result<()> {
    let credentials = credentials(auth.as_ref())?;
    image::push(&engine, &reference, credentials, teller(lines)).await?;
    tell(
        &engine,
        "push",
        &reference.familiar(),
        &reference.familiar_name(),
    );
    Ok(())
}

async fn pull(
    engine: Arc<Engine>,
    reference: Reference,
    auth: Option<HeaderValue>,
    lines: Lines,
) -> Result<()> {
    let credentials = credentials(auth.as_ref())?;
    image::pull(&engine, &reference, credentials, teller(lines)).await?;
    let name = reference.familiar();
    tell(&engine, "pull", &name, &reference.familiar_name());
    Ok(())
}

async fn save_several(State(engine): State<Arc<Engine>>, RawQuery(query): RawQuery) -> Answer {
    let names = values(query.as_deref(), "names");
    save(
        engine,
        names
            .iter()
            .flat_map(|names| names.split(','))
            .map(str::to_owned)
            .collect(),
    )
}

fn save(engine: Arc<Engine>, names: Vec<String>) -> Answer {
    let to_save = engine.images.to_save(&names)?;
    for name in &names {
        let image = engine.images.resolve(name)?;
        tell(&engine, "save", &image.id, name);
    }
    let body = stream(move |writer| engine.images.save(&to_save, writer));
    Ok(archive(body))
}

/// A tar stream as an answer.
pub(super) fn archive(body: Body) -> Response {
    let mut response = Response::new(body);
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/x-tar"));
    response
}

async fn prune(
    State(engine): State<Arc<Engine>>,
    Query(parameters): Query<Parameters>,
) -> Answer<Json<Value>> {
    let filters = Filters::parse(
        parameters.filters.as_deref(),
        &["dangling", "label", "label!", "until"],
    )?;
    let of = Arc::clone(&engine);
    let (removed, bytes) = blocking(move || of.images.prune(&filters)).await?;
    tell_removed(&engine, &removed);
    let attributes = HashMap::from([("reclaimed".to_owned(), bytes.to_string())]);
    engine.events.publish(Kind::IMAGE, "prune", "", attributes);
    Ok(Json(
        json!({ "ImagesDeleted": shown(&removed), "SpaceReclaimed": bytes }),
    ))
}

async fn search() -> Answer {
    Err(Error::not_supported("searching registries"))
}

/// Everything about one image: its name may have slashes, so the path is taken apart here.
async fn one(
    State(engine): State<Arc<Engine>>,
    method: Method,
    Path(rest): Path<String>,
    Query(parameters): Query<Parameters>,
    headers: HeaderMap,
    _: Bytes,
) -> Answer {
    let (name, action) = match rest.rsplit_once('/') {
        Some((name, action @ ("json" | "history" | "tag" | "get" | "push"))) => (name, action),
        _ => (rest.as_str(), ""),
    };
    match (method.as_str(), action) {
        ("GET", "json") => Ok(Json(inspected(&engine.images.resolve(name)?)).into_response()),
        ("GET", "history") => {
            let image = engine.images.resolve(name)?;
            let sizes = engine.images.layer_sizes(&image);
            Ok(Json(history(&image, &sizes)).into_response())
        }
        ("GET", "get") => save(engine, vec![name.to_owned()]),
        ("POST", "tag") => tag(&engine, name, &parameters),
        ("POST", "push") => {
            let reference = named(name, parameters.tag.as_deref())?;
            let auth = headers.get("x-registry-auth").cloned();
            lines(move |lines| push(engine, reference, auth, lines)).await
        }
        ("DELETE", "") => {
            let force = is_true(parameters.force.as_deref());
            let (of, name) = (Arc::clone(&engine), name.to_owned());
            let removed = blocking(move || of.images.remove(&name, force)).await?;
            tell_removed(&engine, &removed);
            Ok(Json(shown(&removed)).into_response())
        }
        _ => Err(Error::not_found(format!(
            "page not found: {method} /images/{rest}"
        ))),
    }
}

fn tag(engine: &Engine, image: &str, parameters: &Parameters) -> Answer {
    let repository = parameters.repo.as_deref().unwrap_or_default();
    let name = match parameters.tag.as_deref().filter(|tag| !tag.is_empty()) {
        Some(tag) => format!("{repository}:{tag}"),
        None => repository.to_owned(),
    };
    let (id, name) = engine.images.tag(image, &name)?;
    tell(engine, "tag", &id, &name);
    Ok(axum::http::StatusCode::CREATED.into_response())
}

fn shown(removed: &[Removed]) -> Vec<Value> {
    let shown = removed.iter().map(|removed| match removed {
        Removed::Untagged(name, _) => json!({ "Untagged": name }),
        Removed::Deleted(id) => json!({ "Deleted": id }),
    });
    shown.collect()
}

fn tell_removed(engine: &Engine, removed: &[Removed]) {
    for removed in removed {
        match removed {
            Removed::Untagged(_, id) => tell(engine, "untag", id, id),
            Removed::Deleted(id) => tell(engine, "delete", id, id),
        }
    }
}

/// Publishes what happened to an image.
pub(super) fn tell(engine: &Engine, action: &str, id: &str, name: &str) {
    let mut attributes = HashMap::new();
    if let Ok(image) = engine.images.resolve(id) {
        let config = image.document.config();
        attributes.extend(config.labels.unwrap_or_default());
    }
    attributes.insert("name".to_owned(), name.to_owned());
    engine.events.publish(Kind::IMAGE, action, id, attributes);
}
