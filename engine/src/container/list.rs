//! `GET /containers/json`: filters and summaries.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::handle::{Containers, Live};
use super::record::{Mount, MountKind, Record, Status};
use super::{shown, words};
use crate::filters::Filters;
use crate::{Error, Result, time};

/// The names of filters that are known.
pub(crate) const FILTERS: &[&str] = &[
    "ancestor", "before", "exited", "expose", "health", "id", "is-task", "label", "label!", "name",
    "network", "publish", "since", "status", "volume",
];

/// What to list.
#[derive(Debug, Default)]
pub(crate) struct Query {
    /// Those that do not run too.
    pub(crate) all: bool,
    /// At most this many, the newest; those that do not run too.
    pub(crate) limit: Option<usize>,
    /// Which.
    pub(crate) filters: Filters,
}

/// The containers that pass, the newest first.
///
/// # Errors
/// 400 for values of filters that make no sense, 404 for containers in `before` and `since`.
pub(crate) fn list(containers: &Containers, query: &Query) -> Result<Vec<Live>> {
    let filters = &query.filters;
    check(filters)?;
    let created = |name: &str| -> Result<Option<String>> {
        let reference = filters.values(name).first();
        reference
            .map(|value| Ok(containers.get(value)?.record().created.clone()))
            .transpose()
    };
    let (before, since) = (created("before")?, created("since")?);
    let all = query.all
        || query.limit.is_some()
        || before.is_some()
        || since.is_some()
        || !filters.values("status").is_empty()
        || !filters.values("exited").is_empty();
    let passes = |live: &Live| {
        let record = &live.record;
        (all || record.state.is_up() || record.state.status == Status::Restarting)
            && before
                .as_ref()
                .is_none_or(|before| record.created < *before)
            && since.as_ref().is_none_or(|since| record.created > *since)
            && matches(filters, live)
    };
    let lives = containers
        .all()
        .into_iter()
        .rev()
        .map(|handle| handle.live());
    let limit = query.limit.unwrap_or(usize::MAX);
    Ok(lives.filter(passes).take(limit).collect())
}

fn check(filters: &Filters) -> Result<()> {
    let known = |name: &str, words: &[&str]| {
        let wrong = filters
            .values(name)
            .iter()
            .find(|value| !words.contains(&value.as_str()));
        match wrong {
            Some(value) => Err(Error::bad_request(format!(
                "invalid filter '{name}={value}'"
            ))),
            None => Ok(()),
        }
    };
    let statuses = [
        "created",
        "running",
        "paused",
        "restarting",
        "removing",
        "exited",
        "dead",
    ];
    known("status", &statuses)?;
    known("health", &["starting", "healthy", "unhealthy", "none"])?;
    let wrong = filters
        .values("exited")
        .iter()
        .find(|value| value.parse::<i64>().is_err());
    match wrong {
        Some(value) => Err(Error::bad_request(format!(
            "invalid filter 'exited={value}'"
        ))),
        None => Ok(()),
    }
}

/// Whether a container passes all filters but `before` and `since`.
fn matches(filters: &Filters, live: &Live) -> bool {
    let record = &live.record;
    let state = &record.state;
    let health = live
        .health
        .as_ref()
        .map_or("none", |health| health.verdict.as_str());
    filters.any("id", |id| record.id.starts_with(id))
        && filters.any("name", |name| is_named(record, name))
        && filters.labels(&record.labels())
        && filters.any("status", |status| status == state.status.as_str())
        && filters.any("exited", |code| {
            state.status == Status::Exited && code.parse() == Ok(state.exit_code)
        })
        && filters.any("health", |value| value == health)
        && filters.any("ancestor", |image| is_of(record, image))
        && filters.any("network", |network| is_on(record, network))
        && filters.any("volume", |volume| {
            record.mounts.iter().any(|mount| {
                mount.volume() == Some(volume) || mount.target.to_str() == Some(volume)
            })
        })
        && filters.any("publish", |port| has_port(record, port, true))
        && filters.any("expose", |port| has_port(record, port, false))
        && filters.any("is-task", |value| !matches!(value, "true" | "1"))
}

