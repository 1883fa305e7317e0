//! `duplicate-container-name`: two services with one container name.

use std::collections::BTreeMap;

use crate::compose::Diagnostic;
use crate::compose::model::Service;
use crate::lint::finding::Report;
use crate::lint::input::Input;
use crate::lint::reach::Together;

pub(in crate::lint) fn check(input: &Input<'_>, report: &mut Report) {
    let mut named: BTreeMap<&str, Vec<&Service>> = BTreeMap::new();
    for service in input.services() {
        let name = service.container_name.as_deref().unwrap_or_default();
        if !name.is_empty() {
            named.entry(name).or_default().push(service);
        }
    }
    for (name, services) in named {
        let place = |service: &Service| input.attribute(&service.name, &["container_name"]);
        for (index, service) in services.iter().enumerate() {
            let level = |other: &Service| {
                Together::of(service, other).level(place(service) == place(other))
            };
            let worst = services[..index]
                .iter()
                .map(|other| (level(other), *other))
                .max_by_key(|(level, _)| *level);
            let Some((level, other)) = worst else {
                continue;
            };
            let problem = Diagnostic::warning(format!(
                "container name \"{name}\" of service \"{}\" is also that of service \"{}\"",
                service.name, other.name
            ))
            .at(place(service))
            .related(place(other), "the other one")
            .help("give each its own, or none");
            report.add_as(level, problem);
        }
    }
}
