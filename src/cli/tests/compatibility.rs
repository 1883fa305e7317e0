//! Every option of docker compose 2.40.3 is there or refused with a reason, and
//! docs/compatibility.md says so.

use std::fmt::Write as _;
use std::path::Path;

use clap::CommandFactory as _;

use super::super::args::Cli;
use super::super::unsupported;

/// The options of docker compose 2.40.3, hidden ones included, read from its command tree, one a
/// line: command, long name, short name, type, default, `hidden`, `deprecated`, help.
const OPTIONS: &str = include_str!("../../../tests/cli/flags-2.40.3.tsv");

/// Options that are understood, and refused when they are used: each with the reason.
const REFUSED: &[(&str, &str, &str)] = &[
    (
        "build",
        "--builder",
        "images are built by the engine itself",
    ),
    ("build", "--check", "builds are not linted"),
    ("build", "--print", "there is no bake behind a build"),
    (
        "build",
        "--provenance",
        "images carry no attestations; \"false\" is taken",
    ),
    (
        "build",
        "--sbom",
        "images carry no attestations; \"false\" is taken",
    ),
];

/// One option of the table.
struct Listed<'a> {
    /// Without "docker compose".
    command: &'a str,
    long: &'a str,
    short: &'a str,
}

fn listed() -> impl Iterator<Item = Listed<'static>> {
    OPTIONS.lines().filter_map(|line| {
        let mut cells = line.split('\t');
        let command = cells.next()?.strip_prefix("docker compose")?.trim_start();
        Some(Listed {
            command,
            long: cells.next()?,
            short: cells.next()?,
        })
    })
}

/// What becomes of an option: nothing where it is there, the reason where it is refused.
fn state(option: &Listed<'_>) -> Result<Option<&'static str>, String> {
    if let Some(reason) = unsupported::reason(option.command) {
        return Ok(Some(reason));
    }
    let root = Cli::command();
    let mut command = &root;
    for name in option.command.split_whitespace() {
        command = command.find_subcommand(name).ok_or_else(|| {
            format!(
                "the command {:?} is neither there nor refused",
                option.command
            )
        })?;
    }
    let named = format!("{} {} {}", option.command, option.long, option.short);
    let long = option.long.trim_start_matches("--");
    let arg = command.get_arguments().find(|arg| {
        arg.get_long() == Some(long)
            || arg
                .get_all_aliases()
                .is_some_and(|aliases| aliases.contains(&long))
    });
    let arg = arg.ok_or_else(|| format!("missing: {named}"))?;
    let short = option.short.trim_start_matches('-').chars().next();
    if short.is_some() && arg.get_short() != short {
        return Err(format!("the short name is missing: {named}"));
    }
    let refused = REFUSED
        .iter()
        .find(|(command, long, _)| (*command, *long) == (option.command, option.long));
    Ok(refused.map(|(_, _, reason)| *reason))
}

fn page(states: &[(Listed<'_>, Option<&str>)]) -> String {
    let refused = states.iter().filter(|(_, state)| state.is_some()).count();
    let mut page = format!(
        "# Commands and options of docker compose\n\n\
         All {} options of docker compose 2.40.3, those it hides included: {} are taken, {refused} are refused with a reason.\n\
         None is passed over in silence. The table is written by a test (`cargo test compatibility`), which fails where it does\n\
         not hold; `RCOMPOSE_UPDATE=1` writes it anew.\n\n\
         | command | option | state |\n|---|---|---|\n",
        states.len(),
        states.len() - refused
    );
    for (option, state) in states {
        let command = if option.command.is_empty() {
            "(before the command)".to_owned()
        } else {
            format!("`{}`", option.command)
        };
        let short = match option.short {
            "" => String::new(),
            short => format!(", `{short}`"),
        };
        let state = state.map_or_else(|| "yes".to_owned(), |reason| format!("refused: {reason}"));
        // Writing to a string cannot fail.
        let _ = writeln!(page, "| {command} | `{}`{short} | {state} |", option.long);
    }
    page
}

#[test]
fn every_option_of_docker_compose_is_taken_or_refused() {
    let (mut states, mut wrong) = (Vec::new(), Vec::new());
    for option in listed() {
        match state(&option) {
            Ok(state) => states.push((option, state)),
            Err(problem) => wrong.push(problem),
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert_eq!(states.len(), 241);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/compatibility.md");
    let page = page(&states);
    if std::env::var_os("RCOMPOSE_UPDATE").is_some() {
        std::fs::write(&path, &page).expect("the page is writable");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page,
        "docs/compatibility.md is not what the command line is: run the test with RCOMPOSE_UPDATE=1"
    );
}
