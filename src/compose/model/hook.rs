//! `pre_start`, `post_start`, `pre_stop` and the `exec` of a watch trigger.

use super::{Environment, Extensions, ShellCommand};

/// A command run at a point of a container's life.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Hook {
    /// The image of a `pre_start` container; the service's where absent.
    pub image: Option<String>,
    /// The command and its arguments.
    pub command: ShellCommand,
    /// User to run it as.
    pub user: Option<String>,
    /// Whether it gets all capabilities.
    pub privileged: bool,
    /// Folder to run it in.
    pub working_dir: Option<String>,
    /// Its environment.
    pub environment: Environment,
    /// `pre_start`: run before each replica instead of once per service.
    pub per_replica: bool,
    /// `x-*` attributes.
    pub extensions: Extensions,
}
