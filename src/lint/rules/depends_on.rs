//! `missing-healthcheck` and `started-not-healthy`: conditions and healthchecks that do not fit.

use crate::compose::model::{Condition, Healthcheck, Service};
use crate::compose::{Diagnostic, Severity};
use crate::lint::finding::Report;
use crate::lint::input::Input;

/// What a file says of a service's healthcheck.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Health {
    /// Nothing: the image decides.
    Unsaid,
    /// There is none.
    Off,
    /// There is one.
    On,
}

fn health(service: &Service) -> Health {
    match &service.healthcheck {
        None => Health::Unsaid,
        Some(check) if is_off(check) => Health::Off,
        // Times alone change those of the image's healthcheck.
        Some(_) => Health::On,
    }
}

fn is_off(check: &Healthcheck) -> bool {
    check.disable || check.test.first().is_some_and(|word| word == "NONE")
}

/// Calls `each` with every service, one it depends on and the condition.
fn dependencies<'a>(input: &Input<'a>, mut each: impl FnMut(&'a Service, &'a Service, Condition)) {
    for service in input.services() {
        for (target, dependency) in &service.depends_on {
            if let Some(other) = input.project().services.get(target) {
                each(service, other, dependency.condition);
            }
        }
    }
}

pub(in crate::lint) fn missing_healthcheck(input: &Input<'_>, report: &mut Report) {
    dependencies(input, |service, other, condition| {
        let is_off = health(other) == Health::Off;
        // What a provider runs reports its state itself.
        let is_said = health(other) == Health::On || other.provider.is_some();
        if condition != Condition::Healthy || is_said {
            return;
        }
        let message = if is_off {
            format!(
                "service \"{}\" waits for \"{}\" to be healthy, whose healthcheck is off",
                service.name, other.name
            )
        } else {
            format!(
                "service \"{}\" waits for \"{}\" to be healthy, which has no healthcheck here",
                service.name, other.name
            )
        };
        let help = if is_off {
            "remove `disable`, or wait for `service_started`"
        } else {
            "add a `healthcheck`; without one \"up\" fails, unless the image brings its own"
        };
        let problem = Diagnostic::warning(message)
            .at(input.attribute_key(&service.name, &["depends_on"], &other.name))
            .related(input.service(&other.name), "this service")
            .help(help);
        let level = if is_off {
            Severity::Error
        } else {
            Severity::Warning
        };
        report.add_as(level, problem);
    });
}

pub(in crate::lint) fn started_not_healthy(input: &Input<'_>, report: &mut Report) {
    dependencies(input, |service, other, condition| {
        if condition != Condition::Started || health(other) != Health::On {
            return;
        }
        report.add(
            Diagnostic::warning(format!(
                "service \"{}\" starts as soon as \"{}\" has started, not when it is healthy",
                service.name, other.name
            ))
            .at(input.attribute_key(&service.name, &["depends_on"], &other.name))
            .related(
                input.attribute_key(&other.name, &[], "healthcheck"),
                "the healthcheck",
            )
            .help("write `condition: service_healthy` where it must be ready"),
        );
    });
}
