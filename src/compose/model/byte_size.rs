//! A size as compose files write it (`64m`).

/// A size in bytes; `-1` means unlimited where the attribute allows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct ByteSize(pub i64);
