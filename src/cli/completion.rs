//! `completion`: prints a script that completes commands and options in a shell.

use std::process::ExitCode;

use clap::CommandFactory;
use clap_complete::Shell;

use super::args::Cli;
use super::{Context, Error};
use crate::ui;

/// Options of `completion`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Shell to complete in
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}

/// Prints the script.
#[expect(clippy::unused_async, reason = "commands share one signature")]
pub async fn run(_context: &Context, args: Args) -> Result<ExitCode, Error> {
    ui::out::stdout(&script(args.shell))?;
    Ok(ExitCode::SUCCESS)
}

fn script(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "rcompose", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shell_learns_the_commands() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish, Shell::PowerShell] {
            let script = script(shell);
            assert!(script.contains("logs"), "{shell}");
            assert!(script.contains("no-log-prefix"), "{shell}");
        }
    }
}
