//! `stats`: shows what containers use.

use std::process::ExitCode;

use super::{Context, Error};
use crate::report::usage::Usage;
use crate::run::select::{self, Wanted};
use crate::run::stats::{self, Follow};
use crate::ui::listing::Format;
use crate::ui::{self, stats as rows};

/// Options of `stats`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  rcompose stats
  rcompose stats --no-stream --format json web
  rcompose stats --format \"table {{.Name}}\\t{{.MemUsage}}\"")]
pub struct Args {
    /// Also show containers that do not run
    #[arg(short = 'a', long)]
    pub all: bool,

    /// Format of the output: table, json, "table TEMPLATE" or a Go template
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: String,

    /// Measure once instead of all the time
    #[arg(long)]
    pub no_stream: bool,

    /// Do not cut ids
    #[arg(long)]
    pub no_trunc: bool,

    /// Services to show (default: all)
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
}

/// Shows what containers use.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, Error> {
    let format = Format::new(&args.format, rows::COLUMNS)?;
    let (_, project) = context.project_or_name(&args.services)?;
    let engine = context.engine().await?;
    let wanted = Wanted {
        project: &project,
        services: &args.services,
        stopped: args.all,
        one_offs: true,
    };
    if args.no_stream {
        let targets = select::containers(&engine.docker, wanted).await?;
        let measured = stats::once(&engine, &targets).await?;
        ui::out::stdout(&text(&args, &format, &measured)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let redraw = context.settings.color_stdout;
    let mut follow = Follow::begin(&engine, wanted).await?;
    if redraw {
        ui::out::stdout(rows::CLEAR)?;
    }
    loop {
        let text = text(&args, &format, &follow.next().await?)?;
        if redraw {
            ui::out::stdout(&rows::redrawn(&text))?;
        } else {
            ui::out::stdout(&text)?;
        }
    }
}

fn text(args: &Args, format: &Format, measured: &[Usage]) -> Result<String, Error> {
    let rows: Vec<_> = measured
        .iter()
        .map(|usage| rows::row(usage, !args.no_trunc))
        .collect();
    Ok(format.render(&rows::header(), &rows)?)
}
