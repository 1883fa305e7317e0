//! What of a project goes into an OCI artifact: its compose files as they were written, except that they name the files
//! they build on, and env files, by the names that these have in the artifact.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::ops::Range;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::diagnostic::{Diagnostic, code};
use super::node::Node;
use super::paths;
use super::source::{Relation, Source, SourceId, Span};
use super::template;
use super::written::Written;

/// What a part of the artifact is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A compose file; several are one project, later ones over earlier ones.
    Compose,
    /// A compose file that services of others extend.
    Base,
    /// An env file of services.
    EnvFile,
}

/// One file of the artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What it is.
    pub kind: Kind,
    /// Its name, without a folder.
    pub name: String,
    /// Its bytes.
    pub content: Vec<u8>,
}

/// The parts of a project's artifact: its compose files in their order, then what they extend. Env files that services name are
/// the last, where they are asked for and exist. `folder` is the one that the project was loaded from, which names of its
/// sources are relative to.
///
/// # Errors
/// Where a file of this machine is included: an artifact does not hold it.
pub fn parts(
    written: &Written,
    folder: &Path,
    with_env_files: bool,
) -> Result<Vec<Part>, Box<Diagnostic>> {
    let files = Files { written, folder };
    files.check_includes()?;
    let mut parts = Vec::new();
    let mut seen = BTreeSet::new();
    let mut edits = files.edits_of_extends();
    let env_files = files.env_files(&mut edits);
    for (kind, id) in files.in_order() {
        let source = written.sources.get(id);
        let path = files.path(source);
        if !seen.insert(path.clone()) {
            continue;
        }
        let name = match kind {
            Kind::Compose => file_name(&path),
            Kind::Base | Kind::EnvFile => name_in_artifact(&path, "yaml"),
        };
        let edits = edits.remove(&id).unwrap_or_default();
        let content = edited(&source.text, edits).into_bytes();
        parts.push(Part {
            kind,
            name,
            content,
        });
    }
    if with_env_files {
        parts.extend(env_files.iter().filter_map(|path| env_file(path)));
    }
    Ok(parts)
}

/// Replacements in a text, by where they begin.
type Edits = BTreeMap<usize, (Range<usize>, String)>;

/// The files of a project.
struct Files<'a> {
    written: &'a Written,
    folder: &'a Path,
}

impl Files<'_> {
    /// The project's own files in the order of the command line, then those that are extended.
    fn in_order(&self) -> Vec<(Kind, SourceId)> {
        let sources: Vec<(SourceId, &Source)> = self.written.sources.entries().collect();
        let own = self
            .written
            .project
            .compose_files
            .iter()
            .filter_map(|file| {
                let mut sources = sources.iter();
                let found = sources.find(|(_, source)| {
                    source.parent.is_none() && self.path(source) == Path::new(file)
                });
                found.map(|(id, _)| (Kind::Compose, *id))
            });
        let extended = sources.iter().filter(|(_, source)| self.is_base(source));
        own.chain(extended.map(|(id, _)| (Kind::Base, *id)))
            .collect()
    }

    /// The absolute path of a source; `-` stays.
    fn path(&self, source: &Source) -> PathBuf {
        if source.name == "-" {
            return PathBuf::from("-");
        }
        PathBuf::from(paths::clean(
            &self.folder.join(&source.name).to_string_lossy(),
        ))
    }

    /// Whether a source is a file of this machine that the artifact has because another one of it extends it.
    fn is_base(&self, source: &Source) -> bool {
        matches!(source.parent, Some((Relation::Extends, span))
            if !self.is_remote(span) && self.is_part(self.written.sources.get(span.source)))
    }

    fn is_part(&self, source: &Source) -> bool {
        source.parent.is_none() || self.is_base(source)
    }

    fn is_remote(&self, span: Span) -> bool {
        let text = &self.written.sources.get(span.source).text;
        let text = text
            .get(span.start as usize..span.end as usize)
            .unwrap_or_default();
        paths::is_remote(&self.substituted(text.trim_matches(['"', '\''])))
    }

    fn substituted(&self, text: &str) -> String {
        let environment = &self.written.project.environment;
        let lookup = |name: &str| environment.get(name).cloned();
        template::substitute(text, &lookup, &mut |_| {}).unwrap_or_else(|_| text.to_owned())
    }

    fn check_includes(&self) -> Result<(), Box<Diagnostic>> {
        for source in self.written.sources.iter() {
            let Some((Relation::Include, span)) = source.parent else {
                continue;
            };
            if !self.is_remote(span) && self.is_part(self.written.sources.get(span.source)) {
                let problem = Diagnostic::error("cannot publish compose file with local includes")
                    .code(code::COMMAND)
                    .at(span);
                let help = "name the file with -f instead, or include it from a registry";
                return Err(problem.help(help).into());
            }
        }
        Ok(())
    }

    fn edits_of_extends(&self) -> BTreeMap<SourceId, Edits> {
        let mut edits: BTreeMap<SourceId, Edits> = BTreeMap::new();
        for source in self.written.sources.iter() {
            let Some((Relation::Extends, span)) = source.parent else {
                continue;
            };
            if self.is_base(source) {
                let name = name_in_artifact(&self.path(source), "yaml");
                insert(&mut edits, span, name);
            }
        }
        edits
    }

    /// The env files of services, each once, and their new names as edits.
    fn env_files(&self, edits: &mut BTreeMap<SourceId, Edits>) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for document in &self.written.documents {
            let source = self.written.sources.get(document.span.source);
            if !self.is_part(source) {
                continue;
            }
            let folder = if source.parent.is_none() {
                self.written.project.working_dir.clone()
            } else {
                let path = self.path(source);
                path.parent().unwrap_or(Path::new("/")).to_owned()
            };
            for node in env_files_of(document) {
                let Some(text) = node.as_str() else {
                    continue;
                };
                let path = self.local(&folder, &self.substituted(text));
                insert(edits, node.span, name_in_artifact(&path, "env"));
                if !found.contains(&path) {
                    found.push(path);
                }
            }
        }
        found
    }

    fn local(&self, folder: &Path, text: &str) -> PathBuf {
        let home = self.written.project.environment.get("HOME");
        let path = match (text.strip_prefix("~/"), home) {
            (Some(rest), Some(home)) => Path::new(home).join(rest),
            _ => folder.join(text),
        };
        PathBuf::from(paths::clean(&path.to_string_lossy()))
    }
}

