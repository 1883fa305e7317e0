//! `images`: lists the images that containers were made from.

use std::process::ExitCode;

use jiff::Timestamp;

use super::ls::json_asked;
use super::{Context, Error};
use crate::run::list::{self, Query};
use crate::ui::{self, images};

/// Options of `images`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  rcompose images
  rcompose images --format json web")]
pub struct Args {
    /// Format of the output: table or json
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: String,

    /// Print the image ids only
    #[arg(short = 'q', long)]
    pub quiet: bool,

    /// Services to act on (default: all)
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
}

/// Lists images.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, Error> {
    let as_json = json_asked(&args.format)?;
    let name = context.project_name()?;
    let docker = context.connect().await?;
    let query = Query {
        project: Some(&name),
        stopped: true,
        one_offs: true,
        foreign: true,
    };
    let mut listed = list::containers(&docker, query).await?;
    listed.retain(|container| {
        args.services.is_empty() || args.services.iter().any(|name| name == container.service())
    });
    let used = list::images(&docker, &listed).await?;
    ui::out::stdout(&if args.quiet {
        images::ids(&used)
    } else if as_json {
        images::json(&used)
    } else {
        images::table(&used, Timestamp::now())
    })?;
    Ok(ExitCode::SUCCESS)
}
