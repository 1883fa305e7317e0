//! Whole files in, whole files and notes out.

mod equivalence;
mod gitlab;
mod small;

use std::fmt::Write as _;

use super::{Change, migrate};

/// The new text, and below it what is told.
fn migrated(text: &str) -> String {
    let migration = migrate("compose.yml", text).expect("YAML");
    let again = migrate("compose.yml", &migration.text).expect("YAML");
    assert_eq!(
        again.text, migration.text,
        "migrating twice changes something"
    );
    let mut shown = migration.text;
    shown.push_str("----\n");
    for Change { span, message } in &migration.changes {
        let _ = writeln!(shown, "{}:{} {message}", span.line, span.column);
    }
    for warning in &migration.warnings {
        let (line, column) = warning.span.map_or((0, 0), |span| (span.line, span.column));
        let help = warning.help.as_deref().unwrap_or_default();
        let _ = writeln!(
            shown,
            "warning {line}:{column} {}\n    {help}",
            warning.message
        );
    }
    shown
}
