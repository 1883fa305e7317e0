//! `pre_start`, `post_start`, `pre_stop` and the `exec` of a watch trigger.

use super::combinators::{non_empty, record};
use super::command::command;
use super::mapping::environment;
use super::scalar::{flag, text};
use crate::compose::model::Hook;

record! {
    /// A command run inside the container.
    pub(super) fn hook -> Hook = Hook::default();
    extensions extensions;
    require ["command"];
    "command" => command: command,
    "user" => user: non_empty(text),
    "privileged" => privileged: flag,
    "working_dir" => working_dir: non_empty(text),
    "environment" => environment: environment,
}

record! {
    /// A container run before the service starts.
    pub(super) fn pre_start -> Hook = Hook::default();
    extensions extensions;
    require [];
    "image" => image: non_empty(text),
    "command" => command: command,
    "user" => user: non_empty(text),
    "privileged" => privileged: flag,
    "working_dir" => working_dir: non_empty(text),
    "environment" => environment: environment,
    "per_replica" => per_replica: flag,
}
