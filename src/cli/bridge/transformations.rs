//! `bridge transformations`: the images of transformations.

use std::path::PathBuf;
use std::process::ExitCode;

use super::DEFAULT;
use crate::cli::ls::json_asked;
use crate::cli::{Context, Error};
use crate::run::bridge;
use crate::ui::{self, images};

/// Options of `bridge transformations`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands of `bridge transformations`.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum Command {
    /// Begin a transformation of your own with the templates of another
    Create(Create),
    /// List the transformations that the engine has
    #[command(alias = "ls")]
    List(List),
}

/// Options of `bridge transformations create`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Example:
  rcompose bridge transformations create --from team/to-nomad mine && docker build -t mine mine")]
pub struct Create {
    /// Image of the transformation whose templates to copy
    #[arg(short = 'f', long, value_name = "IMAGE")]
    pub from: Option<String>,

    /// Folder to make
    #[arg(value_name = "PATH")]
    pub path: PathBuf,
}

/// Options of `bridge transformations list`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Example:
  rcompose bridge transformations list --format json")]
pub struct List {
    /// Format of the output: table or json
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: String,

    /// Print the names only
    #[arg(short = 'q', long)]
    pub quiet: bool,
}

/// What an own transformation is built from.
const DOCKERFILE: &str = "\
FROM docker/compose-bridge-transformer
LABEL com.docker.compose.bridge=transformation
COPY templates /templates
";

/// Runs the command.
pub(super) async fn run(context: &Context, args: Args) -> Result<ExitCode, Error> {
    match args.command {
        Command::Create(args) => create(context, args).await,
        Command::List(args) => list(context, args).await,
    }
}

async fn create(context: &Context, args: Create) -> Result<ExitCode, Error> {
    let image = args.from.filter(|image| !image.is_empty());
    let image = image.unwrap_or_else(|| DEFAULT.to_owned());
    let folder = context.working_dir.join(&args.path);
    if folder.exists() {
        return Err(
            Error::user(format!("output folder {} already exists", folder.display()))
                .help("name one that does not"),
        );
    }
    let engine = context.engine().await?;
    if context.dry_run() {
        return Ok(ExitCode::SUCCESS);
    }
    let failed =
        |error: std::io::Error| Error::user(format!("cannot create {}: {error}", folder.display()));
    std::fs::create_dir_all(&folder).map_err(failed)?;
    if let Err(error) = bridge::copy_templates(&engine, &image, &folder).await {
        // It is empty, and would be in the way of the next attempt.
        let _ = std::fs::remove_dir(&folder);
        return Err(error.into());
    }
    std::fs::write(folder.join("Dockerfile"), DOCKERFILE).map_err(failed)?;
    let place = folder.display().to_string();
    ui::out::stdout(&format!("Transformer created in {place:?}\n"))?;
    Ok(ExitCode::SUCCESS)
}

async fn list(context: &Context, args: List) -> Result<ExitCode, Error> {
    let as_json = json_asked(&args.format)?;
    let engine = context.engine().await?;
    let found = bridge::transformations(&engine).await?;
    ui::out::stdout(&if args.quiet {
        images::transformation_names(&found)
    } else if as_json {
        images::transformations_json(&found)
    } else {
        images::transformations(&found)
    })?;
    Ok(ExitCode::SUCCESS)
}
