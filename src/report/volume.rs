//! Volumes as commands show them.

use std::collections::BTreeMap;

/// One volume.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListedVolume {
    /// Its name on the engine.
    pub name: String,
    /// Its driver.
    pub driver: String,
    /// Where it is on the engine's host.
    pub mountpoint: String,
    /// "local" or "global".
    pub scope: String,
    /// All labels.
    pub labels: BTreeMap<String, String>,
}
