//! `attach`: our standard streams joined to those of a running container.

use std::io::IsTerminal as _;
use std::process::ExitCode;

use tokio_util::sync::CancellationToken;

use super::{Context, Error, attached};
use crate::run::attach::{self, End};
use crate::run::detach_keys;

/// Options of `attach`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  rcompose attach console                      Ctrl-P Ctrl-Q leaves it running
  rcompose attach --detach-keys ctrl-x console
  rcompose attach --no-stdin --sig-proxy=false web     only look")]
pub struct Args {
    /// Keys that leave the container running, such as ctrl-p,ctrl-q
    #[arg(long, value_name = "KEYS")]
    pub detach_keys: Option<String>,

    /// Number of the container when the service has several replicas
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub index: u64,

    /// Do not pass standard input on
    #[arg(long)]
    pub no_stdin: bool,

    /// Pass signals on to the process; =false ends this program alone
    #[arg(
        long,
        action = clap::ArgAction::Set,
        default_value_t = true,
        default_missing_value = "true",
        num_args = 0..=1,
        require_equals = true,
        value_name = "BOOL"
    )]
    pub sig_proxy: bool,

    /// Service whose container to attach to
    #[arg(value_name = "SERVICE")]
    pub service: String,
}

/// Attaches to a container and ends with its exit code.
pub async fn run(context: &Context, args: Args) -> Result<ExitCode, Error> {
    let (engine, target) = context.running_container(&args.service, args.index).await?;
    let offer = attach::offer(&engine, &target.id).await?;
    if offer.terminal && !args.no_stdin && !std::io::stdin().is_terminal() {
        return Err(Error::user("the input device is not a TTY")
            .help("the container has a terminal: attach from one, or use --no-stdin"));
    }
    if context.dry_run() {
        return Ok(ExitCode::SUCCESS);
    }
    let input = offer.input && !args.no_stdin;
    let terminal = offer.terminal && input;
    let detached = CancellationToken::new();
    let keys = args.detach_keys.as_deref().unwrap_or(detach_keys::DEFAULT);
    let streams = if terminal {
        attached::streams_left_by(keys, &detached)?
    } else {
        attached::streams(input)
    };
    let options = attach::Options {
        terminal: offer.terminal,
        detach_keys: args.detach_keys,
        detached: detached.clone(),
        pass_signals: args.sig_proxy && !offer.terminal,
    };
    let attaching = async {
        let end = attach::attach(&engine, &target.id, &options, streams).await?;
        Ok(match end {
            End::Exited(code) => code,
            End::Detached => 0,
        })
    };
    let code = attached::with_terminal(terminal, attaching).await?;
    attached::exit(code)
}
