//! `docker-socket`: a mount of the engine's socket.

use crate::compose::Diagnostic;
use crate::compose::model::{MountType, Service};
use crate::lint::finding::Report;
use crate::lint::input::Input;

/// Sockets of engines, by the end of their path.
const SOCKETS: [&str; 3] = ["/docker.sock", "/podman.sock", "/containerd.sock"];

pub(in crate::lint) fn check(input: &Input<'_>, report: &mut Report) {
    for service in input.services() {
        for span in places(input, service) {
            report.add(
                Diagnostic::warning(format!(
                    "service \"{}\" gets the engine's socket: it can do anything on the host",
                    service.name
                ))
                .at(span)
                .help(
                    "put a proxy before the socket that lets only some requests pass; \
                     mounting it read-only changes nothing",
                ),
            );
        }
    }
}

fn places(input: &Input<'_>, service: &Service) -> Vec<crate::compose::Span> {
    let mounts = service.volumes.iter().enumerate().filter(|(_, mount)| {
        let source = mount.source.as_deref().unwrap_or_default();
        let is_socket = mount.kind == MountType::Bind || mount.kind == MountType::NamedPipe;
        is_socket && SOCKETS.iter().any(|socket| source.ends_with(socket))
    });
    let mut places: Vec<_> = mounts
        .map(|(index, _)| input.item(&service.name, &["volumes"], index, "source"))
        .collect();
    if service.use_api_socket {
        places.push(input.attribute_key(&service.name, &[], "use_api_socket"));
    }
    places
}
