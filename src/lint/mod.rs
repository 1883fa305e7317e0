//! Checks of what loads and yet is probably not meant: rules over a project, its files and the
//! Dockerfiles of its services.
//!
//! Pure: what there is on disk is asked through [`Input::exists`]. One file a rule in `rules/`,
//! described for people in `docs/lint.md`.

mod allow;
mod assignment;
mod build_file;
mod finding;
mod input;
mod place;
mod reach;
mod redact;
mod registry;
mod rules;
mod secret;
mod stages;
#[cfg(test)]
mod testing;
mod walk;

use std::collections::HashSet;

pub use build_file::{BuildFile, Listing, Use, context_of, path_of};
pub use input::Input;
pub use redact::redacted;
pub use registry::{RULES, Rule, rule};

use crate::compose::Diagnostic;
use finding::Report;

/// Which rules to apply.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Ids of the only rules to apply; all where empty.
    pub only: Vec<String>,
    /// Ids of rules to leave out.
    pub allowed: Vec<String>,
}

impl Selection {
    fn contains(&self, id: &str) -> bool {
        let named = |ids: &[String]| ids.iter().any(|other| other == id);
        (self.only.is_empty() || named(&self.only)) && !named(&self.allowed)
    }
}

/// Applies the selected rules. Findings have the rule's id as their code and come in the order of
/// the files, with the warnings of loading, without what a comment allows.
pub fn lint(input: &Input<'_>, selection: &Selection) -> Vec<Diagnostic> {
    let allowances = allow::Allowances::read(input);
    let mut findings = Vec::new();
    for rule in RULES.iter().filter(|rule| selection.contains(rule.id)) {
        let mut report = Report::new(rule);
        if rule.id == registry::UNKNOWN_RULE {
            allowances.report_unknown(&mut report);
        } else {
            (rule.check)(input, &mut report);
        }
        findings.extend(report.into_findings());
    }
    let warnings = input.written.warnings.iter();
    findings.extend(
        warnings
            .filter(|warning| selection.contains(warning.code.id) && !has_rule(warning))
            .cloned(),
    );
    findings.retain(|finding| !allowances.allow(input, finding));
    findings.sort_by_key(|finding| finding.span.map(|span| (span.source, span.start)));
    let mut seen = HashSet::new();
    findings.retain(|finding| seen.insert(identity(input, finding)));
    findings
}

/// Whether the value of a variable of this name is probably a secret.
pub fn is_secret(name: &str, value: &str) -> bool {
    secret::is_name(name) && secret::is_value(value)
}

/// What a text gives away whatever its name: `a private key` or `an access token`.
pub fn gives_away(text: &str) -> Option<&'static str> {
    secret::in_text(text)
}

/// Whether a rule says the same as a warning of loading.
fn has_rule(warning: &Diagnostic) -> bool {
    warning.code == crate::compose::diagnostic::code::OBSOLETE_ATTRIBUTE
}

/// What makes two findings the same: a file may be read more than once, and several services may
/// share a place through `extends` or an alias.
fn identity(input: &Input<'_>, finding: &Diagnostic) -> (&'static str, String) {
    let place = finding.span.map(|span| input.sources().locate(span));
    let text = place.unwrap_or_else(|| finding.message.clone());
    (finding.code.id, text)
}

#[cfg(test)]
mod tests;
