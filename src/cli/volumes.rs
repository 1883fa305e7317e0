//! `volumes`: lists the volumes of a project.

use std::process::ExitCode;

use super::{Context, Error};
use crate::report::ListedVolume;
use crate::run::list::{self, Query};
use crate::ui::listing::Format;
use crate::ui::{self, volumes};

/// Options of `volumes`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  rcompose volumes
  rcompose volumes -q db")]
pub struct Args {
    /// Format of the output: table, json, "table TEMPLATE" or a Go template
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: String,

    /// Print the volume names only
    #[arg(short = 'q', long)]
    pub quiet: bool,

    /// Only list volumes that running containers of these services use (default: all)
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
}

/// Lists volumes.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, Error> {
    let format = Format::new(&args.format, volumes::COLUMNS)?;
    let (loaded, name) = context.project_or_name(&args.services)?;
    if let Some(loaded) = &loaded {
        for service in &args.services {
            if !loaded.project.services.contains_key(service) {
                return Err(Error::no_such_service(service, &loaded.project));
            }
        }
    }
    let docker = context.connect().await?;
    let mut listed = list::volumes(&docker, &name).await?;
    if !args.services.is_empty() {
        let query = Query {
            project: Some(&name),
            one_offs: true,
            foreign: true,
            stopped: false,
        };
        let containers = list::containers(&docker, query).await?;
        listed.retain(|volume| {
            containers.iter().any(|container| {
                args.services.iter().any(|name| name == container.service())
                    && container.mounts.contains(&volume.name)
            })
        });
    }
    ui::out::stdout(&text(&args, &format, &listed)?)?;
    Ok(ExitCode::SUCCESS)
}

fn text(args: &Args, format: &Format, listed: &[ListedVolume]) -> Result<String, Error> {
    if args.quiet {
        return Ok(ui::out::lines(
            listed.iter().map(|volume| volume.name.as_str()),
        ));
    }
    let rows: Vec<_> = listed.iter().map(volumes::row).collect();
    Ok(format.render(&volumes::header(), &rows)?)
}
