//! Projects for unit tests of rules.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Input, Selection, lint};
use crate::cli::dockerfiles;
use crate::compose::{Diagnostic, LoadOptions, Written, load_written};

/// A folder with a project in it.
pub(super) struct Folder(tempfile::TempDir);

impl Folder {
    /// Files by name, with their text.
    pub(super) fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        Self(folder)
    }

    /// What a load of the folder is asked for.
    pub(super) fn options(&self) -> LoadOptions {
        let path = self.0.path().canonicalize().unwrap();
        let mut options = LoadOptions::new(path, BTreeMap::new());
        options.project_name = Some("p".to_owned());
        options
    }

    /// The project as it was written.
    pub(super) fn load(&self) -> Written {
        written(&self.options())
    }

    /// `name:line:column rule level: message` of every finding.
    pub(super) fn lint(&self, only: &[&str]) -> Vec<String> {
        lint_written(&self.load(), only)
    }
}

pub(super) fn written(options: &LoadOptions) -> Written {
    match load_written(options) {
        Ok(written) => written,
        Err(error) => panic!("{:?}", error.diagnostics),
    }
}

/// [`Folder::lint`] of a project that was loaded.
pub(super) fn lint_written(written: &Written, only: &[&str]) -> Vec<String> {
    let selection = Selection {
        only: only.iter().map(|id| (*id).to_owned()).collect(),
        allowed: Vec::new(),
    };
    let mut written = written.clone();
    let dockerfiles = dockerfiles::of_services(&mut written);
    let input = Input {
        written: &written,
        dockerfiles: &dockerfiles,
        exists: &Path::exists,
    };
    let found = lint(&input, &selection);
    found
        .iter()
        .map(|finding| line(&written, finding))
        .collect()
}

/// What a function makes of a project, with the files that are there.
pub(super) fn with_input<T>(written: &Written, f: impl FnOnce(&Input<'_>) -> T) -> T {
    f(&Input {
        written,
        dockerfiles: &[],
        exists: &Path::exists,
    })
}

fn line(written: &Written, finding: &Diagnostic) -> String {
    let place = finding
        .span
        .map_or_else(String::new, |span| written.sources.locate(span) + " ");
    format!(
        "{place}{} {}: {}",
        finding.code,
        finding.severity.as_str(),
        finding.message
    )
}

/// The findings of one rule in a compose file.
pub(super) fn lint_text(rule: &str, text: &str) -> Vec<String> {
    Folder::new(&[("compose.yaml", text)]).lint(&[rule])
}
