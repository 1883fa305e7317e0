//! `wait`: waits until containers have stopped.

use std::process::ExitCode;

use super::{Context, Error, down};
use crate::run::container_end;
use crate::run::select::{self, Wanted};
use crate::ui;

/// Options of `wait`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  rcompose wait migrations                     ends with the exit code of the service
  rcompose wait --down-project tests           and takes the project down afterwards")]
pub struct Args {
    /// Take the project down once the services have stopped
    #[arg(long)]
    pub down_project: bool,

    /// Services to wait for
    #[arg(value_name = "SERVICE", required = true)]
    pub services: Vec<String>,
}

/// Waits for containers and ends with the exit code of the last one.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, Error> {
    let (_, project) = context.project_or_name(&args.services)?;
    let engine = context.engine().await?;
    let wanted = Wanted {
        project: &project,
        services: &args.services,
        stopped: false,
        one_offs: true,
    };
    let targets = select::containers(&engine.docker, wanted).await?;
    if targets.is_empty() {
        let services = args.services.join(", ");
        return Err(
            Error::user(format!("no containers for project \"{project}\"")).help(format!(
                "none of these services has a running one: {services}"
            )),
        );
    }
    let code = container_end::wait(&engine, &targets, |target, code| {
        ui::out::stdout(&format!(
            "container \"{}\" exited with status code {code}\n",
            target.id
        ))
    })
    .await?;
    if args.down_project {
        down::run(context, down::Args::of_project()).await?;
    }
    match code {
        0 => Ok(ExitCode::SUCCESS),
        code => Ok(ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX))),
    }
}
