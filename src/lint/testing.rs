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
    with_dockerfiles(written, |input| {
        let found = lint(input, &selection);
        found
            .iter()
            .map(|finding| line(input.written, finding))
            .collect()
    })
}

/// What a function makes of a project with its Dockerfiles.
pub(super) fn with_dockerfiles<T>(written: &Written, f: impl FnOnce(&Input<'_>) -> T) -> T {
    let mut written = written.clone();
    let dockerfiles = dockerfiles::of_services(&mut written);
    f(&Input {
        written: &written,
        dockerfiles: &dockerfiles,
        exists: &Path::exists,
    })
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

/// The findings of one rule in the Dockerfile of a project's only service, `line:column level: message`.
pub(super) fn lint_dockerfile(rule: &str, text: &str) -> Vec<String> {
    let project = ("compose.yaml", "services: {a: {build: .}}");
    let found = Folder::new(&[project, ("Dockerfile", text)]).lint(&[rule]);
    let places = found
        .iter()
        .map(|line| line.replace(&format!("{rule} "), ""));
    places.map(|line| line.replace("Dockerfile:", "")).collect()
}

/// Checks that a rule finds something in each of the bad examples and nothing in the good ones. What
/// is looked at stands behind `FROM x:1`, unless a `FROM` is in it.
pub(super) fn check_dockerfiles(rule: &str, bad: &[&str], good: &[&str]) {
    let whole = |text: &str| {
        if text.contains("FROM ") {
            text.to_owned()
        } else {
            format!("FROM x:1\n{text}\n")
        }
    };
    for text in bad {
        let found = lint_dockerfile(rule, &whole(text));
        assert_eq!(found.len(), 1, "{rule} in {text}: {found:?}");
    }
    for text in good {
        let text = whole(text);
        assert_eq!(lint_dockerfile(rule, &text), [""; 0], "{rule} in {text}");
        assert_eq!(
            lint_dockerfile("dockerfile-syntax", &text),
            [""; 0],
            "{text}"
        );
    }
}
