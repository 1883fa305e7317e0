//! `man`: manual pages, one a command.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::CommandFactory as _;

use super::args::Cli;
use super::{Context, Error};
use crate::ui;

/// Options of `man`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  rcompose man | man -l -                    the first page
  rcompose man /usr/local/share/man/man1     all pages, for good")]
pub struct Args {
    /// Folder to write a page of each command to (default: only the first page, to standard output)
    #[arg(value_name = "DIR")]
    pub folder: Option<PathBuf>,
}

/// Writes the pages.
#[expect(clippy::unused_async, reason = "commands share one signature")]
pub async fn run(_context: &Context, args: Args) -> Result<ExitCode, Error> {
    let command = Cli::command();
    let Some(folder) = args.folder else {
        let mut page = Vec::new();
        clap_mangen::Man::new(command).render(&mut page)?;
        ui::out::stdout(&String::from_utf8_lossy(&page))?;
        return Ok(ExitCode::SUCCESS);
    };
    std::fs::create_dir_all(&folder)
        .and_then(|()| clap_mangen::generate_to(command, &folder))
        .map_err(|error| {
            Error::user(format!("no pages in {}: {error}", folder.display()))
                .help("name a folder that can be written to")
        })?;
    Ok(ExitCode::SUCCESS)
}
