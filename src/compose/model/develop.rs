//! `develop.watch`.

use super::{Extensions, Hook};

/// `develop`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Develop {
    /// What `watch` reacts to.
    pub watch: Vec<WatchTrigger>,
    /// `x-*` attributes.
    pub extensions: Extensions,
}

/// What to do when a watched path changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WatchAction {
    /// Copy the files.
    #[default]
    Sync,
    /// Build the image and recreate.
    Rebuild,
    /// Restart.
    Restart,
    /// Copy the files, then restart.
    SyncRestart,
    /// Copy the files, then run a command.
    SyncExec,
}

impl WatchAction {
    /// The name in compose files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sync => "sync",
            Self::Rebuild => "rebuild",
            Self::Restart => "restart",
            Self::SyncRestart => "sync+restart",
            Self::SyncExec => "sync+exec",
        }
    }
}

/// One watched path.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct WatchTrigger {
    /// Path on the host.
    pub path: String,
    /// What to do.
    pub action: WatchAction,
    /// Path in the container.
    pub target: Option<String>,
    /// Command for `sync+exec`.
    pub exec: Hook,
    /// Patterns to include.
    pub include: Vec<String>,
    /// Patterns to leave out.
    pub ignore: Vec<String>,
    /// Whether everything is copied when the watch starts.
    pub initial_sync: bool,
    /// `x-*` attributes.
    pub extensions: Extensions,
}
