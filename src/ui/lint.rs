//! What linting found, and the rules it follows.

use std::fmt::Write as _;

use super::diagnostics;
use crate::compose::{Diagnostic, Severity, SourceMap};

/// Findings with their lines, each with the rule's id behind its message.
pub fn findings(found: &[Diagnostic], sources: &SourceMap, color: bool) -> String {
    let named: Vec<Diagnostic> = found
        .iter()
        .map(|finding| Diagnostic {
            message: format!("{} [{}]", finding.message, finding.code),
            ..finding.clone()
        })
        .collect();
    diagnostics::render(&named, sources, color)
}

/// How many findings there are, and how many of them are not shown: a line.
pub fn summary(found: &[Diagnostic], shown: usize) -> String {
    let count = |severity| found.iter().filter(|it| it.severity == severity).count();
    let counts: Vec<String> = [Severity::Error, Severity::Warning, Severity::Note]
        .into_iter()
        .map(|severity| (count(severity), severity.as_str()))
        .filter(|(count, _)| *count > 0)
        .map(|(count, name)| format!("{count} {name}{}", if count == 1 { "" } else { "s" }))
        .collect();
    let hidden = found.len() - shown;
    match (counts.is_empty(), hidden) {
        (true, _) => "nothing found\n".to_owned(),
        (false, 0) => format!("{}\n", counts.join(", ")),
        (false, _) => format!("{} ({hidden} not shown, see --level)\n", counts.join(", ")),
    }
}

/// A line for each rule: id, severity, summary.
pub fn rules<'a>(rules: impl Iterator<Item = (&'a str, Severity, &'a str)>) -> String {
    let mut text = String::new();
    for (id, severity, summary) in rules {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{id:<26}{:<9}{summary}", severity.as_str());
    }
    text
}
