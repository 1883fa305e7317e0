//! Completing commands, options, services and profiles in a shell.
//!
//! `completion` prints a script that calls this program while the person types; the docker CLI
//! asks its plugin in a way of its own.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::ExitCode;

use clap::{CommandFactory, ValueHint};
use clap_complete::engine::{ArgValueCompleter, PathCompleter, ValueCompleter as _};
use clap_complete::env::Shells;
use clap_complete::{ArgValueCandidates, CompleteEnv, CompletionCandidate, Shell, engine};

use super::args::Cli;
use super::{Context, Error};
use crate::compose::{self, LoadOptions, Project};
use crate::ui;

/// Tells the program that it is to complete, and for which shell.
const VARIABLE: &str = "RCOMPOSE_COMPLETE";
/// What the docker CLI calls its plugin with to complete, with and without descriptions.
const DOCKER_REQUESTS: [&str; 2] = ["__complete", "__completeNoDesc"];
/// After the candidates: whether the docker CLI is to complete files.
const FILES: &str = ":0\n";
const NO_FILES: &str = ":4\n";

/// Options of `completion`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  source <(rcompose completion bash)         in ~/.bashrc
  rcompose completion fish > ~/.config/fish/completions/rcompose.fish")]
pub struct Args {
    /// Shell to complete in
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}

/// Prints the script.
#[expect(clippy::unused_async, reason = "commands share one signature")]
pub async fn run(_context: &Context, args: Args) -> Result<ExitCode, Error> {
    ui::out::stdout(&script(args.shell)?)?;
    Ok(ExitCode::SUCCESS)
}

/// Answers a shell that completes; `None` where this is a call of the program.
pub(super) fn answer(args: &[OsString]) -> Option<ExitCode> {
    let folder = std::env::current_dir().ok();
    if args
        .get(1)
        .is_some_and(|arg| DOCKER_REQUESTS.iter().any(|name| arg == name))
    {
        // `docker compose` itself is one word of the command line.
        let words: Vec<OsString> = args[2..].to_vec();
        let answer = answer_docker(words, folder.as_deref());
        return Some(code(ui::out::stdout(&answer)));
    }
    let completed = CompleteEnv::with_factory(command)
        .var(VARIABLE)
        .try_complete(args, folder.as_deref());
    match completed {
        Ok(false) => None,
        Ok(true) => Some(ExitCode::SUCCESS),
        Err(_) => Some(ExitCode::FAILURE),
    }
}

