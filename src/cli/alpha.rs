//! `alpha`: what docker compose calls experimental.

use std::process::ExitCode;

use super::{Context, Error, publish, scale, watch};
use crate::ui;
use crate::ui::graph::{self, Options};

/// Options of `alpha`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Example:
  rcompose alpha viz --ports | dot -Tsvg > services.svg")]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands of `alpha`.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum Command {
    /// Push the compose files to a registry: now "rcompose publish"
    #[command(hide = true)]
    Publish(publish::Args),
    /// Change the number of containers of services: now "rcompose scale"
    #[command(hide = true)]
    Scale(scale::Args),
    /// Refresh containers when their source files change: now "rcompose watch"
    #[command(hide = true)]
    Watch(watch::Args),
    /// Print the services and what they depend on as a Graphviz graph
    Viz(Viz),
}

/// Options of `alpha viz`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Example:
  rcompose alpha viz --ports | dot -Tsvg > services.svg")]
pub struct Viz {
    /// Show the image of each service
    #[arg(long)]
    pub image: bool,

    /// Tabs or spaces that lines begin with
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1,
        allow_negative_numbers = true
    )]
    pub indentation_size: i64,

    /// Show the networks of each service
    #[arg(long)]
    pub networks: bool,

    /// Show the ports that each service publishes
    #[arg(long)]
    pub ports: bool,

    /// Indent with spaces instead of tabs
    #[arg(long)]
    pub spaces: bool,
}

/// Runs the command.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, Error> {
    match args.command {
        Command::Publish(args) => publish::run(context, args).await,
        Command::Scale(args) => scale::run(context, args).await,
        Command::Watch(args) => watch::run(context, args).await,
        Command::Viz(args) => viz(context, &args),
    }
}

fn viz(context: &Context, args: &Viz) -> Result<ExitCode, Error> {
    let size = args.indentation_size;
    let Ok(size) = usize::try_from(size) else {
        return Err(Error::user(format!("invalid indentation size: {size}"))
            .help("use 0 or more with --indentation-size"));
    };
    let options = Options {
        networks: args.networks,
        ports: args.ports,
        image: args.image,
        indentation: if args.spaces { " " } else { "\t" }.repeat(size),
        separator: if context.compatibility() { '_' } else { '-' },
    };
    let project = context.load_project(&[])?.project;
    ui::out::stdout(&(graph::dot(&project, &options) + "\n"))?;
    Ok(ExitCode::SUCCESS)
}
