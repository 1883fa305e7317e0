//! Which instructions a command runs, as valgrind's callgrind records them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::{Error, run};

/// Addresses of the instructions that `program` with `arguments` runs in `folder`, those of libraries included.
///
/// # Errors
/// When valgrind is missing, the command fails or its record cannot be read.
pub(crate) fn addresses(
    program: &Path,
    arguments: &[&str],
    folder: &Path,
) -> Result<BTreeSet<u64>, Error> {
    let record = std::env::temp_dir().join(format!("rcompose-layout.{}", std::process::id()));
    let mut valgrind = Command::new("valgrind");
    valgrind
        .args([
            "--quiet",
            "--tool=callgrind",
            "--dump-instr=yes",
            "--dump-line=no",
        ])
        .arg(format!("--callgrind-out-file={}", record.display()))
        .arg(program)
        .args(arguments)
        .current_dir(folder);
    let outcome = run(&mut valgrind);
    let text = fs::read_to_string(&record);
    // It is not there when valgrind could not be started, which `outcome` tells.
    let _ = fs::remove_file(&record);
    outcome?;
    Ok(parse(&text?))
}

/// The positions of a record: an address, or the distance from the last one (`+`, `-`, `*` for none).
fn parse(record: &str) -> BTreeSet<u64> {
    let mut address = 0_u64;
    let mut found = BTreeSet::new();
    for line in record.lines() {
        let Some(position) = line
            .split(' ')
            .next()
            .filter(|it| it.starts_with(['0', '+', '-', '*']))
        else {
            continue;
        };
        address = match position.split_at(1) {
            ("+", distance) => address.wrapping_add(number(distance)),
            ("-", distance) => address.wrapping_sub(number(distance)),
            ("*", _) => address,
            _ => number(position),
        };
        found.insert(address);
    }
    found
}

fn number(text: &str) -> u64 {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => text.parse(),
    }
    .unwrap_or(0)
}
