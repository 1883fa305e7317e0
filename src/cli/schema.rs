//! `schema`: prints the JSON Schema of compose files.

use std::process::ExitCode;

use super::{Context, Error};
use crate::ui;

/// Generated from the decoders and the model; a test keeps it current.
const SCHEMA: &str = include_str!("../../schemas/compose.schema.json");

/// Options of `schema`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Example:
  rcompose schema -o compose.schema.json")]
pub struct Args {
    /// File to write to instead of standard output
    #[arg(short = 'o', long, value_name = "FILE")]
    pub output: Option<std::path::PathBuf>,
}

/// Prints the schema.
#[expect(clippy::unused_async, reason = "commands share one signature")]
pub async fn run(_context: &Context, args: Args) -> Result<ExitCode, Error> {
    match &args.output {
        None => ui::out::stdout(SCHEMA)?,
        Some(path) => std::fs::write(path, SCHEMA)
            .map_err(|error| Error::user(format!("cannot write {}: {error}", path.display())))?,
    }
    Ok(ExitCode::SUCCESS)
}
