//! Parts of a service that are given on the command line, in the short forms of compose files.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::{Context, Error};
use crate::compose::model::{Mount, Port};
use crate::compose::source::Source;
use crate::compose::{self, LoadOptions, Project, SourceMap, dotenv};
use crate::ui;

/// `--volume` and `--publish`, read as entries of a service's `volumes` and `ports`. Relative
/// paths start from the folder the program was started in.
pub(super) fn mounts_and_ports(
    context: &Context,
    volumes: &[String],
    ports: &[String],
) -> Result<(Vec<Mount>, Vec<Port>), Error> {
    let mut mounts = Vec::new();
    for volume in volumes {
        let project = read(context, "volumes", volume, "--volume")?;
        mounts.extend(
            project
                .services
                .into_values()
                .flat_map(|service| service.volumes),
        );
    }
    let mut published = Vec::new();
    for port in ports {
        let project = read(context, "ports", port, "--publish")?;
        published.extend(
            project
                .services
                .into_values()
                .flat_map(|service| service.ports),
        );
    }
    Ok((mounts, published))
}

/// Reads one entry of a list of a service.
fn read(context: &Context, attribute: &str, text: &str, flag: &str) -> Result<Project, Error> {
    let document = serde_json::json!({
        "name": "command-line",
        "services": { "service": { "image": "none", attribute: [text] } },
    });
    let options = LoadOptions {
        files: vec!["-".to_owned()],
        stdin: Some(document.to_string()),
        project_directory: Some(context.working_dir.clone()),
        interpolate: false,
        check_consistency: false,
        resolve_environment: false,
        ..LoadOptions::new(context.working_dir.clone(), BTreeMap::new())
    };
    match compose::load(&options) {
        Ok(loaded) => Ok(loaded.project),
        Err(error) => Err(Error::user(format!("{flag}: {text:?}: {error}"))),
    }
}

/// `--env` over `--env-from-file`; a bare name takes its value from the project's environment and
/// is left out where it has none.
pub(super) fn environment(
    project: &Project,
    given: &[String],
    files: &[PathBuf],
) -> Result<BTreeMap<String, String>, Error> {
    let mut environment = BTreeMap::new();
    for text in given {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (text.as_str(), project.environment.get(text).cloned()),
        };
        if let Some(value) = value {
            environment.insert(name.to_owned(), value);
        }
    }
    for path in files {
        for (name, value) in env_file(path, &environment)? {
            environment.entry(name).or_insert(value);
        }
    }
    Ok(environment)
}

fn env_file(
    path: &PathBuf,
    known: &BTreeMap<String, String>,
) -> Result<Vec<(String, String)>, Error> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| {
        Error::user(format!("cannot read {name}: {error}")).help("correct --env-from-file")
    })?;
    let mut sources = SourceMap::default();
    let source = sources.add(Source {
        name,
        text: text.as_str().into(),
        parent: None,
    });
    let variables = dotenv::parse(source, &text, &|name| known.get(name).cloned())
        .map_err(|problem| Error::user(ui::diagnostics::render(&[*problem], &sources, false)))?;
    let variables = variables.into_iter();
    Ok(variables
        .filter_map(|(name, variable)| {
            let value = variable.value.or_else(|| known.get(&name).cloned())?;
            Some((name, value))
        })
        .collect())
}

/// `--label NAME=VALUE`.
pub(super) fn labels(given: &[String]) -> Result<BTreeMap<String, String>, Error> {
    given
        .iter()
        .map(|text| match text.split_once('=') {
            Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
            None => Err(Error::user(format!("label {text:?} has no value"))
                .help("give labels as NAME=VALUE")),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_have_a_name_and_a_value() {
        let labels = labels(&["a=b=c".to_owned()]).unwrap_or_default();
        assert_eq!(labels.get("a").map(String::as_str), Some("b=c"));
    }

    #[test]
    fn a_label_without_value_is_refused() {
        assert!(labels(&["a".to_owned()]).is_err());
    }
}
