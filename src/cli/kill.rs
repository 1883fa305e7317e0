//! `kill`: sends a signal to running containers.

use std::process::ExitCode;

use super::{Context, Error};

/// Options of `kill`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Remove containers of services that the compose files do not define
    #[arg(long)]
    pub remove_orphans: bool,

    /// Signal to send
    #[arg(short = 's', long, value_name = "SIGNAL", default_value = "SIGKILL")]
    pub signal: String,

    /// Services to act on (default: all)
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
}

/// Signals containers.
pub async fn run(_context: &Context, _args: Args) -> Result<ExitCode, Error> {
    Err(Error::user("kill is not available in this build"))
}
