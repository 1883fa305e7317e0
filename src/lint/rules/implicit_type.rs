//! `implicit-type`: unquoted values that are read as numbers or booleans and come out different.

use crate::compose::node::Value;
use crate::compose::{Diagnostic, Severity, scalar_text};
use crate::lint::finding::Report;
use crate::lint::input::Input;
use crate::lint::secret;
use crate::lint::walk::{self, Visit};

/// Places where a text is meant and a number, a boolean or nothing is taken too.
const TEXTS: &[&[&str]] = &[
    &["services", "*", "environment", "*"],
    &["services", "*", "build", "args", "*"],
    &["services", "*", "build", "labels", "*"],
    &["services", "*", "deploy", "labels", "*"],
    &["services", "*", "labels", "*"],
    &["services", "*", "annotations", "*"],
    &["services", "*", "logging", "options", "*"],
    &["services", "*", "post_start", "*", "environment", "*"],
    &["services", "*", "pre_start", "*", "environment", "*"],
    &["services", "*", "pre_stop", "*", "environment", "*"],
    &["networks", "*", "driver_opts", "*"],
    &["networks", "*", "labels", "*"],
    &["volumes", "*", "driver_opts", "*"],
    &["volumes", "*", "labels", "*"],
];

pub(in crate::lint) fn check(input: &Input<'_>, report: &mut Report) {
    for document in &input.written.documents {
        walk::walk(document, &mut |visit| {
            if visit.is_any(TEXTS) {
                value(input, visit, report);
            }
        });
    }
}

fn value(input: &Input<'_>, visit: &Visit<'_, '_>, report: &mut Report) {
    let written = input.text(visit.node.span);
    let name = visit.path.last().copied().unwrap_or_default();
    let result = match &visit.node.value {
        Value::Str(_) | Value::Seq(_) | Value::Map(_) => return,
        // Nothing at all is how a variable is passed on.
        Value::Null if written.is_empty() => return,
        Value::Null => None,
        other => match scalar_text(other) {
            Some(text) if text == written => return,
            text => text,
        },
    };
    // A tag says that the type is meant, an alias that the place is another.
    if written.starts_with(['!', '*', '&']) {
        return;
    }
    let is_secret = secret::is_name(name);
    let (level, message) = match result {
        None if visit.path.contains(&"environment") => (
            Severity::Warning,
            format!("{name} is taken from the shell: `{written}` is no value"),
        ),
        None => (
            Severity::Warning,
            format!("{name} is empty: `{written}` is no value"),
        ),
        Some(_) if is_secret => (
            Severity::Warning,
            format!(
                "{name} becomes another text: unquoted, it is read as {}",
                visit.node.a_type()
            ),
        ),
        Some(text) => (
            level(&visit.node.value, written, &text),
            format!(
                "{name} becomes `{text}`: unquoted, `{written}` is read as {}",
                visit.node.a_type()
            ),
        ),
    };
    let help = if is_secret {
        "put it in quotes".to_owned()
    } else {
        format!("write \"{written}\"")
    };
    report.add_as(
        level,
        Diagnostic::warning(message).at(visit.node.span).help(help),
    );
}

/// `True` for `true` and `1.0` for `1` seldom matter; other digits do.
fn level(value: &Value, written: &str, text: &str) -> Severity {
    let same_word = written.eq_ignore_ascii_case(text);
    if matches!(value, Value::Bool(_)) || same_word {
        Severity::Note
    } else {
        Severity::Warning
    }
}
