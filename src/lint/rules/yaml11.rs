//! `yaml-1.1-value`: values that are text here and something else to readers of YAML 1.1, such as
//! the first docker-compose and podman-compose.

use crate::compose::Diagnostic;
use crate::compose::node::Node;
use crate::lint::finding::Report;
use crate::lint::input::Input;
use crate::lint::walk::{self, Visit};

const VALUES: &[&[&str]] = &[
    &["services", "*", "environment", "*"],
    &["services", "*", "build", "args", "*"],
    &["services", "*", "labels", "*"],
    &["services", "*", "restart"],
];
const PORTS: &[&[&str]] = &[&["services", "*", "ports", "[]"]];
const WORDS: [&str; 8] = ["y", "yes", "on", "n", "no", "off", "Yes", "No"];

pub(in crate::lint) fn check(input: &Input<'_>, report: &mut Report) {
    for document in &input.written.documents {
        walk::walk(document, &mut |visit| {
            if let Some(problem) = problem(input, visit) {
                report.add(problem.at(visit.node.span));
            }
        });
    }
}

fn problem(input: &Input<'_>, visit: &Visit<'_, '_>) -> Option<Diagnostic> {
    let written = input.text(visit.node.span);
    // A text that stands in the file as it is has no quotes.
    let text = Node::as_str(visit.node).filter(|text| *text == written)?;
    if visit.is_any(VALUES) && WORDS.contains(&text) {
        let message = format!("`{text}` is a boolean to programs that read YAML 1.1");
        return Some(Diagnostic::warning(message).help(format!("write \"{text}\"")));
    }
    let number = visit.is_any(PORTS).then(|| sexagesimal(text)).flatten()?;
    let message = format!("`{text}` is the number {number} to programs that read YAML 1.1");
    Some(Diagnostic::warning(message).help(format!("write \"{text}\"")))
}

/// What `22:22` is in base 60; `None` for what YAML 1.1 takes for text.
fn sexagesimal(text: &str) -> Option<u64> {
    let (high, low) = text.split_once(':')?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(high) || !is_number(low) || high.starts_with('0') || low.len() > 2 {
        return None;
    }
    let (high, low): (u64, u64) = (high.parse().ok()?, low.parse().ok()?);
    (low < 60).then(|| high.saturating_mul(60).saturating_add(low))
}
