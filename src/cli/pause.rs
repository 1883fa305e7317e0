//! `pause` and `unpause`: freeze containers and let them go on.

use std::process::ExitCode;

use super::session::{Session, Work};
use super::{Context, Error};
use crate::plan::reconcile;
use crate::run::observe::Wants;

/// Options of `pause` and `unpause`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Services to act on (default: all)
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
}

/// Freezes running containers.
pub async fn pause(context: &Context, args: Args) -> Result<ExitCode, Error> {
    let session = Session::open_by_name(context, &args.services).await?;
    let observed = session.observe(&Wants::containers(&session.name)).await?;
    let plan = reconcile::pause(&session.scope(&observed), &observed, &args.services)
        .map_err(|error| session.plan_error(error))?;
    session
        .perform(plan, Work::thorough("Pausing", &observed))
        .await?;
    Ok(ExitCode::SUCCESS)
}

/// Lets frozen containers go on.
pub async fn unpause(context: &Context, args: Args) -> Result<ExitCode, Error> {
    let session = Session::open_by_name(context, &args.services).await?;
    let observed = session.observe(&Wants::containers(&session.name)).await?;
    let plan = reconcile::unpause(&session.scope(&observed), &observed, &args.services)
        .map_err(|error| session.plan_error(error))?;
    session
        .perform(plan, Work::thorough("Unpausing", &observed))
        .await?;
    Ok(ExitCode::SUCCESS)
}
