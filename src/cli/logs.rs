//! `logs`: shows what containers wrote.

use std::process::ExitCode;

use super::{Context, Error};

/// Options of `logs`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Go on showing new output
    #[arg(short = 'f', long)]
    pub follow: bool,

    /// Number of the container when the service has several replicas
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub index: u64,

    /// Do not colour the prefixes
    #[arg(long)]
    pub no_color: bool,

    /// Do not prefix lines with the name of the container
    #[arg(long)]
    pub no_log_prefix: bool,

    /// Start at this time: a timestamp, or a duration such as 42m before now
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub since: Option<String>,

    /// Number of lines to show from the end of each log, or "all"
    #[arg(
        short = 'n',
        long,
        value_name = "LINES",
        default_value = "all",
        allow_hyphen_values = true
    )]
    pub tail: String,

    /// Show when each line was written
    #[arg(short = 't', long)]
    pub timestamps: bool,

    /// End at this time: a timestamp, or a duration such as 42m before now
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub until: Option<String>,

    /// Services to act on (default: all)
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
}

/// Shows logs.
pub async fn run(_context: &Context, _args: Args) -> Result<ExitCode, Error> {
    Err(Error::user("logs is not available in this build"))
}
