//! `bridge`: turns the project into files for something else, by images that know how.

mod convert;
mod model;
mod transformations;

use std::process::ExitCode;

use super::{Context, Error};

/// The transformation that is used where none is named.
const DEFAULT: &str = "docker/compose-bridge-kubernetes";

/// Options of `bridge`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Example:
  rcompose bridge convert -t team/to-nomad -o nomad")]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands of `bridge`.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum Command {
    /// Turn the project into files, by default manifests for Kubernetes
    Convert(convert::Args),
    /// Look after the images that do so
    Transformations(transformations::Args),
}

/// Runs the command.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, Error> {
    match args.command {
        Command::Convert(args) => convert::run(context, args).await,
        Command::Transformations(args) => transformations::run(context, args).await,
    }
}
