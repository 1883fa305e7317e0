//! `host-network-ports`: published ports of a service on the host's network.

use crate::compose::Diagnostic;
use crate::lint::finding::Report;
use crate::lint::input::Input;

pub(in crate::lint) fn check(input: &Input<'_>, report: &mut Report) {
    for service in input.services() {
        if service.network_mode.as_deref() != Some("host") || service.ports.is_empty() {
            continue;
        }
        report.add(
            Diagnostic::warning(format!(
                "`ports` of service \"{}\" have no effect: it is on the host's network",
                service.name
            ))
            .at(input.attribute_key(&service.name, &[], "ports"))
            .related(
                input.attribute_key(&service.name, &[], "network_mode"),
                "every port of the container is one of the host",
            )
            .help("remove `ports`, or `network_mode`"),
        );
    }
}
