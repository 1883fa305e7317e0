//! `rm`: removes stopped containers.

use std::process::ExitCode;

use super::session::{Session, Work};
use super::{Context, Error, prompt};
use crate::plan::options::Remove;
use crate::plan::reconcile;
use crate::plan::{Action, Plan};
use crate::run::observe::Wants;
use crate::ui;

/// Options of `rm`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  rcompose rm --stop --force web
  rcompose rm -v                             with anonymous volumes")]
pub struct Args {
    /// Do not ask
    #[arg(short = 'f', long)]
    pub force: bool,

    /// Stop containers that run first
    #[arg(short = 's', long)]
    pub stop: bool,

    /// Also remove the anonymous volumes of the containers
    #[arg(short = 'v', long)]
    pub volumes: bool,

    /// No effect (deprecated)
    #[arg(short = 'a', long, hide = true)]
    pub all: bool,

    /// Services to act on (default: all)
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
}

/// Removes stopped containers.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, Error> {
    let session = Session::open_by_name(context, &args.services).await?;
    let observed = session.observe(&Wants::containers(&session.name)).await?;
    let options = Remove {
        services: args.services,
        stop: args.stop,
        volumes: args.volumes,
        force: args.force,
    };
    let plan = reconcile::remove(&session.scope(&observed), &observed, &options)
        .map_err(|error| session.plan_error(error))?;
    let names = removed(&plan);
    if names.is_empty() {
        ui::out::stderr("No stopped containers\n")?;
        return Ok(ExitCode::SUCCESS);
    }
    let question = format!("Going to remove {}", names.join(", "));
    if args.force || context.dry_run() {
        ui::out::stdout(&format!("{question}\n"))?;
    } else if !prompt::confirm(&question, false)? {
        return Ok(ExitCode::SUCCESS);
    }
    session
        .perform(plan, Work::thorough("Removing", &observed))
        .await?;
    Ok(ExitCode::SUCCESS)
}

/// Names of the containers a plan removes.
fn removed(plan: &Plan) -> Vec<&str> {
    let steps = plan.steps.iter();
    steps
        .filter_map(|step| match &step.action {
            Action::Remove { container, .. } => Some(container.name.as_str()),
            _ => None,
        })
        .collect()
}
