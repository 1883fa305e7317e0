//! `stop`: stops containers without removing them.

use std::process::ExitCode;

use super::{Context, Error};

/// Options of `stop`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Seconds to let containers stop by themselves
    #[arg(
        short = 't',
        long,
        value_name = "SECONDS",
        allow_negative_numbers = true
    )]
    pub timeout: Option<i64>,

    /// Services to act on (default: all)
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
}

/// Stops containers.
pub async fn run(_context: &Context, _args: Args) -> Result<ExitCode, Error> {
    Err(Error::user("stop is not available in this build"))
}
