//! `version`: shows the version.

use std::process::ExitCode;

use super::{Context, Error};
use crate::ui;

/// Options of `version`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Example:
  rcompose version --short")]
pub struct Args {
    /// Format of the output: pretty or json
    #[arg(short = 'f', long, value_name = "FORMAT")]
    pub format: Option<String>,

    /// Print the version number only
    #[arg(long)]
    pub short: bool,
}

/// Prints the version.
#[allow(clippy::unused_async, reason = "commands share one signature")]
pub async fn run(_context: &Context, args: Args) -> Result<ExitCode, Error> {
    ui::out::stdout(&text(&args))?;
    Ok(ExitCode::SUCCESS)
}

fn text(args: &Args) -> String {
    let version = env!("CARGO_PKG_VERSION");
    if args.short {
        return format!("{version}\n");
    }
    match args.format.as_deref() {
        Some("json") => format!("{}\n", serde_json::json!({ "version": version })),
        _ => format!("rcompose version {version}\n"),
    }
}
