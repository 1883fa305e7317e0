//! `secret-in-clear` in Dockerfiles: passwords in URLs, keys and tokens.

use std::ops::Range;

use crate::compose::{Diagnostic, Severity};
use crate::dockerfile::{Instruction, Keyword};
use crate::lint::build_file::BuildFile;
use crate::lint::finding::Report;
use crate::lint::input::Input;
use crate::lint::secret;

pub(in crate::lint) fn check(input: &Input<'_>, report: &mut Report) {
    for file in input.dockerfiles {
        for instruction in &file.file.instructions {
            let text = file.slice(instruction.range.clone());
            if let Some(what) = secret::in_text(text) {
                report.add_as(
                    Severity::Error,
                    Diagnostic::warning(format!("this gives {what} away"))
                        .at(file.span(instruction.name.clone()))
                        .help("revoke it, and mount the new one: `RUN --mount=type=secret,…`"),
                );
            }
            for range in passwords(file, instruction) {
                report.add(
                    Diagnostic::warning(
                        "a URL has a password in it, and the image's history shows it",
                    )
                    .at(file.span(range))
                    .help("mount it where it is needed: `RUN --mount=type=secret,…`"),
                );
            }
            for pair in pairs(instruction) {
                if literal_secret(&pair.name, pair.value.as_deref().unwrap_or_default()) {
                    report.add(
                        Diagnostic::warning(format!("the value of {} stands in the file", pair.name))
                            .at(file.span(pair.value_range))
                            .help("mount it where it is needed, or give it to the container when it starts"),
                    );
                }
            }
        }
    }
}

/// Everything of a Dockerfile that must not be shown.
pub(in crate::lint) fn secrets(file: &BuildFile) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    for instruction in &file.file.instructions {
        if secret::in_text(file.slice(instruction.range.clone())).is_some() {
            ranges.push(instruction.range.clone());
        }
        ranges.extend(passwords(file, instruction));
        let secrets = pairs(instruction).into_iter().filter(|pair| {
            secret::is_name(&pair.name)
                && secret::is_value(pair.value.as_deref().unwrap_or_default())
        });
        ranges.extend(secrets.map(|pair| pair.value_range));
    }
    ranges
}

fn literal_secret(name: &str, value: &str) -> bool {
    secret::is_name(name) && secret::is_value(value) && !value.contains('$')
}

fn pairs(instruction: &Instruction) -> Vec<crate::dockerfile::Pair> {
    match instruction.keyword {
        Keyword::Arg | Keyword::Env => instruction.pairs(),
        _ => Vec::new(),
    }
}

fn passwords(file: &BuildFile, instruction: &Instruction) -> Vec<Range<usize>> {
    let start = instruction.range.start;
    let found = secret::passwords_in_urls(file.slice(instruction.range.clone()));
    let places = found.into_iter();
    places
        .map(|range| start + range.start..start + range.end)
        .collect()
}
