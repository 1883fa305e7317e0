//! `pull`: pulls the images of services.

use std::process::ExitCode;

use super::{Context, Error};

/// Options of `pull`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Skip images that can be built
    #[arg(long)]
    pub ignore_buildable: bool,

    /// Pull what can be pulled and go on after failures
    #[arg(long)]
    pub ignore_pull_failures: bool,

    /// Also pull the images of services that these depend on
    #[arg(long)]
    pub include_deps: bool,

    /// When to pull: missing or always
    #[arg(long, value_name = "WHEN")]
    pub policy: Option<String>,

    /// Do not show progress
    #[arg(short = 'q', long)]
    pub quiet: bool,

    /// Pull one image at a time (deprecated)
    #[arg(long, hide = true)]
    pub no_parallel: bool,

    /// Pull several images at once (deprecated)
    #[arg(long, hide = true)]
    pub parallel: bool,

    /// Services to act on (default: all)
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
}

/// Pulls images.
pub async fn run(_context: &Context, _args: Args) -> Result<ExitCode, Error> {
    Err(Error::user("pull is not available in this build"))
}
