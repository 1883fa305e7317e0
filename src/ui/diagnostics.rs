//! Problems of compose files, with the lines they are in.

use std::fmt::Write as _;

use crate::compose::{Diagnostic, SourceMap};

/// Renders problems as text that ends with a newline.
pub fn render(diagnostics: &[Diagnostic], sources: &SourceMap, _color: bool) -> String {
    let mut text = String::new();
    for diagnostic in diagnostics {
        let place = diagnostic
            .span
            .map(|span| format!("{}: ", sources.locate(span)))
            .unwrap_or_default();
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{place}{}", diagnostic.message);
    }
    text
}
