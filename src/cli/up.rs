//! `up`: creates and starts what the compose files describe.

use std::process::ExitCode;

use super::{Context, Error};

/// Options of `up`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Stop all containers when one stops; not with -d
    #[arg(long)]
    pub abort_on_container_exit: bool,

    /// Stop all containers when one fails; not with -d
    #[arg(long)]
    pub abort_on_container_failure: bool,

    /// Also recreate the services that these depend on; not with --no-recreate
    #[arg(long)]
    pub always_recreate_deps: bool,

    /// Show the output of this service only; not with --attach-dependencies
    #[arg(long, value_name = "SERVICE")]
    pub attach: Vec<String>,

    /// Also show the output of services that these depend on
    #[arg(long)]
    pub attach_dependencies: bool,

    /// Build images first
    #[arg(long)]
    pub build: bool,

    /// Leave containers running in the background
    #[arg(short = 'd', long)]
    pub detach: bool,

    /// Return the exit code of this service; implies --abort-on-container-exit
    #[arg(long, value_name = "SERVICE")]
    pub exit_code_from: Option<String>,

    /// Recreate containers even when nothing changed
    #[arg(long)]
    pub force_recreate: bool,

    /// Offer keyboard shortcuts while attached; not with -d
    #[arg(long)]
    pub menu: bool,

    /// Do not show the output of this service
    #[arg(long, value_name = "SERVICE")]
    pub no_attach: Vec<String>,

    /// Do not build images
    #[arg(long)]
    pub no_build: bool,

    /// Do not colour the prefixes
    #[arg(long)]
    pub no_color: bool,

    /// Leave the services that these depend on alone
    #[arg(long)]
    pub no_deps: bool,

    /// Do not prefix lines with the name of the container
    #[arg(long)]
    pub no_log_prefix: bool,

    /// Leave containers that exist as they are; not with --force-recreate
    #[arg(long)]
    pub no_recreate: bool,

    /// Create containers without starting them
    #[arg(long)]
    pub no_start: bool,

    /// When to pull: always, missing, never or policy
    #[arg(long, value_name = "WHEN", default_value = "policy")]
    pub pull: String,

    /// Do not show the output of builds
    #[arg(long)]
    pub quiet_build: bool,

    /// Do not show the progress of pulls
    #[arg(long)]
    pub quiet_pull: bool,

    /// Remove containers of services that the compose files do not define
    #[arg(long)]
    pub remove_orphans: bool,

    /// Give recreated containers new anonymous volumes
    #[arg(short = 'V', long)]
    pub renew_anon_volumes: bool,

    /// Number of containers of a service, in place of what the file says
    #[arg(long, value_name = "SERVICE=N")]
    pub scale: Vec<String>,

    /// Seconds to let containers stop by themselves
    #[arg(
        short = 't',
        long,
        value_name = "SECONDS",
        allow_negative_numbers = true
    )]
    pub timeout: Option<i64>,

    /// Show when each line was written
    #[arg(long)]
    pub timestamps: bool,

    /// Wait until services run or are healthy; implies -d
    #[arg(long)]
    pub wait: bool,

    /// Seconds to wait at most
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    pub wait_timeout: u64,

    /// Watch source files and refresh containers when they change
    #[arg(short = 'w', long)]
    pub watch: bool,

    /// Answer yes to every question
    #[arg(short = 'y', long, alias = "y")]
    pub yes: bool,

    /// Services to act on (default: all)
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
}

/// Brings the project up.
pub async fn run(_context: &Context, _args: Args) -> Result<ExitCode, Error> {
    Err(Error::user("up is not available in this build"))
}
