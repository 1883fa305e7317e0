//! `quoted-value`: `- NAME="value"`, where the quotes are part of the value.

use crate::compose::Diagnostic;
use crate::lint::assignment;
use crate::lint::finding::Report;
use crate::lint::input::Input;
use crate::lint::secret;

pub(in crate::lint) fn check(input: &Input<'_>, report: &mut Report) {
    for assignment in assignment::all(input) {
        let value = assignment.value.as_str();
        if !assignment.in_list || !is_quoted(value) {
            continue;
        }
        let name = assignment.name;
        let inner = &value[1..value.len() - 1];
        let shown = if secret::is_name(name) || inner.contains(['"', '\'', '\n']) {
            "value"
        } else {
            inner
        };
        report.add(
            Diagnostic::warning(format!("the quotes are part of the value of {name}"))
                .at(assignment.span)
                .help(format!(
                    "write `- {name}={shown}`, with the quotes around the whole item if it needs any"
                )),
        );
    }
}

/// Whether one pair of quotes encloses the text.
fn is_quoted(text: &str) -> bool {
    ['"', '\''].into_iter().any(|quote| {
        text.strip_prefix(quote)
            .and_then(|rest| rest.strip_suffix(quote))
            .is_some_and(|inner| !inner.contains(quote))
    })
}
