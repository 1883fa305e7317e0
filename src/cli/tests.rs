//! The command line as a whole: nothing changes without showing in a review.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use clap::CommandFactory as _;

use super::args::Cli;
use super::unsupported;

/// Every option of docker compose 2.40.3: command, long name, short name or "-".
const DOCKER_COMPOSE_OPTIONS: &str = include_str!("docker_compose_options.txt");

/// The text of `--help` of every command, at a width of 100 columns.
fn reference() -> String {
    let mut root = Cli::command().term_width(100);
    root.build();
    let mut text = root.render_help().to_string();
    for command in root.get_subcommands_mut() {
        if !command.is_hide_set() {
            // Writing to a string cannot fail.
            let _ = write!(
                text,
                "\n\n{}",
                command.clone().term_width(100).render_help()
            );
        }
    }
    text
}

#[test]
fn the_reference_of_all_commands() {
    insta::assert_snapshot!("reference", reference());
}

#[test]
fn every_option_of_docker_compose_exists() {
    let root = Cli::command();
    let mut missing = Vec::new();
    let mut commands = BTreeSet::new();
    for line in DOCKER_COMPOSE_OPTIONS.lines() {
        let mut words = line.split(' ');
        let (Some(name), Some(long), Some(short)) = (words.next(), words.next(), words.next())
        else {
            continue;
        };
        let command = if name == "compose" {
            Some(&root)
        } else {
            root.find_subcommand(name)
        };
        let Some(command) = command else {
            commands.insert(name);
            continue;
        };
        let found = command.get_arguments().any(|arg| {
            let long = long.trim_start_matches("--");
            arg.get_long() == Some(long)
                || arg
                    .get_all_aliases()
                    .is_some_and(|aliases| aliases.contains(&long))
        });
        let short = short
            .strip_prefix('-')
            .and_then(|short| short.chars().next());
        let short_found = short.is_none_or(|short| {
            command
                .get_arguments()
                .any(|arg| arg.get_short() == Some(short))
        });
        if !found || !short_found {
            missing.push(line);
        }
    }
    assert_eq!(missing, Vec::<&str>::new());
    for command in commands {
        assert!(unsupported::message(command).is_some(), "{command}");
    }
}

#[test]
fn command_lines_of_docker_compose_are_understood() {
    for line in [
        "rcompose up -d=false --detach --no-deps=true web",
        "rcompose -p a -p b ps -aq",
        "rcompose exec -it=false web ls -l --help",
        "rcompose run --rm -e A=1 -e B web sh -c true -e",
        "rcompose logs --tail -1 -f",
        "rcompose down -t -1 -v --rmi local",
        "rcompose up --scale a=1 --scale b=2 --y",
        "docker-compose compose --dry-run ps --orphans=false",
        "rcompose ps --dry-run",
    ] {
        let args = line.split(' ').map(std::ffi::OsString::from);
        assert!(super::parse::parse(args).is_ok(), "{line}");
    }
}

#[test]
fn the_command_line_is_consistent() {
    Cli::command().debug_assert();
}
