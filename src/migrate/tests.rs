//! Whole files in, whole files and notes out.

mod equivalence;
mod gitlab;
mod small;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use super::{Change, migrate};
use crate::compose::{LoadError, LoadOptions, Project, load};

/// The new text, and below it what is told.
fn migrated(text: &str) -> String {
    let migration = migrate("compose.yml", text).expect("YAML");
    let again = migrate("compose.yml", &migration.text).expect("YAML");
    assert_eq!(
        again.text, migration.text,
        "migrating twice changes something"
    );
    let mut shown = migration.text;
    let end = shown.len();
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
    if let Err(error) = loaded(&shown[..end]) {
        let _ = writeln!(shown, "does not load: {error}");
    }
    shown
}

/// The project that a text means.
fn loaded(text: &str) -> Result<Project, LoadError> {
    let options = LoadOptions {
        files: vec!["-".to_owned()],
        stdin: Some(text.to_owned()),
        project_directory: Some(PathBuf::from("/project")),
        project_name: Some("p".to_owned()),
        ..LoadOptions::new(PathBuf::from("/project"), BTreeMap::new())
    };
    load(&options).map(|loaded| loaded.project)
}
