//! `top`: shows the processes of containers.

use std::process::ExitCode;

use super::{Context, Error};
use crate::run::list::{self, Query};
use crate::ui::{self, top};

/// Options of `top`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Example:
  rcompose top web")]
pub struct Args {
    /// Services to act on (default: all)
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
}

/// Shows processes.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, Error> {
    let name = context.project_name()?;
    let docker = context.connect().await?;
    let query = Query {
        project: Some(&name),
        one_offs: true,
        ..Query::default()
    };
    let mut listed = list::containers(&docker, query).await?;
    listed.retain(|container| {
        args.services.is_empty() || args.services.iter().any(|name| name == container.service())
    });
    let processes = list::processes(&docker, &listed).await?;
    ui::out::stdout(&top::table(&processes))?;
    Ok(ExitCode::SUCCESS)
}
