//! `create`: creates containers without starting them.

use std::process::ExitCode;

use super::{Context, Error};

/// Options of `create`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Build images first
    #[arg(long)]
    pub build: bool,

    /// Recreate containers even when nothing changed
    #[arg(long)]
    pub force_recreate: bool,

    /// Do not build images
    #[arg(long)]
    pub no_build: bool,

    /// Leave containers that exist as they are; not with --force-recreate
    #[arg(long)]
    pub no_recreate: bool,

    /// When to pull: always, missing, never, build or policy
    #[arg(long, value_name = "WHEN", default_value = "policy")]
    pub pull: String,

    /// Do not show the progress of pulls
    #[arg(long)]
    pub quiet_pull: bool,

    /// Remove containers of services that the compose files do not define
    #[arg(long)]
    pub remove_orphans: bool,

    /// Number of containers of a service, in place of what the file says
    #[arg(long, value_name = "SERVICE=N")]
    pub scale: Vec<String>,

    /// Answer yes to every question
    #[arg(short = 'y', long, alias = "y")]
    pub yes: bool,

    /// Services to act on (default: all)
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
}

/// Creates what `up` would create.
pub async fn run(_context: &Context, _args: Args) -> Result<ExitCode, Error> {
    Err(Error::user("create is not available in this build"))
}
