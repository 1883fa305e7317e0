//! Environment variables, env files and extra hosts.

use std::collections::BTreeMap;

/// Variables keyed by name; `None` is a variable without a value, which the engine drops.
pub type Environment = BTreeMap<String, Option<String>>;

/// `extra_hosts`: addresses keyed by host name.
pub type HostsList = BTreeMap<String, Vec<String>>;

/// One entry of `env_file`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EnvFile {
    /// Path of the file.
    pub path: String,
    /// Whether a missing file is an error.
    pub required: bool,
    /// `raw` for lines without quoting and interpolation.
    pub format: Option<String>,
}
