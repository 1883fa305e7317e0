//! The example projects, each test with a copy of its own.

use std::path::Path;
use std::process::Command;

use super::engine::{images_of, repository};
use super::project::Project;

/// A copy of `fixtures/<name>` as a project, its images on the engine.
pub(crate) fn fixture(name: &'static str) -> Project {
    images_of(name);
    let project = Project::empty(name);
    let source = repository().join("fixtures").join(name);
    copy(&source, project.path());
    project
}

fn copy(source: &Path, target: &Path) {
    let copied = Command::new("cp")
        .arg("-a")
        .arg(source.join("."))
        .arg(target)
        .status();
    assert!(
        copied.is_ok_and(|status| status.success()),
        "copying {}",
        source.display()
    );
}
