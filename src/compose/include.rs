//! `include`: other compose files with their own folder and env files, imported into this one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::diagnostic::similar::{did_you_mean, similar};
use super::diagnostic::{Diagnostic, code};
use super::environment;
use super::loader::{Loader, ParsedFile, Scope};
use super::located::Located;
use super::merge::{self, Directives};
use super::node::{Entry, Map, Node, Value};
use super::paths;
use super::source::{Relation, Span};

/// How deep includes may nest.
const MAX_DEPTH: usize = 100;

/// The top-level sections that are imported.
const SECTIONS: [&str; 6] = [
    "services", "volumes", "networks", "secrets", "configs", "models",
];

/// One entry of `include`.
struct Import {
    paths: Vec<(String, Span)>,
    project_directory: Option<String>,
    env_files: Vec<(String, Span)>,
    span: Span,
}

/// Loads what the document includes and merges the document's own entries over it.
pub(crate) fn apply(
    loader: &mut Loader<'_>,
    scope: &mut Scope,
    document: &mut Node,
    directives: &Directives,
    path: &Path,
) {
    let Some(root) = document.as_map_mut() else {
        return;
    };
    let Some(include) = root.shift_remove("include") else {
        return;
    };
    if include.node.is_null() {
        return;
    }
    let imports = read_imports(loader, &include.node);
    loader.gaps.files |= include.node.as_seq().map(<[Node]>::len) != Some(imports.len());
    scope.chain.push((path.to_owned(), None));
    for import in imports {
        match load_import(loader, scope, import) {
            Some(tree) => import_resources(loader, root, tree, directives),
            None => loader.gaps.files = true,
        }
    }
    scope.chain.pop();
}

fn read_imports(loader: &mut Loader<'_>, include: &Node) -> Vec<Import> {
    let Some(items) = include.as_seq() else {
        loader.problems.push(
            Diagnostic::error(format!(
                "`include` must be a list, not {}",
                include.a_type()
            ))
            .code(code::INVALID_INCLUDE)
            .at(include.span)
            .help("write `include: [path/compose.yaml]`"),
        );
        return Vec::new();
    };
    items
        .iter()
        .filter_map(|item| read_import(loader, item))
        .collect()
}

fn read_import(loader: &mut Loader<'_>, item: &Node) -> Option<Import> {
    let import = match &item.value {
        Value::Str(path) => Import {
            paths: vec![(path.clone(), item.span)],
            project_directory: None,
            env_files: Vec::new(),
            span: item.span,
        },
        Value::Map(map) => {
            report_unknown_keys(loader, map);
            Import {
                paths: texts(item.get("path")),
                project_directory: item
                    .get("project_directory")
                    .and_then(Node::as_str)
                    .filter(|text| !text.is_empty())
                    .map(str::to_owned),
                env_files: texts(item.get("env_file")),
                span: item.span,
            }
        }
        _ => Import {
            paths: Vec::new(),
            project_directory: None,
            env_files: Vec::new(),
            span: item.span,
        },
    };
    if import.paths.is_empty() {
        let misspelt = |map: &Map| map.keys().any(|key| similar(key, ["path"]).is_some());
        if item.as_map().is_some_and(misspelt) {
            // Which has been said.
            return None;
        }
        loader.problems.push(
            Diagnostic::error("an entry of `include` names no file")
                .code(code::INVALID_INCLUDE)
                .at(item.span)
                .help("write a path, or a mapping with `path`"),
        );
        return None;
    }
    Some(import)
}

fn report_unknown_keys(loader: &mut Loader<'_>, map: &Map) {
    const KEYS: [&str; 3] = ["path", "project_directory", "env_file"];
    for (key, entry) in map {
        if !KEYS.contains(&key.as_str()) {
            loader.problems.push(
                Diagnostic::error(format!("unknown attribute \"{key}\" in `include`"))
                    .code(code::UNKNOWN_ATTRIBUTE)
                    .at(entry.key)
                    .help(did_you_mean(key, KEYS, || {
                        format!("it takes {}", KEYS.join(", "))
                    })),
            );
        }
    }
}

