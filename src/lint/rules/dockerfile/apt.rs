//! Commands of apt, and what is known of them.

use crate::dockerfile::shell::Command;

/// What apt can be told to do.
const ACTIONS: [&str; 12] = [
    "update",
    "install",
    "reinstall",
    "upgrade",
    "dist-upgrade",
    "full-upgrade",
    "remove",
    "purge",
    "autoremove",
    "build-dep",
    "clean",
    "autoclean",
];

/// What a command of apt-get or apt does: `install`.
pub(super) fn action(command: &Command) -> Option<&str> {
    if !matches!(command.program(), "apt-get" | "apt" | "aptitude") {
        return None;
    }
    let mut operands = command.operands().map(|word| word.text.as_str());
    operands.find(|word| ACTIONS.contains(word))
}

/// Whether a command of apt does this.
pub(super) fn does(command: &Command, wanted: &str) -> bool {
    action(command) == Some(wanted)
}
