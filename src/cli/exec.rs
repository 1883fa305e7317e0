//! `exec`: runs a command in a running container.

use std::process::ExitCode;

use tokio_util::sync::CancellationToken;

use super::{Context, Error, attached};
use crate::run::exec::{self, Command};

/// Options of `exec`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  rcompose exec web sh                       a shell in the container of web
  rcompose exec -T db pg_dump app > app.sql  for scripts: no terminal
  rcompose exec -u root --index 2 web id")]
pub struct Args {
    /// Leave the command running in the background
    #[arg(short = 'd', long)]
    pub detach: bool,

    /// Environment variable for the command
    #[arg(short = 'e', long, value_name = "NAME[=VALUE]")]
    pub env: Vec<String>,

    /// Number of the container when the service has several replicas
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub index: u64,

    /// Do not allocate a terminal (default: one is allocated where standard input is one)
    #[arg(short = 'T', long = "no-tty", visible_alias = "no-TTY")]
    pub no_tty: bool,

    /// Give the command extended privileges
    #[arg(long)]
    pub privileged: bool,

    /// User to run the command as
    #[arg(short = 'u', long, value_name = "USER")]
    pub user: Option<String>,

    /// Folder to run the command in
    #[arg(short = 'w', long, value_name = "DIR")]
    pub workdir: Option<String>,

    /// Keep standard input open
    #[arg(
        short = 'i',
        long,
        action = clap::ArgAction::Set,
        default_value_t = true,
        default_missing_value = "true",
        num_args = 0..=1,
        require_equals = true,
        hide = true
    )]
    pub interactive: bool,

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

    /// Service whose container to use
    #[arg(value_name = "SERVICE")]
    pub service: String,

    /// Command and its arguments
    #[arg(
        value_name = "COMMAND",
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    pub command: Vec<String>,
}

/// Runs a command in a running container and returns its exit code.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, Error> {
    let (engine, target) = context.running_container(&args.service, args.index).await?;
    let terminal = !args.detach && args.tty && !args.no_tty && attached::is_interactive();
    let command = Command {
        command: args.command,
        environment: attached::environment(&args.env, &context.env),
        user: args.user,
        working_dir: args.workdir,
        privileged: args.privileged,
        terminal,
        interactive: args.interactive,
    };
    if context.dry_run() {
        return Ok(ExitCode::SUCCESS);
    }
    if args.detach {
        exec::detached(&engine, &target.id, command).await?;
        return Ok(ExitCode::SUCCESS);
    }
    let detached = CancellationToken::new();
    let streams = attached::streams_of(terminal, args.interactive, &detached)?;
    let running = exec::attached(&engine, &target.id, command, streams, detached);
    let code = attached::with_terminal(terminal, running).await?;
    attached::exit(code)
}
