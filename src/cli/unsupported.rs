//! Commands of docker compose that do not exist here yet: refused by name.

const COMMANDS: &[&str] = &[
    "alpha", "attach", "bridge", "commit", "cp", "export", "publish", "push", "stats", "wait",
    "watch",
];

/// The message for a known command that is not supported yet.
pub(super) fn message(name: &str) -> Option<String> {
    COMMANDS
        .contains(&name)
        .then(|| format!("the command \"{name}\" is not supported yet"))
}
