//! Syntax errors in words that say what to do.

use libyaml_safer::Error;

use super::places::Places;
use crate::compose::diagnostic::Diagnostic;

/// The located problem of a file that is not YAML.
pub(super) fn describe(error: &Error, places: &Places) -> Diagnostic {
    let problem = error.problem();
    let message = match error.context().filter(|context| !context.is_empty()) {
        Some(context) => format!("invalid YAML: {problem} {context}"),
        None => format!("invalid YAML: {problem}"),
    };
    let mut diagnostic = Diagnostic::error(message);
    if let Some(mark) = error.problem_mark() {
        diagnostic = diagnostic.at(places.span(mark, mark));
    }
    if let Some(mark) = error.context_mark().filter(|_| error.context().is_some()) {
        let started = places.span(mark, mark);
        if diagnostic
            .span
            .is_some_and(|span| span.line != started.line)
        {
            diagnostic = diagnostic.related(started, "the part it belongs to starts here");
        }
    }
    match remedy(problem) {
        Some(help) => diagnostic.help(help),
        None => diagnostic,
    }
}

fn remedy(problem: &str) -> Option<&'static str> {
    Some(match problem {
        "found character that cannot start any token" => {
            "indent with blanks, not tabs, and put text that starts with `@`, `` ` `` or `%` in quotes"
        }
        "mapping values are not allowed in this context" => {
            "check the indentation of this line, or put a value that contains `: ` in quotes"
        }
        "did not find expected key" => {
            "check the indentation of this line: it must match the keys beside it"
        }
        "could not find expected ':'" => "a key must be followed by `:` on the same line",
        "did not find expected '-' indicator" => {
            "check the indentation of this line: it must match the list items beside it"
        }
        "found undefined tag handle" => "only `!!` and `!` tags are known here",
        _ => return None,
    })
}
