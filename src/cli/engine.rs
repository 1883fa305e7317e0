//! `engine`: the container engine that comes with this program.

#[cfg(target_os = "linux")]
mod daemon;
#[cfg(target_os = "linux")]
mod linux;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;

use super::{Context, Error};

/// Options of `engine`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  rcompose engine status
  rcompose engine logs -f
  rcompose engine stop                       containers go on")]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,

    /// Folder of containers, images and volumes (default: /var/lib/rcompose)
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "RCOMPOSE_ENGINE_ROOT",
        hide_env = true
    )]
    pub root: Option<PathBuf>,

    /// Socket of the engine (default: /run/rcompose/engine.sock)
    #[arg(
        long,
        global = true,
        value_name = "PATH",
        env = "RCOMPOSE_ENGINE_SOCKET",
        hide_env = true
    )]
    pub socket: Option<PathBuf>,
}

/// What to do with the bundled engine.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Show what the engine wrote about itself
    Logs(LogsArgs),
    /// Remove every container, image, volume and network of the engine, and its folder
    Prune(PruneArgs),
    /// Run the engine in the foreground
    Serve(ServeArgs),
    /// Start the engine in the background; commands that need it do so by themselves
    Start(StartArgs),
    /// Show whether the engine runs, and what it has; exit code 3 where it does not
    Status(StatusArgs),
    /// Stop the engine; containers go on
    Stop(StopArgs),
}

/// Options of `engine logs`.
#[derive(Debug, Clone, clap::Args)]
pub struct LogsArgs {
    /// Go on showing what is written
    #[arg(short = 'f', long)]
    pub follow: bool,
}

/// Options of `engine prune`.
#[derive(Debug, Clone, clap::Args)]
pub struct PruneArgs {
    /// Do not ask
    #[arg(short = 'f', long)]
    pub force: bool,
}

/// How long the engine stays.
#[derive(Debug, Clone, clap::Args)]
pub struct StartArgs {
    /// Leave when nothing runs and nobody is connected for so long; 0 to stay (default: 5m)
    #[arg(
        long,
        value_name = "DURATION",
        env = "RCOMPOSE_ENGINE_IDLE",
        hide_env = true
    )]
    pub idle: Option<String>,
}

/// Options of `engine serve`.
#[derive(Debug, Clone, clap::Args)]
pub struct ServeArgs {
    /// Leave when nothing runs and nobody is connected for so long (default: stay)
    #[arg(long, value_name = "DURATION")]
    pub idle: Option<String>,

    /// Folder of sockets and of the containers' mounted files
    #[arg(long, hide = true, value_name = "DIR")]
    pub run: Option<PathBuf>,

    /// As a daemon that was started by another process of this program
    #[arg(long, hide = true)]
    pub background: bool,
}

/// Options of `engine status`.
#[derive(Debug, Clone, clap::Args)]
pub struct StatusArgs {
    /// Format of the output: pretty or json
    #[arg(long, value_name = "FORMAT", default_value = "pretty")]
    pub format: String,
}

/// Options of `engine stop`.
#[derive(Debug, Clone, clap::Args)]
pub struct StopArgs {
    /// Stop the containers too
    #[arg(long)]
    pub containers: bool,
}

/// Does what the processes beside containers do, when this is where they come from: before
/// anything else, since they have a single thread and stay small as long as their container runs.
#[cfg(target_os = "linux")]
pub(super) fn shims(args: &[OsString]) -> Option<ExitCode> {
    match args {
        [_, engine, shims, _] if engine == "engine" && shims == "shims" => {
            Some(rcompose_engine::shim::serve_forks())
        }
        _ => None,
    }
}

/// There is no bundled engine here.
#[cfg(not(target_os = "linux"))]
pub(super) fn shims(_args: &[OsString]) -> Option<ExitCode> {
    None
}

/// Makes the process a daemon, when it was started as one: before it opens anything itself.
pub(super) fn detach(command: &super::args::Command) -> Result<(), Error> {
    match command {
        #[cfg(target_os = "linux")]
        super::args::Command::Engine(Args {
            command: Command::Serve(ServeArgs {
                background: true, ..
            }),
            ..
        }) => daemon::detach(),
        _ => Ok(()),
    }
}

/// Does what the subcommand says.
#[cfg(target_os = "linux")]
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, Error> {
    linux::run(context, args).await
}

/// Says that there is no bundled engine here.
#[cfg(not(target_os = "linux"))]
#[expect(clippy::unused_async, reason = "commands share one signature")]
pub async fn run(_context: &Context, _args: Args) -> Result<ExitCode, Error> {
    Err(Error::user("the bundled engine runs on Linux only")
        .help("start Docker or Podman, or name an engine with --engine or DOCKER_HOST"))
}
