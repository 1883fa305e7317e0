//! Arguments of the process → [`Cli`], with messages in the words of the rest of the program.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ArgAction, CommandFactory, FromArgMatches};

use super::args::{Cli, Command, GlobalArgs};
use super::plugin::{self, Call};
use super::{Error, error, help, unsupported, version};
use crate::ui;
use crate::ui::diagnostics::Format;

/// A command line that was understood.
pub(super) struct Parsed {
    pub(super) global: GlobalArgs,
    pub(super) command: Command,
    /// Variables that win over the environment of the process.
    pub(super) env: Vec<(&'static str, String)>,
}

/// Why there is no command to run.
pub(super) enum Outcome {
    /// Text that was asked for, such as the help.
    Print(String),
    /// A command line that was not understood.
    Refuse(Error),
}

impl Outcome {
    pub(super) fn show(self, style: error::Style) -> ExitCode {
        match self {
            Self::Print(text) => match ui::out::stdout(&text) {
                Ok(()) => ExitCode::SUCCESS,
                Err(failure) => Error::from(failure).show(style),
            },
            Self::Refuse(refusal) => refusal.show(style),
        }
    }
}

/// How errors are to be shown, as far as can be told of a command line that may not be understood.
pub(super) fn error_style(args: &[OsString]) -> error::Style {
    let mut args = args.iter().filter_map(|arg| arg.to_str());
    let mut asked = std::env::var("RCOMPOSE_DIAGNOSTICS").ok();
    while let Some(arg) = args.next().filter(|arg| *arg != "--") {
        match arg.strip_prefix("--diagnostics") {
            Some("") => asked = args.next().map(str::to_owned),
            Some(value) => asked = value.strip_prefix('=').map(str::to_owned).or(asked),
            None => {}
        }
    }
    error::Style {
        diagnostics: asked
            .and_then(|name| Format::parse(&name))
            .unwrap_or_default(),
        ..error::Style::default()
    }
}

/// Reads a command line; the first element is the name of the program.
pub(super) fn parse(args: impl Iterator<Item = OsString>) -> Result<Parsed, Outcome> {
    let (args, env, root) = match plugin::call(args.collect()) {
        Call::Wrong(problem) => return Err(Outcome::Refuse(Error::user(problem))),
        Call::Metadata => return Err(Outcome::Print(plugin::metadata())),
        Call::Run { args, env, plugin } => (help::asked(args), env, root(plugin)),
    };
    let cli = tolerant(root.clone())
        .try_get_matches_from(&args)
        .and_then(|matches| Cli::from_arg_matches(&matches))
        .map_err(|problem| outcome(problem, root.clone(), &args))?;
    let command = match cli.command {
        Some(command) => command,
        None if cli.global.version => Command::Version(version::Args {
            format: None,
            short: false,
        }),
        None => {
            let help = help::grouped(root).render_help();
            return Err(Outcome::Print(help.to_string()));
        }
    };
    Ok(Parsed {
        global: cli.global,
        command,
        env,
    })
}

/// The commands, called as they were called.
fn root(plugin: bool) -> clap::Command {
    let root = Cli::command();
    if plugin {
        root.bin_name("docker compose")
            .display_name("docker compose")
    } else {
        root
    }
}

/// Takes what docker compose takes: every switch also as `--switch=true` and `--switch=false`,
/// and an option given twice, of which the last counts.
fn tolerant(command: clap::Command) -> clap::Command {
    command
        .args_override_self(true)
        .mut_args(switch)
        .mut_subcommands(tolerant)
}

fn switch(arg: clap::Arg) -> clap::Arg {
    if !matches!(arg.get_action(), ArgAction::SetTrue) {
        return arg;
    }
    arg.action(ArgAction::Set)
        .num_args(0..=1)
        .require_equals(true)
        .value_parser(clap::value_parser!(bool))
        .default_value("false")
        .default_missing_value("true")
}

fn outcome(problem: clap::Error, root: clap::Command, args: &[OsString]) -> Outcome {
    if matches!(problem.kind(), ErrorKind::DisplayHelp) {
        // The untouched command has the nicer help: its switches take no values.
        let help = help::grouped(root)
            .try_get_matches_from(args)
            .map_or_else(|clean| clean, |_| problem);
        return Outcome::Print(help.to_string());
    }
    if let Some(ContextValue::String(name)) = problem.get(ContextKind::InvalidSubcommand)
        && let Some((message, reason)) = unsupported::message(name)
    {
        return Outcome::Refuse(Error::user(message).help(reason));
    }
    Outcome::Refuse(Error::user(message(&problem)))
}

/// The message of clap without its "error: " and usage, and our words where scripts look for
/// those of docker compose.
fn message(problem: &clap::Error) -> String {
    let text = |kind| match problem.get(kind) {
        Some(ContextValue::String(value)) => Some(value.clone()),
        _ => None,
    };
    let first = match problem.kind() {
        ErrorKind::UnknownArgument => {
            text(ContextKind::InvalidArg).map(|arg| format!("unknown flag: {arg}"))
        }
        ErrorKind::InvalidSubcommand => {
            text(ContextKind::InvalidSubcommand).map(|name| format!("unknown command \"{name}\""))
        }
        _ => None,
    }
    .unwrap_or_else(|| summary(problem));
    match suggestion(problem) {
        Some(similar) => format!("{first} (did you mean \"{similar}\"?)"),
        None => first,
    }
}

fn suggestion(problem: &clap::Error) -> Option<String> {
    [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand]
        .into_iter()
        .find_map(|kind| match problem.get(kind)? {
            ContextValue::String(value) => Some(value.clone()),
            ContextValue::Strings(values) => values.first().cloned(),
            _ => None,
        })
}

/// The first paragraph of clap's text on one line.
fn summary(problem: &clap::Error) -> String {
    let text = problem.to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    let paragraph = text.split("\n\n").next().unwrap_or_default();
    paragraph.split_whitespace().collect::<Vec<_>>().join(" ")
}