/// Names are patterns; those that clients send are texts, with `^`, `/` and `$` at the ends.
fn is_named(record: &Record, pattern: &str) -> bool {
    let (from_start, rest) = match pattern.strip_prefix('^') {
        Some(rest) => (true, rest),
        None => (false, pattern),
    };
    let (to_end, rest) = match rest.strip_suffix('$') {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    let (from_start, rest) = match rest.strip_prefix('/') {
        Some(rest) => (true, rest),
        None => (from_start, rest),
    };
    let name = record.name.as_str();
    match (from_start, to_end) {
        (true, true) => name == rest,
        (true, false) => name.starts_with(rest),
        (false, true) => name.ends_with(rest),
        (false, false) => name.contains(rest),
    }
}

fn is_of(record: &Record, image: &str) -> bool {
    let digits = record
        .image_id
        .strip_prefix("sha256:")
        .unwrap_or(&record.image_id);
    let with_tag = |name: &str| {
        let last = name.rsplit('/').next().unwrap_or(name);
        if last.contains(':') {
            name.to_owned()
        } else {
            format!("{name}:latest")
        }
    };
    record.image_id == image
        || (image.len() >= 12 && digits.starts_with(image))
        || with_tag(&record.image) == with_tag(image)
}

fn is_on(record: &Record, network: &str) -> bool {
    record
        .endpoints
        .iter()
        .any(|(name, settings)| name == network || settings.network_id.as_deref() == Some(network))
}

fn has_port(record: &Record, asked: &str, published: bool) -> bool {
    let asked = if asked.contains('/') {
        asked.to_owned()
    } else {
        format!("{asked}/tcp")
    };
    let ports = record
        .host_config
        .port_bindings
        .iter()
        .flatten()
        .map(|(port, _)| port);
    let exposed = record
        .config
        .exposed_ports
        .iter()
        .flatten()
        .filter(|_| !published);
    ports.chain(exposed).any(|port| *port == asked)
}

/// The time of a prune request's `until` filter, as records write it: RFC 3339, seconds since
/// 1970, or a duration before now (`24h`).
///
/// # Errors
/// 400 for anything else.
pub(crate) fn until(filters: &Filters) -> Result<Option<String>> {
    let Some(text) = filters.values("until").first() else {
        return Ok(None);
    };
    let invalid = || Error::bad_request(format!("invalid filter 'until={text}'"));
    if let Ok(ago) = text.parse::<SignedDuration>() {
        let then = Timestamp::now().checked_sub(ago).map_err(|_| invalid())?;
        return Ok(Some(time::rfc3339(then)));
    }
    let nanoseconds = crate::api::nanoseconds(text)?;
    let then = Timestamp::from_nanosecond(i128::from(nanoseconds)).map_err(|_| invalid())?;
    Ok(Some(time::rfc3339(then)))
}

/// What a list shows of a container.
pub(crate) fn summary(live: &Live) -> Value {
    let record = &live.record;
    let created: Option<Timestamp> = record.created.parse().ok();
    json!({
        "Id": record.id,
        "Names": [format!("/{}", record.name)],
        "Image": record.image,
        "ImageID": record.image_id,
        "Command": words::command(&record.path, &record.args),
        "Created": created.map_or(0, Timestamp::as_second),
        "Ports": ports(record),
        "Labels": record.labels(),
        "State": record.state.status.as_str(),
        "Status": words::status(live),
        "HostConfig": { "NetworkMode": record.host_config.network_mode },
        "NetworkSettings": { "Networks": shown::networks(&record.endpoints) },
        "Mounts": record.mounts.iter().filter_map(mount_point).collect::<Vec<_>>(),
    })
}

/// Published and exposed ports while it runs.
fn ports(record: &Record) -> Vec<Value> {
    if !record.state.is_up() {
        return Vec::new();
    }
    let mut bindings = record.ports.clone();
    for port in record.config.exposed_ports.iter().flatten() {
        bindings.entry(port.clone()).or_default();
    }
    let mut keys: Vec<&String> = bindings.keys().collect();
    keys.sort();
    let mut ports = Vec::new();
    for key in keys {
        let (number, protocol) = key.split_once('/').unwrap_or((key, "tcp"));
        let number: u16 = number.parse().unwrap_or_default();
        let published = bindings.get(key).and_then(Option::as_ref);
        for binding in published.into_iter().flatten() {
            let public = binding
                .host_port
                .as_deref()
                .and_then(|port| port.parse::<u16>().ok());
            ports.push(json!({
                "IP": binding.host_ip, "PrivatePort": number, "PublicPort": public, "Type": protocol,
            }));
        }
        if published.is_none_or(Vec::is_empty) {
            ports.push(json!({ "PrivatePort": number, "Type": protocol }));
        }
    }
    ports
}

/// What is shown of a mount; Docker does not show those of `Tmpfs`.
pub(crate) fn mount_point(mount: &Mount) -> Option<Value> {
    let propagation = match mount.propagation.as_str() {
        "" => "rprivate",
        other => other,
    };
    let mut shown = json!({
        "Type": "bind",
        "Source": mount.source,
        "Destination": mount.target,
        "Mode": mount.options.join(","),
        "RW": mount.writable,
        "Propagation": propagation,
    });
    match &mount.kind {
        MountKind::Bind => {}
        MountKind::Volume(name) => {
            shown["Type"] = "volume".into();
            shown["Name"] = name.clone().into();
            shown["Driver"] = "local".into();
            shown["Propagation"] = mount.propagation.clone().into();
        }
        MountKind::Tmpfs => return None,
    }
    Some(shown)
}

#[cfg(test)]
pub(crate) mod tests;
