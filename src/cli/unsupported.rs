//! Commands of docker compose that do not exist here: refused by name, with the reason.

/// By what stands after `docker compose`, and why.
const COMMANDS: &[(&str, &str)] = &[("alpha generate", GENERATE)];

const GENERATE: &str = "an experiment of docker compose: write the file by hand, \"docker inspect\" tells what is in the containers";
/// Why a command does not exist; nothing where it is not one of docker compose's, or exists.
#[cfg(test)]
pub(super) fn reason(command: &str) -> Option<&'static str> {
    let begins = |known: &str| {
        command
            .strip_prefix(known)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    };
    COMMANDS
        .iter()
        .find(|(known, _)| begins(known))
        .map(|(_, reason)| *reason)
}

/// The message for a command that the command line does not know, by its last word, and what to
/// do instead.
pub(super) fn message(name: &str) -> Option<(String, &'static str)> {
    let command = COMMANDS
        .iter()
        .find(|(known, _)| known.split(' ').next_back() == Some(name))?;
    Some((
        format!("the command \"{name}\" is not supported"),
        command.1,
    ))
}
