//! `kill`: sends a signal to running containers.

use std::process::ExitCode;

use super::session::{Session, Work};
use super::{Context, Error};
use crate::plan::options::Kill;
use crate::plan::reconcile;
use crate::run::observe::Wants;
use crate::ui;

/// Options of `kill`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  rcompose kill web
  rcompose kill -s SIGHUP web                a signal of your choice")]
pub struct Args {
    /// Remove containers of services that the compose files do not define
    #[arg(long)]
    pub remove_orphans: bool,

    /// Signal to send
    #[arg(short = 's', long, value_name = "SIGNAL", default_value = "SIGKILL")]
    pub signal: String,

    /// Services to act on (default: all)
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
}

/// Signals containers.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, Error> {
    let session = Session::open_by_name(context, &args.services).await?;
    let observed = session.observe(&Wants::containers(&session.name)).await?;
    let options = Kill {
        services: args.services,
        signal: args.signal,
        remove_orphans: args.remove_orphans || context.flag("COMPOSE_REMOVE_ORPHANS"),
        all: false,
    };
    let plan = reconcile::kill(&session.scope(&observed), &observed, &options);
    if plan.steps.is_empty() {
        ui::out::stderr("no container to kill\n")?;
        return Ok(ExitCode::SUCCESS);
    }
    session
        .perform(plan, Work::thorough("Killing", &observed))
        .await?;
    Ok(ExitCode::SUCCESS)
}
