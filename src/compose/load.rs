//! From what a caller asks for to a project: the stages in their order.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::canonical;
use super::consistency;
use super::decode;
use super::diagnostic::tidy::tidy;
use super::diagnostic::{Diagnostic, LoadError, code};
use super::discover::{self, Discovered};
use super::environment;
use super::loader::{Loader, ParsedFile, Scope};
use super::model::Project;
use super::name;
use super::node::{Entry, Map, Node};
use super::normalize;
use super::options::LoadOptions;
use super::profiles;
use super::provenance::Record;
use super::source::SourceMap;
use super::uninterpolated;

/// A project and what came up while loading it.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The project.
    pub project: Project,
    /// What is wrong but does not prevent loading.
    pub warnings: Vec<Diagnostic>,
    /// The files that places refer to.
    pub sources: SourceMap,
}

/// A merged tree in long form, before it becomes a typed project.
#[derive(Debug, Clone)]
pub struct LoadedTree {
    /// The tree.
    pub tree: Node,
    /// The project's name.
    pub name: String,
    /// Variables used for interpolation: shell over env files.
    pub environment: BTreeMap<String, String>,
    /// What is wrong but does not prevent loading.
    pub warnings: Vec<Diagnostic>,
    /// The files that places refer to.
    pub sources: SourceMap,
}

/// Loads a project.
///
/// # Errors
/// Every problem that was found, at least one of them an error.
pub fn load(options: &LoadOptions) -> Result<Loaded, LoadError> {
    load_with(Loader::new(options)).map(|(loaded, _)| loaded)
}

/// Loads a project and keeps what every layer says, for [`provenance::Explainer`](super::provenance::Explainer).
///
/// # Errors
/// Every problem that was found, at least one of them an error.
pub fn load_recorded(options: &LoadOptions) -> Result<(Loaded, Record), LoadError> {
    let mut loader = Loader::new(options);
    loader.layers = Some(Box::default());
    load_with(loader)
        .map(|(loaded, record)| (loaded, record.map(|record| *record).unwrap_or_default()))
}

fn load_with(mut loader: Loader<'_>) -> Result<(Loaded, Option<Box<Record>>), LoadError> {
    let project = load_project(&mut loader);
    let record = loader.layers.take();
    let (diagnostics, sources) = finish(loader);
    match project {
        Some(project) if !diagnostics.iter().any(Diagnostic::is_error) => {
            let loaded = Loaded {
                project,
                warnings: diagnostics,
                sources,
            };
            Ok((loaded, record))
        }
        _ => Err(LoadError {
            diagnostics,
            sources,
        }),
    }
}

/// Variables of the shell and, below them, of the env files, as far as they can be found and read.
/// Problems show when the project is loaded.
pub fn environment(options: &LoadOptions) -> BTreeMap<String, String> {
    let mut loader = Loader::new(options);
    discover::discover(&mut loader).map_or_else(|| options.shell.clone(), |found| found.environment)
}

/// Loads the merged tree only, as `config --no-interpolate` and `--variables` show it.
///
/// # Errors
/// Every problem that was found, at least one of them an error.
pub fn load_tree(options: &LoadOptions) -> Result<LoadedTree, LoadError> {
    let mut loader = Loader::new(options);
    // Without interpolation nothing is taken from the environment, bare names included.
    let model = load_model(&mut loader, options.interpolate);
    if let Some(model) = &model {
        uninterpolated::check(&mut loader, &model.tree, &model.found.environment);
    }
    let (diagnostics, sources) = finish(loader);
    match model {
        Some(model) if !diagnostics.iter().any(Diagnostic::is_error) => Ok(LoadedTree {
            tree: model.tree,
            name: model.name,
            environment: model.found.environment,
            warnings: diagnostics,
            sources,
        }),
        _ => Err(LoadError {
            diagnostics,
            sources,
        }),
    }
}

/// Most problems that are shown.
const MAX_PROBLEMS: usize = 500;

/// Leaves so many problems that they can be shown and read, errors first, and says how many more
/// there are.
fn drop_excess(diagnostics: &mut Vec<Diagnostic>) {
    let Some(more) = diagnostics.len().checked_sub(MAX_PROBLEMS + 1) else {
        return;
    };
    let errors = diagnostics.iter().filter(|it| it.is_error()).count();
    let mut left = MAX_PROBLEMS;
    let mut warnings = MAX_PROBLEMS.saturating_sub(errors);
    diagnostics.retain(|problem| {
        let room = if problem.is_error() {
            &mut left
        } else {
            &mut warnings
        };
        let keep = *room > 0;
        *room -= usize::from(keep);
        keep
    });
    let rest = format!("and {} more problems", more + 1);
    diagnostics.push(if errors > MAX_PROBLEMS {
        Diagnostic::error(rest).code(code::LIMIT)
    } else {
        Diagnostic::warning(rest).code(code::LIMIT)
    });
}

/// Problems in the order of the files, each once: a file may be read more than once.
pub(crate) fn finish(loader: Loader<'_>) -> (Vec<Diagnostic>, SourceMap) {
    let mut problems = loader.problems;
    problems.extend(loader.unset.into_warnings());
    let mut problems = tidy(problems, loader.gaps, &loader.cuts, &loader.sources);
    drop_excess(&mut problems);
    (problems, loader.sources)
}

