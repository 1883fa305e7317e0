//! `stop`: stops containers without removing them.

use std::process::ExitCode;

use super::session::{Session, Work};
use super::{Context, Error};
use crate::plan::options::Stop;
use crate::plan::reconcile;
use crate::run::observe::Wants;

/// Options of `stop`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  rcompose stop
  rcompose stop -t 3 web")]
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
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, Error> {
    let session = Session::open_by_name(context, &args.services).await?;
    let observed = session.observe(&Wants::containers(&session.name)).await?;
    let options = Stop {
        services: args.services,
        timeout: args.timeout,
    };
    let plan = reconcile::stop(&session.scope(&observed), &observed, &options)
        .map_err(|error| session.plan_error(error))?;
    session
        .perform(plan, Work::thorough("Stopping", &observed))
        .await?;
    Ok(ExitCode::SUCCESS)
}
