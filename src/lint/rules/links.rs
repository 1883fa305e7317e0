//! `links`: connections that are there without them.

use crate::compose::Diagnostic;
use crate::lint::finding::Report;
use crate::lint::input::Input;

pub(in crate::lint) fn check(input: &Input<'_>, report: &mut Report) {
    for service in input.services() {
        if service.links.is_empty() {
            continue;
        }
        let aliased = service.links.iter().any(|link| {
            link.split_once(':')
                .is_some_and(|(service, alias)| service != alias)
        });
        let help = if aliased {
            "use `depends_on` for the order, and `networks: {NAME: {aliases: […]}}` of the other \
             service for further names"
        } else {
            "use `depends_on` where the order matters"
        };
        report.add(
            Diagnostic::warning(format!(
                "service \"{}\" needs no `links`: services on a network reach each other by name",
                service.name
            ))
            .at(input.attribute_key(&service.name, &[], "links"))
            .help(help),
        );
    }
}
