//! Makes `layout.ld`: which functions everyday commands run, for the linker to keep together (docs/decisions/code-layout.md).
//!
//! Runs commands on the quickstart project under valgrind and looks up what they touched in the program's table of symbols. Needs
//! valgrind, nm (binutils), and the images of the project on the engine that rcompose finds:
//! `fixtures/run.sh` leaves all but valgrind.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program of its own, which talks to the terminal"
)]

mod callgrind;
#[path = "../common/release.rs"]
mod release;
mod symbols;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, ExitCode};

use symbols::Symbols;

type Error = Box<dyn std::error::Error>;

/// What is run, in this order, and in which example project; quickstart is down before and after.
const COMMANDS: [(&str, &[&str]); 10] = [
    ("quickstart", &["up", "-d"]),
    ("quickstart", &["up", "-d"]),
    ("quickstart", &["ps"]),
    ("quickstart", &["config"]),
    ("flask-postgres", &["config"]),
    ("reddit", &["config"]),
    ("quickstart", &["logs"]),
    (
        "quickstart",
        &[
            "exec",
            "-T",
            "web",
            "/demo",
            "get",
            "http://127.0.0.1:8080/healthz",
        ],
    ),
    ("quickstart", &["restart", "-t", "0"]),
    ("quickstart", &["down", "-t", "0"]),
];

fn main() -> ExitCode {
    match make() {
        Ok(functions) => {
            println!("layout.ld names {functions} functions");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn make() -> Result<usize, Error> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let program = release::rcompose()?;
    let fixtures = root.join("fixtures");
    let symbols = Symbols::of(&program)?;
    run(Command::new(&program)
        .args(["down", "-t", "0"])
        .current_dir(fixtures.join("quickstart")))?;
    // How many of the commands run a function, by its address.
    let mut uses: BTreeMap<u64, usize> = BTreeMap::new();
    for (project, command) in COMMANDS {
        println!("{project}: rcompose {}", command.join(" "));
        let addresses = callgrind::addresses(&program, command, &fixtures.join(project))?;
        for function in symbols.containing(&addresses) {
            *uses.entry(function).or_default() += 1;
        }
    }
    let names = symbols.patterns(&uses);
    std::fs::write(root.join("layout.ld"), script(&names))?;
    Ok(uses.len())
}

/// Runs `command` without showing its output.
///
/// # Errors
/// When it cannot be started or fails; what it said is in the message.
fn run(command: &mut Command) -> Result<(), Error> {
    let output = command
        .output()
        .map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("{command:?} failed:\n{said}").into())
}

/// The linker script: functions of most commands first, so that each command has what it runs in few places.
fn script(names: &BTreeMap<String, usize>) -> String {
    let mut sorted: Vec<(&String, &usize)> = names.iter().collect();
    sorted.sort_by_key(|(name, uses)| (std::cmp::Reverse(**uses), *name));
    let mut lines = String::new();
    for (name, _) in sorted {
        lines.push_str("    *(.text.");
        lines.push_str(name);
        lines.push_str(")\n");
    }
    format!(
        "/* Functions that everyday commands run, those of most commands first.\n   \
         Made by `cargo bench --bench layout`: see docs/decisions/code-layout.md. */\n\
         SECTIONS\n{{\n  .text.everyday :\n  {{\n{lines}  }}\n}}\nINSERT BEFORE .text;\n"
    )
}