fn texts(node: Option<&Node>) -> Vec<(String, Span)> {
    let Some(node) = node else {
        return Vec::new();
    };
    let items = match &node.value {
        Value::Seq(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    items
        .iter()
        .filter_map(|item| Some((item.as_str()?.to_owned(), item.span)))
        .collect()
}

fn load_import(loader: &mut Loader<'_>, scope: &Scope, import: Import) -> Option<Node> {
    let folder = scope.folder.to_string_lossy().into_owned();
    let absolute = |text: &str| {
        PathBuf::from(if Path::new(text).is_absolute() {
            paths::clean(text)
        } else {
            paths::join(&folder, text)
        })
    };
    let mut files: Vec<(PathBuf, Span)> = Vec::with_capacity(import.paths.len());
    for (text, span) in &import.paths {
        let path = match loader.located(text, Some(*span)) {
            Located::Local => absolute(text),
            Located::Brought(path) => path,
            Located::Missing => return None,
        };
        files.push((path, *span));
    }
    let (main, main_span) = files.first()?.clone();
    if !may_enter(loader, scope, &main, main_span) {
        return None;
    }
    let (project, prefix) = project_folder(&main, &import, &folder);
    let environment = import_environment(loader, scope, &import, &project);
    let mut parsed: Vec<ParsedFile> = Vec::with_capacity(files.len());
    for (path, span) in &files {
        let file = loader.parse_file(path, Some((Relation::Include, *span)));
        loader.gaps.files |= file.as_ref().is_none_or(|file| !file.complete);
        parsed.extend(file);
    }
    let mut chain = scope.chain.clone();
    if let Some(last) = chain.last_mut() {
        last.1 = Some(main_span);
    }
    let mut inner = Scope {
        id: loader.next_scope(),
        folder: project,
        prefix,
        environment,
        resolve_paths: true,
        chain,
    };
    loader.load_tree(&mut inner, parsed)
}

fn may_enter(loader: &mut Loader<'_>, scope: &Scope, path: &Path, span: Span) -> bool {
    let known = scope.chain.iter().position(|(known, _)| known == path);
    if let Some(first) = known {
        let mut names: Vec<String> = scope.chain[first..]
            .iter()
            .map(|(path, _)| loader.shown(path))
            .collect();
        names.push(loader.shown(path));
        let problem = Diagnostic::error(format!(
            "files include each other in a circle: {}",
            names.join(" -> ")
        ))
        .code(code::INCLUDE_CYCLE)
        .at(span)
        .help("remove one of these includes");
        let problem = scope.chain[first..]
            .iter()
            .filter_map(|(_, span)| *span)
            .fold(problem, |problem, span| {
                problem.related(span, "included from here")
            });
        loader.problems.push(problem);
        return false;
    }
    if scope.chain.len() >= MAX_DEPTH {
        loader.problems.push(
            Diagnostic::error(format!("includes nest deeper than {MAX_DEPTH} files"))
                .code(code::LIMIT)
                .at(span)
                .help("include the files from a common one"),
        );
        return false;
    }
    true
}

/// The absolute folder of an included project, and how it is written relative to the importer.
fn project_folder(main: &Path, import: &Import, folder: &str) -> (PathBuf, String) {
    match &import.project_directory {
        Some(text) if Path::new(text).is_absolute() => (PathBuf::from(text), text.clone()),
        Some(text) => {
            let absolute = paths::join(folder, text);
            let prefix = paths::relative(folder, &absolute);
            (PathBuf::from(absolute), prefix)
        }
        None => {
            let parent = main.parent().unwrap_or(Path::new("/"));
            let prefix = paths::relative(folder, &parent.to_string_lossy());
            (parent.to_owned(), prefix)
        }
    }
}

/// The importer's variables, and those of the included project's env files it does not set.
fn import_environment(
    loader: &mut Loader<'_>,
    scope: &Scope,
    import: &Import,
    project: &Path,
) -> BTreeMap<String, String> {
    let mut files: Vec<(PathBuf, Span)> = Vec::new();
    if import.env_files.is_empty() {
        let default = project.join(".env");
        if default.is_file() {
            files.push((default, import.span));
        }
    }
    for (text, span) in &import.env_files {
        let path = if Path::new(text).is_absolute() {
            text.clone()
        } else {
            paths::join(&scope.folder.to_string_lossy(), text)
        };
        if path != "/dev/null" {
            files.push((PathBuf::from(path), *span));
        }
    }
    let mut read = BTreeMap::new();
    for (path, span) in files {
        environment::read_env_file(loader, &path, Some(span), &scope.environment, &mut read);
    }
    let mut merged = scope.environment.clone();
    for (name, value) in read {
        merged.entry(name).or_insert(value);
    }
    merged
}

fn import_resources(
    loader: &mut Loader<'_>,
    root: &mut Map,
    mut tree: Node,
    directives: &Directives,
) {
    directives.apply(&mut tree);
    let Some(imported) = tree.as_map_mut() else {
        return;
    };
    for section in SECTIONS {
        let Some(from) = imported.shift_remove(section) else {
            continue;
        };
        let Value::Map(resources) = from.node.value else {
            continue;
        };
        let target = root.entry(section.to_owned()).or_insert_with(|| Entry {
            key: from.key,
            node: Node::new(Value::Map(Map::new()), from.node.span),
        });
        if target.node.is_null() {
            target.node.value = Value::Map(Map::new());
        }
        let Some(target) = target.node.as_map_mut() else {
            continue;
        };
        for (name, entry) in resources {
            import_resource(loader, target, section, name, entry);
        }
    }
}

fn import_resource(
    loader: &mut Loader<'_>,
    target: &mut Map,
    section: &str,
    name: String,
    mut imported: Entry,
) {
    let Some(own) = target.get_mut(&name) else {
        target.insert(name, imported);
        return;
    };
    let over = std::mem::replace(&mut own.node, Node::new(Value::Null, own.key));
    merge::merge_resource(
        &mut imported.node,
        over,
        section,
        &name,
        &mut loader.problems,
    );
    own.node = imported.node;
}
