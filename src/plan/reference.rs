//! `service:x` references: namespaces and mounts shared with the container of another service.

use std::collections::BTreeMap;

use crate::compose::model::Service;

const SERVICE_PREFIX: &str = "service:";
const CONTAINER_PREFIX: &str = "container:";

/// Services whose containers `service` refers to, without duplicates, sorted.
pub fn services(service: &Service) -> Vec<&str> {
    let modes = [&service.network_mode, &service.ipc, &service.pid];
    let mut found: Vec<&str> = modes
        .into_iter()
        .flatten()
        .filter_map(|mode| mode.strip_prefix(SERVICE_PREFIX))
        .chain(
            service
                .volumes_from
                .iter()
                .filter_map(|entry| volumes_from(entry)),
        )
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// The service an entry of `volumes_from` names; `None` for `container:…`.
fn volumes_from(entry: &str) -> Option<&str> {
    let name = entry.split(':').next().unwrap_or(entry);
    (!entry.starts_with(CONTAINER_PREFIX)).then_some(name)
}

/// The service with its references replaced by container ids, as its hash is taken.
///
/// `ids` is keyed by service; a reference without an entry stays. `volumes_from` loses its
/// access mode here, because docker compose's hash knows none; see [`with_access_modes`].
pub fn resolve(service: &Service, ids: &BTreeMap<String, String>) -> Service {
    let mut resolved = service.clone();
    for mode in [
        &mut resolved.network_mode,
        &mut resolved.ipc,
        &mut resolved.pid,
    ] {
        let id = mode
            .as_deref()
            .and_then(|mode| mode.strip_prefix(SERVICE_PREFIX))
            .and_then(|name| ids.get(name));
        if let Some(id) = id {
            *mode = Some(format!("{CONTAINER_PREFIX}{id}"));
        }
    }
    resolved.volumes_from = service
        .volumes_from
        .iter()
        .map(|entry| container_of(entry, ids))
        .collect();
    resolved
}

/// `volumes_from` for the engine: container ids or names with the access modes of the file.
pub fn with_access_modes(service: &Service, ids: &BTreeMap<String, String>) -> Vec<String> {
    service
        .volumes_from
        .iter()
        .map(|entry| {
            let rest = entry.strip_prefix(CONTAINER_PREFIX).unwrap_or(entry);
            let container = container_of(entry, ids);
            match rest.split_once(':') {
                Some((_, mode)) if !mode.is_empty() => format!("{container}:{mode}"),
                _ => container,
            }
        })
        .collect()
}

fn container_of(entry: &str, ids: &BTreeMap<String, String>) -> String {
    if let Some(rest) = entry.strip_prefix(CONTAINER_PREFIX) {
        return rest.split(':').next().unwrap_or(rest).to_owned();
    }
    volumes_from(entry)
        .and_then(|name| ids.get(name).cloned())
        .unwrap_or_else(|| entry.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sharing() -> Service {
        Service {
            network_mode: Some("service:vpn".into()),
            pid: Some("host".into()),
            ipc: Some("service:db".into()),
            volumes_from: vec!["data:ro".into(), "container:other:ro".into(), "db".into()],
            ..Service::default()
        }
    }

    #[test]
    fn finds_services() {
        assert_eq!(services(&sharing()), ["data", "db", "vpn"]);
    }

    #[test]
    fn substitutes_ids() {
        let ids = [("vpn", "1"), ("db", "2"), ("data", "3")]
            .map(|(key, id)| (key.to_owned(), id.to_owned()))
            .into();
        let resolved = resolve(&sharing(), &ids);
        assert_eq!(resolved.network_mode.as_deref(), Some("container:1"));
        assert_eq!(resolved.ipc.as_deref(), Some("container:2"));
        assert_eq!(resolved.pid.as_deref(), Some("host"));
        assert_eq!(resolved.volumes_from, ["3", "other", "2"]);
        assert_eq!(
            with_access_modes(&sharing(), &ids),
            ["3:ro", "other:ro", "2"]
        );
    }
}
