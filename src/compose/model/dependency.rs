//! `depends_on`.

use super::Extensions;

/// What must hold of a dependency before its dependent starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub enum Condition {
    /// `service_started`.
    #[default]
    Started,
    /// `service_healthy`.
    Healthy,
    /// `service_completed_successfully`.
    CompletedSuccessfully,
}

impl Condition {
    /// The name in compose files and labels.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Started => "service_started",
            Self::Healthy => "service_healthy",
            Self::CompletedSuccessfully => "service_completed_successfully",
        }
    }

    /// Reads the name used in compose files and labels.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "service_started" => Some(Self::Started),
            "service_healthy" => Some(Self::Healthy),
            "service_completed_successfully" => Some(Self::CompletedSuccessfully),
            _ => None,
        }
    }
}

/// One entry of `depends_on`, keyed by the service depended on.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Dependency {
    /// What to wait for.
    pub condition: Condition,
    /// Whether the dependent is restarted when the dependency is.
    pub restart: bool,
    /// `x-*` attributes.
    pub extensions: Extensions,
    /// Whether a missing dependency is an error.
    pub required: bool,
}
