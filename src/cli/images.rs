//! `images`: lists the images that containers were made from.

use std::process::ExitCode;

use super::{Context, Error};

/// Options of `images`.
#[derive(Debug, Clone, clap::Args)]
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
pub async fn run(_context: &Context, _args: Args) -> Result<ExitCode, Error> {
    Err(Error::user("images is not available in this build"))
}
