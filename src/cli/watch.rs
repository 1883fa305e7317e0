//! `watch`: refreshes containers when their source files change.

use std::process::ExitCode;

use super::creation::{self, Making};
use super::session::{INTERRUPTED, Session, Work, until_signal};
use super::watching::{Options, Watching};
use super::{Context, Error};
use crate::plan::options::{Build, Up};

/// Options of `watch`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  rcompose watch                               start everything, then watch
  rcompose watch --no-up web                   what runs already")]
pub struct Args {
    /// Do not build and start services first
    #[arg(long)]
    pub no_up: bool,

    /// Remove images that a rebuild leaves without a name (default: true)
    #[arg(
        long,
        action = clap::ArgAction::Set,
        default_value_t = true,
        default_missing_value = "true",
        num_args = 0..=1,
        require_equals = true,
        hide_default_value = true,
        value_name = "BOOL"
    )]
    pub prune: bool,

    /// Do not show the output of builds
    #[arg(long)]
    pub quiet: bool,

    /// Services to watch (default: all)
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
}

/// Watches until the person ends it.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, Error> {
    let session = Session::open(context, &args.services).await?;
    for service in &args.services {
        let project = session.project()?;
        if !project.services.contains_key(service) {
            return Err(Error::no_such_service(service, project));
        }
    }
    let options = Options {
        prune: args.prune,
        quiet: args.quiet,
        no_build: false,
    };
    let token = until_signal();
    let watching = Watching::prepare(&session, &args.services, options, token.clone())?;
    if !args.no_up {
        let mut options = Up {
            services: args.services.clone(),
            inherit_volumes: true,
            start: true,
            build: Build::Always,
            now: creation::now(),
            ..Up::default()
        };
        let making = Making {
            quiet_build: args.quiet,
            ..Making::default()
        };
        let prepared = creation::prepare(&session, &mut options, making).await?;
        let work = Work::new("Running", &prepared.observed);
        session.perform(prepared.plan, work).await?;
    }
    if context.dry_run() {
        return Ok(ExitCode::SUCCESS);
    }
    watching.run().await?;
    Err(Error::Exit(INTERRUPTED))
}
