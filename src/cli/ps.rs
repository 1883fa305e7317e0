//! `ps`: lists containers.

use std::process::ExitCode;

use super::{Context, Error};

/// Options of `ps`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Also list stopped containers and those made by `run`
    #[arg(short = 'a', long)]
    pub all: bool,

    /// Only list containers for which this holds: status=STATUS
    #[arg(long, value_name = "KEY=VALUE")]
    pub filter: Option<String>,

    /// Format of the output: table, json, "table TEMPLATE" or a Go template
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: String,

    /// Do not cut long values
    #[arg(long)]
    pub no_trunc: bool,

    /// Also list containers of services that the compose files do not define (default: true)
    #[arg(
        long,
        action = clap::ArgAction::Set,
        default_value_t = true,
        default_missing_value = "true",
        num_args = 0..=1,
        require_equals = true,
        hide_default_value = true
    )]
    pub orphans: bool,

    /// Print the container ids only
    #[arg(short = 'q', long)]
    pub quiet: bool,

    /// Print the service names only
    #[arg(long)]
    pub services: bool,

    /// Only list containers in this state: paused, restarting, removing, running, dead, created
    /// or exited
    #[arg(long, value_name = "STATUS")]
    pub status: Vec<String>,

    /// Services to list (default: all)
    #[arg(value_name = "SERVICE")]
    pub selected: Vec<String>,
}

/// Lists containers.
pub async fn run(_context: &Context, _args: Args) -> Result<ExitCode, Error> {
    Err(Error::user("ps is not available in this build"))
}
