//! `invalid-expose`: what is no port.

use crate::compose::Diagnostic;
use crate::dockerfile::Keyword;
use crate::lint::finding::Report;
use crate::lint::input::Input;
use crate::lint::stages;

pub(in crate::lint) fn check(input: &Input<'_>, report: &mut Report) {
    stages::for_each(input, Keyword::Expose, &mut |step| {
        for word in step.instruction.words() {
            if word.text.contains('$') || is_port(&word.text) {
                continue;
            }
            let help = if word.text.contains(':') {
                "EXPOSE has no port of the host: `ports` of the service publish it"
            } else {
                "write a port from 1 to 65535, a range `1-2`, and perhaps `/udp`"
            };
            report.add(
                Diagnostic::error(format!("{} is no port", word.text))
                    .at(step.at(word.range))
                    .help(help),
            );
        }
    });
}

fn is_port(text: &str) -> bool {
    let (ports, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let number = |text: &str| text.parse::<u16>().ok().filter(|port| *port > 0);
    let is_range = match ports.split_once('-') {
        Some((first, last)) => number(first)
            .zip(number(last))
            .is_some_and(|(first, last)| first <= last),
        None => number(ports).is_some(),
    };
    is_range && matches!(protocol.to_lowercase().as_str(), "tcp" | "udp" | "sctp")
}
