//! `plan`: what `up` would do, and why, without doing it.

use std::process::ExitCode;
use std::sync::Arc;

use super::session::Session;
use super::{Context, Error, creation};
use crate::plan::options::{Recreate, Up};
use crate::plan::{explain, reconcile};
use crate::ui;

/// Options of `plan`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  rcompose plan
  rcompose plan --build web")]
pub struct Args {
    /// As if "up --build"
    #[arg(long)]
    pub build: bool,

    /// As if "up --force-recreate"
    #[arg(long)]
    pub force_recreate: bool,

    /// Leave out the services that these depend on
    #[arg(long)]
    pub no_deps: bool,

    /// As if "up --remove-orphans"
    #[arg(long)]
    pub remove_orphans: bool,

    /// Number of containers of a service, in place of what the file says
    #[arg(long, value_name = "SERVICE=N")]
    pub scale: Vec<String>,

    /// Services to plan for (default: all)
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
}

/// Prints the steps with their reasons.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, Error> {
    let session = Session::open(context, &args.services).await?;
    let project = Arc::clone(session.project()?);
    let (remove_orphans, ignore_orphans) =
        creation::orphans(context, &project, args.remove_orphans)?;
    let options = Up {
        no_deps: args.no_deps,
        recreate: if args.force_recreate {
            Recreate::Force
        } else {
            Recreate::Diverged
        },
        scale: creation::scale(&project, &args.scale)?,
        services: args.services,
        remove_orphans,
        ignore_orphans,
        build: creation::build(args.build, false)?,
        now: creation::now(),
        ..Up::default()
    };
    let wants = session.wants_for_up(&project, &options.services);
    let observed = session.observe(&wants).await?;
    let settings = &session.settings;
    let images = reconcile::images(&project, &observed, settings, &options)
        .map_err(|error| session.plan_error(error))?;
    session.warn(&images.warnings)?;
    let rest = reconcile::up(&project, &observed, settings, &options)
        .map_err(|error| session.plan_error(error))?;
    session.warn(&rest.warnings)?;
    let mut lines = explain::lines(&images);
    lines.extend(explain::lines(&rest));
    if lines.is_empty() {
        lines.push("nothing to do".to_owned());
    }
    ui::out::stdout(&(lines.join("\n") + "\n"))?;
    Ok(ExitCode::SUCCESS)
}
