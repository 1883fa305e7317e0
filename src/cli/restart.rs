//! `restart`: restarts containers.

use std::process::ExitCode;

use super::session::{Session, Work};
use super::{Context, Error};
use crate::plan::options::Restart;
use crate::plan::reconcile;
use crate::run::observe::Wants;

/// Options of `restart`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  rcompose restart web
  rcompose restart --no-deps -t 3 web")]
pub struct Args {
    /// Leave services that depend on these alone
    #[arg(long)]
    pub no_deps: bool,

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

/// Restarts containers.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, Error> {
    // Dependents of the named services count too, so all services are loaded.
    let mut session = Session::open_by_name(context, &[]).await?;
    session.enable(&args.services);
    let observed = session.observe(&Wants::containers(&session.name)).await?;
    let options = Restart {
        services: args.services,
        no_deps: args.no_deps,
        timeout: args.timeout,
    };
    let plan = reconcile::restart(&session.scope(&observed), &observed, &options)
        .map_err(|error| session.plan_error(error))?;
    session
        .perform(plan, Work::new("Restarting", &observed))
        .await?;
    Ok(ExitCode::SUCCESS)
}
