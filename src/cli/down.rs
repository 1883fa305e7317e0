//! `down`: stops and removes what `up` made.

use std::process::ExitCode;

use super::{Context, Error};

/// Options of `down`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Remove containers of services that the compose files do not define
    #[arg(long)]
    pub remove_orphans: bool,

    /// Also remove images: "local" for those without a tag of your own, "all" for every one
    #[arg(long, value_name = "WHICH")]
    pub rmi: Option<String>,

    /// Seconds to let containers stop by themselves
    #[arg(
        short = 't',
        long,
        value_name = "SECONDS",
        allow_negative_numbers = true
    )]
    pub timeout: Option<i64>,

    /// Also remove the named volumes of the project and the anonymous ones of its containers
    #[arg(short = 'v', long)]
    pub volumes: bool,

    /// Services to act on (default: all)
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
}

/// Stops and removes containers and networks.
pub async fn run(_context: &Context, _args: Args) -> Result<ExitCode, Error> {
    Err(Error::user("down is not available in this build"))
}
