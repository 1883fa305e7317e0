//! `push`: pushes the images of services.

use std::collections::BTreeMap;
use std::process::ExitCode;

use super::session::with_place;
use super::{Context, Error, pull};
use crate::compose::model::Service;
use crate::connect::Engine;
use crate::run;
use crate::run::push::{self, Options};

/// Options of `push`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  rcompose push                                all images that are built
  rcompose build web && rcompose push web")]
pub struct Args {
    /// Push what can be pushed and go on after failures
    #[arg(long)]
    pub ignore_push_failures: bool,

    /// Also push the images of services that these depend on
    #[arg(long)]
    pub include_deps: bool,

    /// Do not show progress
    #[arg(short = 'q', long)]
    pub quiet: bool,

    /// Services to act on (default: all)
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
}

/// Pushes images.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, Error> {
    let options = Options {
        ignore_failures: args.ignore_push_failures,
        parallel: context.settings.parallel,
        dry_run: context.dry_run(),
    };
    let loaded = context.load_for_images(context.load_options(&args.services))?;
    let project = &loaded.project;
    let services = pull::chosen(&args.services, args.include_deps, project)?;
    let engine = context.engine().await?;
    push_images(context, &engine, &services, options, args.quiet)
        .await
        .map_err(|error| with_place(error, project, &loaded.sources))?;
    Ok(ExitCode::SUCCESS)
}

/// Pushes the images of services and shows the progress.
pub(super) async fn push_images(
    context: &Context,
    engine: &Engine,
    services: &BTreeMap<String, &Service>,
    options: Options,
    quiet: bool,
) -> Result<(), run::Error> {
    let (sender, screen) = context.progress_unless(quiet, "Pushing");
    let result = tokio::select! {
        result = push::push_services(&engine.docker, services, options, &sender) => result,
        _ = tokio::signal::ctrl_c() => Err(run::Error::interrupted()),
    };
    drop(sender);
    if let Some(screen) = screen {
        screen.finish().await;
    }
    result
}
