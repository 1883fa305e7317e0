//! A plan that cannot be made.

use crate::compose::Diagnostic;

/// What is wanted cannot be done on this engine, or contradicts what is there.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{}", first_message(.diagnostics))]
pub struct PlanError {
    /// Every problem found; at least one, each with its place in the files where it has one.
    pub diagnostics: Vec<Diagnostic>,
}

impl PlanError {
    /// An error without a place.
    pub fn new(message: impl Into<String>) -> Self {
        Diagnostic::error(message).into()
    }

    /// Fails when there is an error among the diagnostics; otherwise gives the warnings back.
    pub fn check(diagnostics: Vec<Diagnostic>) -> Result<Vec<Diagnostic>, Self> {
        if diagnostics.iter().any(Diagnostic::is_error) {
            return Err(Self { diagnostics });
        }
        Ok(diagnostics)
    }
}

impl From<Diagnostic> for PlanError {
    fn from(diagnostic: Diagnostic) -> Self {
        Self {
            diagnostics: vec![diagnostic],
        }
    }
}

fn first_message(diagnostics: &[Diagnostic]) -> &str {
    diagnostics
        .iter()
        .find(|diagnostic| diagnostic.is_error())
        .map_or("no plan can be made", |diagnostic| &diagnostic.message)
}
