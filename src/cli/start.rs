//! `start`: starts containers that exist.

use std::process::ExitCode;

use super::session::{Session, Work};
use super::{Context, Error};
use crate::plan::options::Start;
use crate::plan::reconcile;
use crate::run::observe::Wants;

/// Options of `start`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  rcompose start web
  rcompose start --wait --wait-timeout 30")]
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
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, Error> {
    let session = Session::open_by_name(context, &args.services).await?;
    let observed = session.observe(&Wants::containers(&session.name)).await?;
    let options = Start {
        services: args.services,
        wait: args.wait,
        wait_timeout: Some(args.wait_timeout).filter(|seconds| *seconds > 0),
    };
    let plan = reconcile::start(
        &session.scope(&observed),
        session.project.as_deref(),
        &observed,
        &session.settings,
        &options,
    )
    .map_err(|error| session.plan_error(error))?;
    session
        .perform(plan, Work::new("Running", &observed))
        .await?;
    Ok(ExitCode::SUCCESS)
}
