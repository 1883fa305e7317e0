//! `add-for-copy` and `add-without-checksum`.

use crate::compose::Diagnostic;
use crate::dockerfile::{Keyword, Word};
use crate::lint::finding::Report;
use crate::lint::input::Input;
use crate::lint::stages::{self, Step};

/// Ends of the names of archives that `ADD` unpacks.
const ARCHIVES: [&str; 12] = [
    ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz", ".tbz2", ".tar.xz", ".txz", ".tar.zst", ".gz",
    ".xz", ".bz2",
];

pub(in crate::lint) fn for_copy(input: &Input<'_>, report: &mut Report) {
    stages::for_each(input, Keyword::Add, &mut |step| {
        let sources = sources(step);
        let is_plain = |word: &Word| {
            let text = word.text.as_str();
            let is_archive = ARCHIVES
                .iter()
                .any(|end| text.to_lowercase().ends_with(end));
            !is_archive && !is_remote(text) && !text.contains(['$', '*', '?'])
        };
        if !sources.is_empty() && sources.iter().all(is_plain) {
            report.add(
                Diagnostic::warning(
                    "ADD copies here, and may do more with other files: unpack, fetch",
                )
                .at(step.at(step.instruction.name.clone()))
                .help("write COPY"),
            );
        }
    });
}

pub(in crate::lint) fn without_checksum(input: &Input<'_>, report: &mut Report) {
    stages::for_each(input, Keyword::Add, &mut |step| {
        if step.instruction.flag("checksum").is_some() {
            return;
        }
        for source in sources(step) {
            let text = source.text.as_str();
            let is_web = text.starts_with("http://") || text.starts_with("https://");
            let is_git = text
                .split('#')
                .next()
                .is_some_and(|url| url.to_lowercase().ends_with(".git"));
            if is_web && !is_git {
                report.add(
                    Diagnostic::warning(
                        "what is fetched is not checked: it may be another file one day",
                    )
                    .at(step.at(source.range))
                    .help("add `--checksum=sha256:…`"),
                );
            }
        }
    });
}

fn is_remote(text: &str) -> bool {
    text.contains("://") || text.starts_with("git@")
}

/// Everything but the destination; nothing where it is a here-document.
fn sources(step: &Step<'_, '_>) -> Vec<Word> {
    if !step.instruction.documents.is_empty() {
        return Vec::new();
    }
    let mut words = step.instruction.words();
    words.pop();
    words
}
