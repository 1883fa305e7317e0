//! `privileged`: a container with all rights.

use crate::compose::Diagnostic;
use crate::lint::finding::Report;
use crate::lint::input::Input;

pub(in crate::lint) fn check(input: &Input<'_>, report: &mut Report) {
    for service in input.services().filter(|service| service.privileged) {
        report.add(
            Diagnostic::warning(format!(
                "service \"{}\" is privileged: it can do anything on the host",
                service.name
            ))
            .at(input.attribute_key(&service.name, &[], "privileged"))
            .help("give it the capabilities (`cap_add`) and `devices` it needs instead"),
        );
    }
}
