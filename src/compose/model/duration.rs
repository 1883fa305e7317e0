//! A duration as compose files write it (`1m30s`).

/// A length of time in nanoseconds; may be negative, as Go's `time.Duration`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Duration {
    /// Nanoseconds.
    pub nanos: i64,
}
