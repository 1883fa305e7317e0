//! `run`: runs a command in a new container of a service.

use std::process::ExitCode;

use super::{Context, Error};

/// Options of `run`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Build the image first
    #[arg(long)]
    pub build: bool,

    /// Linux capability to add
    #[arg(long, value_name = "CAPABILITY", value_delimiter = ',')]
    pub cap_add: Vec<String>,

    /// Linux capability to drop
    #[arg(long, value_name = "CAPABILITY", value_delimiter = ',')]
    pub cap_drop: Vec<String>,

    /// Leave the container running in the background and print its id
    #[arg(short = 'd', long)]
    pub detach: bool,

    /// Entrypoint, in place of the image's
    #[arg(long, value_name = "COMMAND", allow_hyphen_values = true)]
    pub entrypoint: Option<String>,

    /// Environment variable for the container
    #[arg(short = 'e', long, value_name = "NAME[=VALUE]")]
    pub env: Vec<String>,

    /// File with environment variables for the container
    #[arg(long, value_name = "FILE")]
    pub env_from_file: Vec<std::path::PathBuf>,

    /// Keep standard input open (default: true)
    #[arg(
        short = 'i',
        long,
        action = clap::ArgAction::Set,
        default_value_t = true,
        default_missing_value = "true",
        num_args = 0..=1,
        require_equals = true,
        hide_default_value = true
    )]
    pub interactive: bool,

    /// Label to add to the container or to change
    #[arg(short = 'l', long, value_name = "NAME=VALUE")]
    pub label: Vec<String>,

    /// Name of the container
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,

    /// Do not allocate a terminal (default: one is allocated where standard output is one)
    #[arg(short = 'T', long = "no-TTY", visible_alias = "no-tty")]
    pub no_tty: bool,

    /// Do not start the services that this one depends on
    #[arg(long)]
    pub no_deps: bool,

    /// Publish a port of the container
    #[arg(short = 'p', long, value_name = "PORT")]
    pub publish: Vec<String>,

    /// When to pull: always, missing, never or policy
    #[arg(long, value_name = "WHEN", default_value = "policy")]
    pub pull: String,

    /// Do not print anything but the output of the command
    #[arg(short = 'q', long)]
    pub quiet: bool,

    /// Do not show the output of builds
    #[arg(long)]
    pub quiet_build: bool,

    /// Do not show the progress of pulls
    #[arg(long)]
    pub quiet_pull: bool,

    /// Remove containers of services that the compose files do not define
    #[arg(long)]
    pub remove_orphans: bool,

    /// Remove the container when the command ends
    #[arg(long)]
    pub rm: bool,

    /// Publish the ports of the service
    #[arg(short = 'P', long)]
    pub service_ports: bool,

    /// Answer to the network aliases of the service
    #[arg(long)]
    pub use_aliases: bool,

    /// User to run the command as
    #[arg(short = 'u', long, value_name = "USER")]
    pub user: Option<String>,

    /// Mount a volume or folder
    #[arg(short = 'v', long, value_name = "VOLUME")]
    pub volume: Vec<String>,

    /// Folder to run the command in
    #[arg(short = 'w', long, value_name = "DIR")]
    pub workdir: Option<String>,

    /// Allocate a terminal
    #[arg(
        short = 't',
        long,
        action = clap::ArgAction::Set,
        default_value_t = true,
        default_missing_value = "true",
        num_args = 0..=1,
        require_equals = true,
        hide = true
    )]
    pub tty: bool,

    /// Service to run
    #[arg(value_name = "SERVICE")]
    pub service: String,

    /// Command and its arguments (default: the service's)
    #[arg(
        value_name = "COMMAND",
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    pub command: Vec<String>,
}

/// Runs a one-off container and returns its exit code.
pub async fn run(_context: &Context, _args: Args) -> Result<ExitCode, Error> {
    Err(Error::user("run is not available in this build"))
}
