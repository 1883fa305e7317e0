//! The command line as a whole: nothing changes without showing in a review.

mod compatibility;

use std::fmt::Write as _;

use clap::CommandFactory as _;

use super::args::Cli;

/// The text of `--help` of every command, at a width of 100 columns.
fn reference() -> String {
    let mut root = super::help::grouped(Cli::command()).term_width(100);
    root.build();
    let mut text = root.render_help().to_string();
    add(&root, &mut text);
    text
}

/// Adds the help of what is below a command.
fn add(command: &clap::Command, text: &mut String) {
    for command in command.get_subcommands() {
        if !command.is_hide_set() && command.get_name() != "help" {
            // Writing to a string cannot fail.
            let _ = write!(
                text,
                "\n\n{}",
                command.clone().term_width(100).render_help()
            );
            add(command, text);
        }
    }
}

#[test]
fn the_reference_of_all_commands() {
    insta::assert_snapshot!("reference", reference());
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
        "rcompose cp -aL --index 2 web:/a -",
        "rcompose cp - web:/a",
        "rcompose attach --sig-proxy=false --no-stdin web",
        "rcompose commit -p=false -c A -c B web",
        "rcompose alpha viz --indentation-size 2 --spaces",
    ] {
        let args = line.split(' ').map(std::ffi::OsString::from);
        assert!(super::parse::parse(args).is_ok(), "{line}");
    }
}

#[test]
fn the_command_line_is_consistent() {
    Cli::command().debug_assert();
}
