//! `duplicate-port`: containers that publish the same port of the host.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::compose::model::{Port, Service};
use crate::compose::{Diagnostic, Severity, Span};
use crate::lint::finding::Report;
use crate::lint::input::Input;
use crate::lint::reach::Together;

/// One port of the host that a service publishes.
struct Published<'a> {
    service: &'a Service,
    port: &'a Port,
    span: Span,
}

pub(in crate::lint) fn check(input: &Input<'_>, report: &mut Report) {
    // Keyed by protocol and number.
    let mut taken: BTreeMap<(&str, u16), Vec<Published<'_>>> = BTreeMap::new();
    for service in input.services() {
        if service.network_mode.as_deref() == Some("host") || service.replicas() == 0 {
            continue;
        }
        let replicas = service.replicas();
        for (index, port) in service.ports.iter().enumerate() {
            // The engine picks a free one of a range.
            let Some(number) = port.published.as_deref().and_then(number) else {
                continue;
            };
            let span = input.item(&service.name, &["ports"], index, "published");
            if replicas > 1 {
                replicated(report, service, number, span);
            }
            let protocol = port.protocol.as_deref().unwrap_or("tcp");
            let others = taken.entry((protocol, number)).or_default();
            let new = Published {
                service,
                port,
                span,
            };
            conflict(report, &new, others, number);
            others.push(new);
        }
    }
}

fn number(published: &str) -> Option<u16> {
    published.parse().ok().filter(|number| *number != 0)
}

fn replicated(report: &mut Report, service: &Service, number: u16, span: Span) {
    report.add(
        Diagnostic::warning(format!(
            "port {number} of the host can be that of one of the {} replicas of service \"{}\" only",
            service.replicas(),
            service.name
        ))
        .at(span)
        .help("publish a range of ports, or let the engine choose: leave the host's port out"),
    );
}

fn conflict(report: &mut Report, new: &Published<'_>, others: &[Published<'_>], number: u16) {
    let worst = others
        .iter()
        .filter(|other| overlap(new.port, other.port))
        .map(|other| (level(new, other), other))
        .max_by_key(|(level, _)| *level);
    let Some((level, other)) = worst else {
        return;
    };
    let message = if new.service.name == other.service.name {
        format!(
            "service \"{}\" publishes port {number} of the host twice",
            new.service.name
        )
    } else {
        let when = match level {
            Severity::Error => "",
            Severity::Warning => " when its profile is enabled",
            Severity::Note => " when both of their profiles are enabled",
        };
        format!(
            "port {number} of the host is published by service \"{}\" and by \"{}\"{when}",
            new.service.name, other.service.name
        )
    };
    let problem = Diagnostic::warning(message)
        .at(new.span)
        .related(other.span, "the other one")
        .help("give one of them another port or address");
    report.add_as(level, problem);
}

fn level(one: &Published<'_>, other: &Published<'_>) -> Severity {
    if one.service.name == other.service.name {
        return Severity::Error;
    }
    Together::of(one.service, other.service).level(one.span == other.span)
}

/// Whether two ports are published on an address in common.
fn overlap(one: &Port, other: &Port) -> bool {
    match (address(one), address(other)) {
        (Address::Any, _) | (_, Address::Any) => true,
        (Address::One(one), Address::One(other)) => {
            one == other
                || one.is_ipv4() == other.is_ipv4()
                    && (one.is_unspecified() || other.is_unspecified())
        }
    }
}

enum Address {
    /// Every address of the host.
    Any,
    One(IpAddr),
}

fn address(port: &Port) -> Address {
    let text = port.host_ip.as_deref().unwrap_or_default();
    text.parse().map_or(Address::Any, Address::One)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let on = |ip: &str| Port {
            host_ip: Some(ip.to_owned()).filter(|ip| !ip.is_empty()),
            ..Port::default()
        };
        for (one, other, expected) in [
            ("", "127.0.0.1", true),
            ("0.0.0.0", "127.0.0.1", true),
            ("0.0.0.0", "::1", false),
            ("::", "::1", true),
            ("127.0.0.1", "127.0.0.2", false),
            ("127.0.0.1", "127.0.0.1", true),
        ] {
            assert_eq!(overlap(&on(one), &on(other)), expected, "{one} {other}");
        }
    }
}
