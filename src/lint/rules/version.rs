//! `obsolete-version`: the top-level `version`.

use crate::compose::Diagnostic;
use crate::lint::finding::Report;
use crate::lint::input::Input;

pub(in crate::lint) fn check(input: &Input<'_>, report: &mut Report) {
    for document in &input.written.documents {
        let version = document.as_map().and_then(|root| root.get("version"));
        if let Some(version) = version {
            report.add(
                Diagnostic::warning("the attribute `version` is obsolete and ignored")
                    .at(version.key)
                    .help("remove it"),
            );
        }
    }
}
