//! What scenarios look at.

use serde_json::Value;

use crate::support::project::Project;

/// The names of the services of which `ps` with these options shows a container, sorted.
#[track_caller]
pub(super) fn services(project: &Project, options: &[&str]) -> Vec<String> {
    let shown = project.rcompose(&[&["ps", "--services"], options].concat());
    sorted(&shown.success().stdout)
}

/// The names of the containers that `ps` with these options shows, sorted.
#[track_caller]
pub(super) fn containers(project: &Project, options: &[&str]) -> Vec<String> {
    let shown = project.rcompose(&[&["ps", "--format", "{{.Name}}"], options].concat());
    sorted(&shown.success().stdout)
}

fn sorted(text: &str) -> Vec<String> {
    // Where there is nothing, `ps --services` prints an empty line.
    let lines = text.lines().filter(|line| !line.is_empty());
    let mut lines: Vec<String> = lines.map(ToOwned::to_owned).collect();
    lines.sort();
    lines
}

/// The engine's account of the first container of a service.
pub(super) fn inspect(project: &Project, service: &str) -> Value {
    project.engine().inspect(&project.container(service, 1))
}

/// `running`, `exited` … of the first container of a service.
pub(super) fn state(project: &Project, service: &str) -> String {
    let status = &inspect(project, service)["State"]["Status"];
    status.as_str().unwrap_or_default().to_owned()
}

/// How a line about a container ends, as in `Container shop-web-1  Started`.
pub(super) fn line(project: &Project, service: &str, what: &str) -> String {
    format!("Container {}  {what}", project.container(service, 1))
}