fn code(written: std::io::Result<()>) -> ExitCode {
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Candidates one a line with their description behind a tab, then a directive.
fn answer_docker(mut words: Vec<OsString>, folder: Option<&Path>) -> String {
    if words.is_empty() {
        return NO_FILES.to_owned();
    }
    let last = words.len() - 1;
    let completed = engine::complete(&mut command(), std::mem::take(&mut words), last, folder);
    let candidates = completed.unwrap_or_default();
    if candidates.is_empty() {
        return FILES.to_owned();
    }
    let mut answer = String::new();
    for candidate in candidates
        .iter()
        .filter(|candidate| !candidate.is_hide_set())
    {
        answer.push_str(&candidate.get_value().to_string_lossy());
        if let Some(help) = candidate.get_help() {
            answer.push('\t');
            answer.push_str(&help.to_string());
        }
        answer.push('\n');
    }
    answer + NO_FILES
}

fn script(shell: Shell) -> Result<String, Error> {
    let shells = Shells::builtins();
    let completer = shells
        .completer(&shell.to_string())
        .ok_or_else(|| Error::user(format!("there is no completion for the shell \"{shell}\"")))?;
    let mut script = Vec::new();
    completer.write_registration(VARIABLE, "rcompose", "rcompose", "rcompose", &mut script)?;
    Ok(String::from_utf8_lossy(&script).into_owned())
}

/// The command line, with what is known about the values of its arguments.
fn command() -> clap::Command {
    with_values(Cli::command())
}

fn with_values(command: clap::Command) -> clap::Command {
    command.mut_args(value).mut_subcommands(with_values)
}

fn value(arg: clap::Arg) -> clap::Arg {
    let named = |name: &str| {
        arg.get_value_names()
            .is_some_and(|names| names.iter().any(|known| known.as_str() == name))
    };
    if named("SERVICE") {
        arg.add(ArgValueCandidates::new(services))
    } else if named("SOURCE") || named("DESTINATION") {
        arg.add(ArgValueCompleter::new(sides))
    } else if named("PROFILE") {
        arg.add(ArgValueCandidates::new(profiles))
    } else if named("FILE") {
        arg.value_hint(ValueHint::FilePath)
    } else if named("DIR") {
        arg.value_hint(ValueHint::DirPath)
    } else {
        arg
    }
}

fn services() -> Vec<CompletionCandidate> {
    candidates(|project| project.services.keys().cloned().collect())
}

/// What `cp` copies from or to: services, with a colon for the path, and files.
fn sides(typed: &OsStr) -> Vec<CompletionCandidate> {
    let text = typed.to_string_lossy();
    let mut found: Vec<_> = candidates(|project| {
        let names = project.services.keys().map(|name| format!("{name}:"));
        names.filter(|name| name.starts_with(&*text)).collect()
    });
    found.extend(PathCompleter::any().complete(typed));
    found
}

fn profiles() -> Vec<CompletionCandidate> {
    candidates(|project| {
        let all = project
            .services
            .values()
            .flat_map(|service| &service.profiles);
        all.cloned()
            .collect::<std::collections::BTreeSet<_>>()
            .into_iter()
            .collect()
    })
}

/// Names from the project of the command line as far as it is typed; none where it does not load.
fn candidates(names: impl Fn(&Project) -> Vec<String>) -> Vec<CompletionCandidate> {
    let Ok(folder) = std::env::current_dir() else {
        return Vec::new();
    };
    let options = load_options(&folder, std::env::args_os());
    compose::load(&options)
        .map(|loaded| names(&loaded.project))
        .unwrap_or_default()
        .into_iter()
        .map(CompletionCandidate::new)
        .collect()
}

fn load_options(folder: &Path, words: impl Iterator<Item = OsString>) -> LoadOptions {
    let shell: BTreeMap<String, String> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let mut options = LoadOptions {
        profiles: vec!["*".to_owned()],
        check_consistency: false,
        resolve_environment: false,
        ..LoadOptions::new(folder.to_owned(), shell)
    };
    let root = Cli::command();
    let mut words = words.filter_map(|word| word.into_string().ok());
    while let Some(word) = words.next() {
        if root.find_subcommand(&word).is_some() {
            // `-f` means something else from here on.
            break;
        }
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (word, None),
        };
        let mut value = || value.clone().or_else(|| words.next());
        match name.as_str() {
            "-f" | "--file" => options.files.extend(value()),
            "--env-file" => options.env_files.extend(value().map(Into::into)),
            "--project-directory" => options.project_directory = value().map(Into::into),
            _ => {}
        }
    }
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shell_gets_a_script_that_calls_the_program() {
        for shell in [
            Shell::Bash,
            Shell::Zsh,
            Shell::Fish,
            Shell::PowerShell,
            Shell::Elvish,
        ] {
            let script = script(shell).unwrap_or_default();
            assert!(script.contains(VARIABLE), "{shell}");
            assert!(script.contains("rcompose"), "{shell}");
        }
    }

    #[test]
    fn the_docker_cli_gets_commands_and_options() {
        let words = |line: &str| line.split(' ').map(OsString::from).collect();
        let answer = answer_docker(words("compose up --no-d"), None);
        assert!(answer.contains("--no-deps\t"), "{answer}");
        assert!(answer.ends_with(NO_FILES), "{answer}");
        assert!(answer_docker(words("compose lo"), None).starts_with("logs\t"));
    }

    #[test]
    fn the_project_is_that_of_the_command_line() {
        let words = "x -f a.yaml --file=b.yaml --project-directory d logs -f we"
            .split(' ')
            .map(OsString::from);
        let options = load_options(Path::new("/"), words);
        assert_eq!(options.files, ["a.yaml", "b.yaml"]);
        assert_eq!(options.project_directory.as_deref(), Some(Path::new("d")));
    }
}
