//! `ls`: lists the projects of the engine.

use std::process::ExitCode;

use super::{Context, Error};

/// Options of `ls`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Also list projects that do not run
    #[arg(short = 'a', long)]
    pub all: bool,

    /// Only list projects for which this holds: name=PATTERN
    #[arg(long, value_name = "KEY=VALUE")]
    pub filter: Vec<String>,

    /// Format of the output: table or json
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: String,

    /// Print the project names only
    #[arg(short = 'q', long)]
    pub quiet: bool,
}

/// Lists projects.
pub async fn run(_context: &Context, _args: Args) -> Result<ExitCode, Error> {
    Err(Error::user("ls is not available in this build"))
}
