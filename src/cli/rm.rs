//! `rm`: removes stopped containers.

use std::process::ExitCode;

use super::{Context, Error};

/// Options of `rm`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Do not ask
    #[arg(short = 'f', long)]
    pub force: bool,

    /// Stop containers that run first
    #[arg(short = 's', long)]
    pub stop: bool,

    /// Also remove the anonymous volumes of the containers
    #[arg(short = 'v', long)]
    pub volumes: bool,

    /// No effect (deprecated)
    #[arg(short = 'a', long, hide = true)]
    pub all: bool,

    /// Services to act on (default: all)
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
}

/// Removes stopped containers.
pub async fn run(_context: &Context, _args: Args) -> Result<ExitCode, Error> {
    Err(Error::user("rm is not available in this build"))
}
