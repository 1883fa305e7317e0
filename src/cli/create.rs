//! `create`: creates containers without starting them.

use std::process::ExitCode;

use super::creation::{self, Making};
use super::session::{Session, Work};
use super::{Context, Error};
use crate::plan::options::{Recreate, Up};

/// Options of `create`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  rcompose create                            all services, none started
  rcompose create --build web")]
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
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, Error> {
    let session = Session::open(context, &args.services).await?;
    let project = session.project()?;
    let (remove_orphans, ignore_orphans) =
        creation::orphans(context, project, args.remove_orphans)?;
    let mut options = Up {
        recreate: creation::recreate(args.force_recreate, args.no_recreate)?,
        recreate_dependencies: Recreate::Diverged,
        scale: creation::scale(project, &args.scale)?,
        services: args.services,
        remove_orphans,
        ignore_orphans,
        start: false,
        build: creation::build(args.build, args.no_build)?,
        pull: creation::pull(&args.pull)?,
        now: creation::now(),
        ..Up::default()
    };
    if args.no_recreate {
        options.recreate_dependencies = Recreate::Never;
    }
    let making = Making {
        quiet_pull: args.quiet_pull,
        quiet_build: false,
        yes: args.yes,
    };
    let prepared = creation::prepare(&session, &mut options, making).await?;
    let work = Work::new("Creating", &prepared.observed);
    session.perform(prepared.plan, work).await?;
    Ok(ExitCode::SUCCESS)
}
