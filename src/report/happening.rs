//! What happens to containers, as commands show it.

use std::collections::BTreeMap;

use jiff::Timestamp;

/// Something that happened to a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happening {
    /// When.
    pub time: Timestamp,
    /// The container's service.
    pub service: String,
    /// The container's id.
    pub container: String,
    /// What: "start", "die", "exec_create: ls" …
    pub action: String,
    /// More about it, without the labels that compose itself sets.
    pub attributes: BTreeMap<String, String>,
}