fn insert(edits: &mut BTreeMap<SourceId, Edits>, span: Span, text: String) {
    let range = span.start as usize..span.end as usize;
    let edits = edits.entry(span.source).or_default();
    edits.insert(range.start, (range, text));
}

/// The values of a document that name env files of services.
fn env_files_of(document: &Node) -> Vec<&Node> {
    let services = document.get("services").and_then(Node::as_map);
    let mut found = Vec::new();
    for service in services.into_iter().flat_map(|map| map.values()) {
        let Some(node) = service.node.get("env_file") else {
            continue;
        };
        let items = node.as_seq().unwrap_or(std::slice::from_ref(node));
        found.extend(items.iter().map(|item| item.get("path").unwrap_or(item)));
    }
    found
}

fn file_name(path: &Path) -> String {
    if path == Path::new("-") {
        return "compose.yaml".to_owned();
    }
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// The name that a file has in an artifact in place of its path: nothing of the path is told, and it is the same each time.
fn name_in_artifact(path: &Path, ending: &str) -> String {
    let hash = Sha256::digest(path.to_string_lossy().as_bytes());
    let mut name = String::new();
    for byte in &hash {
        // Writing to a string cannot fail.
        let _ = write!(name, "{byte:02x}");
    }
    name + "." + ending
}

/// A text with the replacements made.
fn edited(text: &str, edits: Edits) -> String {
    let mut result = String::with_capacity(text.len());
    let mut at = 0;
    for (range, replacement) in edits.into_values() {
        result.push_str(text.get(at..range.start).unwrap_or_default());
        result.push_str(&replacement);
        at = range.end;
    }
    result + text.get(at..).unwrap_or_default()
}

/// An env file, where there is one.
fn env_file(path: &Path) -> Option<Part> {
    Some(Part {
        kind: Kind::EnvFile,
        name: name_in_artifact(path, "env"),
        content: std::fs::read(path).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::compose::{LoadOptions, load_written};

    /// The parts of the project of files in a folder of their own.
    fn of(files: &[(&str, &str)]) -> (Result<Vec<Part>, Box<Diagnostic>>, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let mut options = LoadOptions::new(folder.path().to_owned(), BTreeMap::default());
        options.shell.insert("WHICH".to_owned(), "one".to_owned());
        let written = load_written(&options).unwrap();
        (
            parts(&written, folder.path(), true),
            folder.path().to_owned(),
        )
    }

    fn text(part: &Part) -> &str {
        std::str::from_utf8(&part.content).unwrap()
    }

    #[test]
    fn files_are_named_as_in_the_artifact() {
        let main = "# kept\nservices:\n  a:\n    image: x\n    env_file: [\"${WHICH}.env\", {path: 'two.env', required: false}]\n  \
                    b:\n    extends: {file: sub/base.yaml, service: c} # why\n";
        let base = "services:\n  c:\n    image: x\n    env_file: ../one.env\n";
        let (parts, folder) = of(&[
            ("compose.yaml", main),
            ("sub/base.yaml", base),
            ("one.env", "A=1\n"),
        ]);
        let parts = parts.unwrap();
        let one = name_in_artifact(&folder.join("one.env"), "env");
        let two = name_in_artifact(&folder.join("two.env"), "env");
        let sub = name_in_artifact(&folder.join("sub/base.yaml"), "yaml");
        let names: Vec<&str> = parts.iter().map(|part| part.name.as_str()).collect();
        assert_eq!(names, ["compose.yaml", &sub, &one]);
        let expected = main
            .replace("\"${WHICH}.env\"", &one)
            .replace("'two.env'", &two)
            .replace("sub/base.yaml", &sub);
        assert_eq!(text(&parts[0]), expected);
        assert_eq!(text(&parts[1]), base.replace("../one.env", &one));
        assert_eq!(parts[1].kind, Kind::Base);
        assert_eq!((parts[2].kind, text(&parts[2])), (Kind::EnvFile, "A=1\n"));
    }

    #[test]
    fn files_of_this_machine_are_not_included() {
        let (parts, _) = of(&[
            (
                "compose.yaml",
                "include: [other.yaml]\nservices: {a: {image: x}}\n",
            ),
            ("other.yaml", "services: {b: {image: x}}\n"),
        ]);
        let problem = parts.unwrap_err();
        assert!(problem.message.contains("local includes"), "{problem:?}");
        assert!(problem.span.is_some());
    }

    #[test]
    fn overrides_keep_their_order() {
        let (parts, _) = of(&[
            ("compose.yaml", "services: {a: {image: x}}\n"),
            ("compose.override.yaml", "services: {a: {image: y}}\n"),
        ]);
        let names: Vec<String> = parts.unwrap().into_iter().map(|part| part.name).collect();
        assert_eq!(names, ["compose.yaml", "compose.override.yaml"]);
        assert_eq!(file_name(Path::new("-")), "compose.yaml");
    }
}
