//! `format: raw`: lines of `NAME=value` without quoting, escapes or interpolation.

use super::{Reading, Variable, Variables};
use crate::compose::diagnostic::{Diagnostic, code};
use crate::compose::source::{SourceId, Span};

/// Reads a file of `format: raw` of which every line can be read; otherwise as [`read_raw`].
///
/// # Errors
///
/// The first line whose name is empty or has a blank in it.
pub fn parse_raw(
    source: SourceId,
    text: &str,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<Variables, Box<Diagnostic>> {
    read_raw(source, text, lookup).whole()
}

/// Reads as much of a file of `format: raw` as can be read.
///
/// Blank lines and lines that start with `#` are skipped; `lookup` gives the value of a name
/// that stands alone.
pub fn read_raw(source: SourceId, text: &str, lookup: &dyn Fn(&str) -> Option<String>) -> Reading {
    let Reading {
        mut variables,
        mut problems,
    } = Reading::default();
    let mut start = text.len() - text.trim_start_matches('\u{feff}').len();
    for (number, line) in text[start..].split('\n').enumerate() {
        let body = line.trim_start();
        let indent = line.len() - body.len();
        let (name, value) = match body.split_once('=') {
            Some((name, value)) => (name, Some(value.trim_end_matches('\r'))),
            None => (body.trim_end(), None),
        };
        let span = Span {
            source,
            start: (start + indent) as u32,
            end: (start + indent + name.len()) as u32,
            line: number as u32 + 1,
            column: line[..indent].chars().count() as u32 + 1,
        };
        start += line.len() + 1;
        if body.trim_end().is_empty() || body.starts_with('#') {
            continue;
        }
        if name.is_empty() || name.contains(char::is_whitespace) {
            let message = format!("variable name \"{name}\" is empty or contains a blank");
            let problem = Diagnostic::error(message).code(code::INVALID_ENV_FILE);
            problems.push(problem.at(span).help("write `NAME=value`"));
            continue;
        }
        let value = value.map_or_else(|| lookup(name), |value| Some(value.to_owned()));
        variables.insert(name.to_owned(), Variable { value, span });
    }
    Reading {
        variables,
        problems,
    }
}
