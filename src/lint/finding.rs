//! What one rule finds.

use super::registry::Rule;
use crate::compose::diagnostic::Code;
use crate::compose::{Diagnostic, Severity};

/// Collects what one rule finds, each with the rule's id as its code.
#[derive(Debug)]
pub(super) struct Report {
    rule: &'static Rule,
    findings: Vec<Diagnostic>,
}

impl Report {
    pub(super) fn new(rule: &'static Rule) -> Self {
        Self {
            rule,
            findings: Vec::new(),
        }
    }

    /// Adds a finding of the rule's own severity.
    pub(super) fn add(&mut self, diagnostic: Diagnostic) {
        self.add_as(self.rule.severity, diagnostic);
    }

    /// Adds a finding of another severity.
    pub(super) fn add_as(&mut self, severity: Severity, diagnostic: Diagnostic) {
        self.findings.push(Diagnostic {
            severity,
            code: Code::new(self.rule.id, self.rule.summary),
            ..diagnostic
        });
    }

    pub(super) fn into_findings(self) -> Vec<Diagnostic> {
        self.findings
    }
}
