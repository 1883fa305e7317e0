//! Containers → projects, as `ls` shows them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use super::table::Layout;
use super::template::go_json;
use crate::report::Listed;

const CONFIG_FILES: &str = "com.docker.compose.project.config_files";

/// One project of an engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ProjectSummary {
    /// Its name.
    pub name: String,
    /// How many of its containers are in which state: "exited(1), running(2)".
    pub status: String,
    /// Its compose files, separated by commas.
    pub config_files: String,
}

/// Groups containers by project, sorted by name.
pub fn group(containers: &[Listed]) -> Vec<ProjectSummary> {
    let mut projects: BTreeMap<&str, Vec<&Listed>> = BTreeMap::new();
    for container in containers {
        projects
            .entry(container.project())
            .or_default()
            .push(container);
    }
    projects
        .into_iter()
        .map(|(name, containers)| ProjectSummary {
            name: name.to_owned(),
            status: status(&containers),
            config_files: config_files(&containers),
        })
        .collect()
}

fn status(containers: &[&Listed]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for container in containers {
        *counts.entry(&container.state).or_default() += 1;
    }
    let parts: Vec<String> = counts
        .into_iter()
        .map(|(state, count)| format!("{state}({count})"))
        .collect();
    parts.join(", ")
}

fn config_files(containers: &[&Listed]) -> String {
    let mut files: Vec<&str> = Vec::new();
    for container in containers {
        let Some(label) = container.labels.get(CONFIG_FILES) else {
            return "N/A".to_owned();
        };
        for file in label.split(',') {
            if !files.contains(&file) {
                files.push(file);
            }
        }
    }
    files.join(",")
}

/// The table of `ls`.
pub fn table(projects: &[ProjectSummary]) -> String {
    let mut text = String::from("NAME\tSTATUS\tCONFIG FILES\n");
    for project in projects {
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{}\t{}\t{}",
            project.name, project.status, project.config_files
        );
    }
    Layout::LIST.align(&text)
}

/// The JSON of `ls`: one array.
pub fn json(projects: &[ProjectSummary]) -> String {
    go_json(&serde_json::json!(projects), false) + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container(project: &str, state: &str, files: Option<&str>) -> Listed {
        let mut labels =
            BTreeMap::from([("com.docker.compose.project".to_owned(), project.to_owned())]);
        labels.extend(files.map(|files| (CONFIG_FILES.to_owned(), files.to_owned())));
        Listed {
            state: state.into(),
            labels,
            ..Listed::default()
        }
    }

    #[test]
    fn states_are_counted_and_files_joined() {
        let projects = group(&[
            container("b", "running", None),
            container("a", "running", Some("/x.yml,/y.yml")),
            container("a", "exited", Some("/x.yml")),
            container("a", "running", Some("/x.yml")),
        ]);
        assert_eq!(
            json(&projects),
            "[{\"Name\":\"a\",\"Status\":\"exited(1), running(2)\",\"ConfigFiles\":\"/x.yml,/y.yml\"},\
             {\"Name\":\"b\",\"Status\":\"running(1)\",\"ConfigFiles\":\"N/A\"}]\n"
        );
        assert!(
            table(&projects)
                .starts_with("NAME                STATUS                  CONFIG FILES\n")
        );
        assert_eq!(json(&[]), "[]\n");
    }
}
