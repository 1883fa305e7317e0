//! `secret-in-clear`: passwords, keys and tokens in compose files.

use crate::compose::{Diagnostic, Severity, template};
use crate::lint::assignment;
use crate::lint::finding::Report;
use crate::lint::input::Input;
use crate::lint::rules::dockerfile::secret_text;
use crate::lint::secret;
use crate::lint::walk;

pub(in crate::lint) fn check(input: &Input<'_>, report: &mut Report) {
    texts(input, report);
    secret_text::check(input, report);
    for assignment in assignment::all(input) {
        let (name, value) = (assignment.name, assignment.value.as_str());
        let is_literal = template::variables(value).is_empty();
        // The secret that a label is about is another's, known by its name.
        let is_promise = !(assignment.is_label && name.to_lowercase().ends_with("secret"));
        let is_secret = is_promise && secret::is_name(name) && secret::is_value(value);
        if is_literal && is_secret {
            report.add(
                Diagnostic::warning(format!("the value of {name} stands in the file"))
                    .at(assignment.span)
                    .help(format!(
                        "take it from the environment (`${{{}}}`), or from a file by `secrets`",
                        variable(name)
                    )),
            );
        } else if let Some(range) = secret::passwords_in_urls(input.text(assignment.span))
            .into_iter()
            .next()
        {
            report.add(
                Diagnostic::warning(format!("the URL in {name} has a password in it"))
                    .at(input.inside(assignment.span, range))
                    .help(
                        "take the password from the environment: `scheme://user:${PASSWORD}@host`",
                    ),
            );
        }
    }
}

/// Private keys and tokens, wherever they stand.
fn texts(input: &Input<'_>, report: &mut Report) {
    for document in &input.written.documents {
        walk::walk(document, &mut |visit| {
            let Some(what) = visit.node.as_str().and_then(secret::in_text) else {
                return;
            };
            report.add_as(
                Severity::Error,
                Diagnostic::warning(format!("this gives {what} away"))
                    .at(visit.node.span)
                    .help("revoke it, and take the new one from the environment or by `secrets`"),
            );
        });
    }
}

/// A name for the variable that a value could come from.
fn variable(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.chars().all(is_plain) {
        name.to_owned()
    } else {
        "NAME".to_owned()
    }
}