/// The tree and what was settled before it.
struct Model {
    tree: Node,
    name: String,
    found: Discovered,
}

fn load_model(loader: &mut Loader<'_>, use_environment: bool) -> Option<Model> {
    let mut found = discover::discover(loader)?;
    let files = parse_files(loader, &found.files);
    let name = name::project_name(loader, &files, &found.home, &found.environment)?;
    let own = ("COMPOSE_PROJECT_NAME".to_owned(), name.clone());
    found.environment.extend([own.clone()]);
    let environment = if use_environment {
        found.environment.clone()
    } else {
        BTreeMap::from([own])
    };
    let mut scope = Scope {
        id: loader.next_scope(),
        prefix: found.folder.to_string_lossy().into_owned(),
        folder: found.folder.clone(),
        environment,
        resolve_paths: loader.options.resolve_paths,
        chain: Vec::new(),
    };
    let mut tree = loader.load_tree(&mut scope, files)?;
    if tree.as_map().is_none_or(Map::is_empty) {
        if !loader.failed() {
            loader.problems.push(
                Diagnostic::error("the compose file is empty")
                    .code(code::EMPTY_FILE)
                    .at(tree.span)
                    .help("add a `services` section"),
            );
        }
        return None;
    }
    if loader.options.normalize {
        set_name(&mut tree, &name);
        normalize::normalize(&mut tree, &name, &scope.environment);
    }
    Some(Model { tree, name, found })
}

/// Reads every file, so that the problems of all of them are reported together.
fn parse_files(loader: &mut Loader<'_>, files: &[PathBuf]) -> Vec<ParsedFile> {
    let mut parsed = Vec::with_capacity(files.len());
    for path in files {
        let file = if path == Path::new("-") {
            let text = loader.options.stdin.as_deref().unwrap_or_default().into();
            let source = loader.add_source("-".to_owned(), &text, None);
            loader.parse_text(path.clone(), source, &text)
        } else {
            loader.parse_file(path, None)
        };
        loader.gaps.files |= file.as_ref().is_none_or(|file| !file.complete);
        parsed.extend(file);
    }
    parsed
}

fn set_name(tree: &mut Node, name: &str) {
    let span = tree.span;
    if let Some(root) = tree.as_map_mut() {
        let (key, place) = root
            .get("name")
            .map_or((span, span), |entry| (entry.key, entry.node.span));
        let node = Node::str(name, place);
        root.insert("name".to_owned(), Entry { key, node });
    }
}

pub(crate) fn load_project(loader: &mut Loader<'_>) -> Option<Project> {
    let Model {
        mut tree,
        name,
        found,
    } = load_model(loader, true)?;
    let options = loader.options;
    let mut context = decode::Context::new();
    let declared = decode::project(&tree, &mut context);
    loader.problems.append(&mut context.diagnostics);
    // Whatever is wrong so far, the later stages may find more.
    // Mappings have a place for every name, which later stages point at.
    canonical::expand_lists(&mut tree);
    let mut project = Project {
        name,
        services: declared.services,
        networks: declared.networks,
        volumes: declared.volumes,
        secrets: declared.secrets,
        configs: declared.configs,
        models: declared.models,
        extensions: declared.extensions,
        working_dir: found.folder,
        compose_files: found
            .files
            .iter()
            .map(|file| file.to_string_lossy().into_owned())
            .collect(),
        env_files: found.env_files,
        environment: found.environment,
        profiles: Vec::new(),
        disabled_services: BTreeMap::new(),
        tree,
    };
    environment::take_secret_values(&mut project);
    profiles::apply_profiles(&mut project, found.profiles);
    if options.check_consistency {
        consistency::check(&project, &mut loader.problems);
        unify_replicas(&mut project);
    }
    if !options.services.is_empty() {
        select(loader, &mut project);
    }
    if options.resolve_environment {
        environment::resolve_services(loader, &mut project);
    }
    environment::resolve_labels(loader, &mut project);
    if options.check_consistency {
        consistency::container_names(&project, &mut loader.problems);
    }
    if !options.all_resources {
        profiles::drop_unused(&mut project);
    }
    Some(project)
}

/// Restricts the project to the services asked for. Those that no profile had enabled are
/// checked now.
fn select(loader: &mut Loader<'_>, project: &mut Project) {
    let options = loader.options;
    let enabled = profiles::enable(project, &options.services);
    let wanted = profiles::selection(project, &options.services, &mut loader.problems);
    if options.check_consistency {
        let new = enabled.intersection(&wanted).map(String::as_str);
        consistency::check_services(project, new, &mut loader.problems);
        unify_replicas(project);
    }
    profiles::keep(project, &wanted);
}

/// `scale` counts as `deploy.replicas` where there is a `deploy`.
fn unify_replicas(project: &mut Project) {
    for service in project.services.values_mut() {
        if let (Some(scale), Some(deploy)) = (service.scale, service.deploy.as_mut()) {
            deploy.replicas = Some(scale);
        }
    }
}
