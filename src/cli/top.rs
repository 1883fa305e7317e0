//! `top`: shows the processes of containers.

use std::process::ExitCode;

use super::{Context, Error};

/// Options of `top`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Services to act on (default: all)
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
}

/// Shows processes.
pub async fn run(_context: &Context, _args: Args) -> Result<ExitCode, Error> {
    Err(Error::user("top is not available in this build"))
}
