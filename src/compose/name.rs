//! The project's name.

use std::collections::BTreeMap;
use std::path::Path;

use super::budget::Budget;
use super::diagnostic::{Diagnostic, code};
use super::interpolate::Interpolation;
use super::loader::{Loader, ParsedFile};
use super::node::{Node, Value};
use super::scalar;
use super::source::Span;

/// Settles the name: `-p`, then `COMPOSE_PROJECT_NAME`, then `name:`, then the folder.
/// Nothing after a problem, which is reported.
pub(crate) fn project_name(
    loader: &mut Loader<'_>,
    files: &[ParsedFile],
    folder: &Path,
    environment: &BTreeMap<String, String>,
) -> Option<String> {
    let options = loader.options;
    let given = options
        .project_name
        .as_ref()
        .filter(|name| !name.is_empty())
        .map(|name| (name, "-p"));
    let set = environment
        .get("COMPOSE_PROJECT_NAME")
        .filter(|name| !name.is_empty())
        .map(|name| (name, "COMPOSE_PROJECT_NAME"));
    if let Some((name, origin)) = given.or(set) {
        return checked(loader, name, origin);
    }
    let mut written = files
        .iter()
        .flat_map(|file| &file.documents)
        .filter_map(named);
    let Some((node, text)) = written.next_back() else {
        let base = folder.file_name().unwrap_or_default().to_string_lossy();
        warn_of_link(loader, folder);
        let origin = format!("the folder \"{base}\"");
        return not_empty(loader, normalize(&base), &origin, None);
    };
    let text = if options.interpolate {
        Interpolation {
            sources: &loader.sources,
            lookup: &|name| environment.get(name).cloned(),
            unset: &mut super::interpolate::Unset::default(),
            problems: &mut Vec::new(),
            budget: &mut Budget::new(),
        }
        .text(&text, node.span)
        .unwrap_or_default()
    } else {
        text
    };
    let name = if options.normalize {
        normalize(&text)
    } else {
        text.clone()
    };
    not_empty(
        loader,
        name,
        &format!("the name \"{text}\""),
        Some(node.span),
    )
}

/// A link may be reached by another name next time, which would be another project.
fn warn_of_link(loader: &mut Loader<'_>, folder: &Path) {
    let Ok(real) = folder.canonicalize() else {
        return;
    };
    let (Some(used), Some(real)) = (folder.file_name(), real.file_name()) else {
        return;
    };
    if used != real {
        let used = used.to_string_lossy();
        loader.problems.push(
            Diagnostic::warning(format!(
                "the project is named after \"{used}\", a link to a folder of another name"
            ))
            .code(code::PROJECT_NAME)
            .help("give it a name with a top-level `name:`"),
        );
    }
}

fn named(document: &Node) -> Option<(&Node, String)> {
    let node = document.get("name")?;
    if matches!(node.value, Value::Null) {
        return None;
    }
    let text = scalar::text(&node.value).filter(|text| !text.is_empty())?;
    Some((node, text))
}

fn checked(loader: &mut Loader<'_>, name: &str, origin: &str) -> Option<String> {
    let normal = normalize(name);
    if normal == name {
        return Some(normal);
    }
    let mut problem = Diagnostic::error(format!("invalid project name \"{name}\" from {origin}"))
        .code(code::PROJECT_NAME);
    problem = problem.help(if normal.is_empty() {
        "use lower-case letters, digits, hyphens and underscores, starting with a letter or digit"
            .to_owned()
    } else {
        format!(
            "use lower-case letters, digits, hyphens and underscores, starting with a letter or digit, such as \"{normal}\""
        )
    });
    loader.problems.push(problem);
    None
}

fn not_empty(
    loader: &mut Loader<'_>,
    name: String,
    origin: &str,
    place: Option<Span>,
) -> Option<String> {
    if !name.is_empty() {
        return Some(name);
    }
    let problem = Diagnostic::error(format!("{origin} makes no project name"))
        .code(code::PROJECT_NAME)
        .help("use letters and digits, or give a name with -p");
    loader.report(problem, place);
    None
}

/// Lower-cases and drops what a project name cannot hold.
pub fn normalize(text: &str) -> String {
    let kept: String = text
        .to_lowercase()
        .chars()
        .filter(|char| matches!(char, 'a'..='z' | '0'..='9' | '_' | '-'))
        .collect();
    kept.trim_start_matches(['_', '-']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normalizes() {
        assert_eq!(normalize("My.Dir_1-X"), "mydir_1-x");
        assert_eq!(normalize("_-a"), "a");
        assert_eq!(normalize("ÄÖ"), "");
    }
}
