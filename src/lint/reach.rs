//! Which services can run at the same time, as far as profiles decide it.

use crate::compose::Severity;
use crate::compose::model::Service;

/// When two services run at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Together {
    /// Whatever profiles are enabled.
    Always,
    /// As soon as the profiles of one of them are enabled.
    Sometimes,
    /// Only where profiles that have nothing in common are enabled together.
    Apart,
}

impl Together {
    /// When `one` and `other` run together.
    pub(super) fn of(one: &Service, other: &Service) -> Self {
        let (one, other) = (&one.profiles, &other.profiles);
        if one.is_empty() && other.is_empty() {
            Self::Always
        } else if one.is_empty()
            || other.is_empty()
            || one.iter().any(|profile| other.contains(profile))
        {
            Self::Sometimes
        } else {
            Self::Apart
        }
    }

    /// How much it matters that the two exclude each other. What both say in one place comes from
    /// a service that one of them extends, and which a profile keeps from running.
    pub(super) fn level(self, same_place: bool) -> Severity {
        match self {
            Self::Always => Severity::Error,
            Self::Sometimes if !same_place => Severity::Warning,
            Self::Sometimes | Self::Apart => Severity::Note,
        }
    }
}

/// `profile "a"` or `profiles "a" and "b"`, for messages.
pub(super) fn profiles(names: &[String]) -> String {
    match names {
        [one] => format!("profile \"{one}\""),
        names => {
            let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
            format!("profiles {}", quoted.join(" or "))
        }
    }
}
