//! `ports` and `expose`.

use std::collections::BTreeSet;

use bollard::models::{PortBinding, PortMap};

use crate::compose::model::{Port, Service};

/// Ports the container declares: `expose` and the targets of `ports`, as `80/tcp`.
pub(super) fn exposed(service: &Service) -> Vec<String> {
    let declared = service.expose.iter().cloned();
    let published = service.ports.iter().map(container_port);
    let all: BTreeSet<String> = declared.chain(published).collect();
    all.into_iter().collect()
}

/// Ports of the host bound to the container's.
pub(super) fn bindings(service: &Service) -> PortMap {
    let mut map = PortMap::new();
    for port in &service.ports {
        map.entry(container_port(port))
            .or_default()
            .get_or_insert_default()
            .push(PortBinding {
                host_ip: Some(port.host_ip.clone().unwrap_or_default()),
                host_port: Some(port.published.clone().unwrap_or_default()),
            });
    }
    map
}

fn container_port(port: &Port) -> String {
    let protocol = port.protocol.as_deref().unwrap_or("tcp");
    format!("{}/{protocol}", port.target.unwrap_or_default())
}
