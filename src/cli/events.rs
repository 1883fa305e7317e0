//! `events`: tells what happens to the containers of a project.

use std::process::ExitCode;

use futures::{StreamExt as _, pin_mut};
use jiff::tz::TimeZone;

use super::{Context, Error};
use crate::run::happenings::{self, Window};
use crate::ui::{self, happenings as show};

/// Options of `events`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  rcompose events --json
  rcompose events --since 10m web")]
pub struct Args {
    /// Print one JSON object a line
    #[arg(long)]
    pub json: bool,

    /// Start at this time: a timestamp, or a duration such as 42m before now
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub since: Option<String>,

    /// End at this time: a timestamp, or a duration such as 42m before now
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub until: Option<String>,

    /// Services to watch (default: all)
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
}

/// Shows events until interrupted or until the end of the window.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, Error> {
    let window = Window::parse(args.since.as_deref(), args.until.as_deref())?;
    let name = context.project_name()?;
    let docker = context.connect().await?;
    let zone = TimeZone::system();
    let events = happenings::follow(&docker, &name, window);
    pin_mut!(events);
    while let Some(event) = events.next().await {
        let event = event?;
        if !args.services.is_empty() && !args.services.contains(&event.service) {
            continue;
        }
        ui::out::stdout(&if args.json {
            show::json(&event)
        } else {
            show::text(&event, &zone)
        })?;
    }
    Ok(ExitCode::SUCCESS)
}
