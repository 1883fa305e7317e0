//! `healthcheck`.

use super::{Duration, Extensions};

/// How the engine finds out whether a container is healthy.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Healthcheck {
    /// `["CMD", …]`, `["CMD-SHELL", text]` or `["NONE"]`.
    pub test: Vec<String>,
    /// How long a probe may take.
    pub timeout: Option<Duration>,
    /// Time between probes.
    pub interval: Option<Duration>,
    /// Failed probes in a row that make the container unhealthy.
    pub retries: Option<u64>,
    /// Time after the start in which failures do not count.
    pub start_period: Option<Duration>,
    /// Time between probes during `start_period` (API 1.44).
    pub start_interval: Option<Duration>,
    /// Switches the healthcheck of the image off.
    pub disable: bool,
    /// `x-*` attributes.
    pub extensions: Extensions,
}
