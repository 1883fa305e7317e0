//! `unreachable-profile` and `unknown-profile`: profiles that do not do what is meant.

use std::collections::BTreeSet;

use crate::compose::model::Service;
use crate::compose::{Diagnostic, Severity, Span};
use crate::lint::finding::Report;
use crate::lint::input::Input;
use crate::lint::reach;

const ALL: &str = "*";

pub(in crate::lint) fn unreachable(input: &Input<'_>, report: &mut Report) {
    for service in input.services() {
        for (target, dependency) in &service.depends_on {
            let Some(other) = input.project().services.get(target) else {
                continue;
            };
            if !dependency.required || other.profiles.is_empty() {
                continue;
            }
            let place = Places {
                dependency: input.attribute_key(&service.name, &["depends_on"], target),
                profiles: input.attribute(target, &["profiles"]),
            };
            if service.profiles.is_empty() {
                always_on(input, report, service, other, &place);
            } else {
                in_another(report, service, other, &place);
            }
        }
    }
}

struct Places {
    dependency: Span,
    profiles: Span,
}

/// A service without profiles that depends on one with: nothing loads without them.
fn always_on(
    input: &Input<'_>,
    report: &mut Report,
    service: &Service,
    other: &Service,
    place: &Places,
) {
    let selected = &input.written.profiles;
    let is_enabled = selected
        .iter()
        .any(|profile| profile == ALL || other.profiles.contains(profile));
    let level = if is_enabled {
        Severity::Warning
    } else {
        Severity::Error
    };
    let problem = Diagnostic::warning(format!(
        "service \"{}\" is always enabled and depends on \"{}\", which is only with {}: \
         without, no command works",
        service.name,
        other.name,
        reach::profiles(&other.profiles)
    ))
    .at(place.dependency)
    .related(place.profiles, "only enabled with these")
    .help(format!(
        "remove `profiles` of \"{}\", give them to \"{}\" too, or write `required: false`",
        other.name, service.name
    ));
    report.add_as(level, problem);
}

/// A service that depends on one of other profiles: its own cannot be enabled alone.
fn in_another(report: &mut Report, service: &Service, other: &Service, place: &Places) {
    let alone: Vec<String> = service
        .profiles
        .iter()
        .filter(|profile| !other.profiles.contains(profile))
        .cloned()
        .collect();
    let Some(first) = alone.first() else {
        return;
    };
    report.add(
        Diagnostic::warning(format!(
            "`--profile {first}` alone fails: service \"{}\" depends on \"{}\", which is only \
             enabled with {}",
            service.name,
            other.name,
            reach::profiles(&other.profiles)
        ))
        .at(place.dependency)
        .related(place.profiles, "only enabled with these")
        .help(format!(
            "add \"{first}\" to `profiles` of \"{}\", or write `required: false`",
            other.name
        )),
    );
}

pub(in crate::lint) fn unknown(input: &Input<'_>, report: &mut Report) {
    let known: BTreeSet<&str> = input
        .services()
        .flat_map(|service| &service.profiles)
        .map(String::as_str)
        .collect();
    for profile in &input.written.profiles {
        if profile == ALL || known.contains(profile.as_str()) {
            continue;
        }
        let help = if known.is_empty() {
            "no service has any profile".to_owned()
        } else {
            let names: Vec<&str> = known.iter().copied().collect();
            format!("the project has the profiles {}", names.join(", "))
        };
        report.add(
            Diagnostic::warning(format!("no service has the profile \"{profile}\"")).help(help),
        );
    }
}
