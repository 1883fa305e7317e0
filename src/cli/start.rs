//! `start`: starts containers that exist.

use std::process::ExitCode;

use super::{Context, Error};

/// Options of `start`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Wait until services run or are healthy
    #[arg(long)]
    pub wait: bool,

    /// Seconds to wait at most
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    pub wait_timeout: u64,

    /// Services to act on (default: all)
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
}

/// Starts containers.
pub async fn run(_context: &Context, _args: Args) -> Result<ExitCode, Error> {
    Err(Error::user("start is not available in this build"))
}
