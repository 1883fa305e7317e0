//! A project as a linter looks at it: every service enabled, and its files as they were written.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::consistency;
use super::diagnostic::{Diagnostic, LoadError};
use super::load;
use super::loader::Loader;
use super::model::{Extensions, Project};
use super::node::{Map, Node, Value};
use super::options::LoadOptions;
use super::source::{Relation, Source, SourceId, SourceMap, Span};
use super::template;

/// The first value that stands for a required variable.
const FIRST_STAND_IN: usize = 20_000;

/// A project with the files it was loaded from.
#[derive(Debug, Clone)]
pub struct Written {
    /// The project with every profile enabled, unused resources kept and env files not merged.
    pub project: Project,
    /// The profiles that would be enabled for other commands.
    pub profiles: Vec<String>,
    /// Each document before substitution and merging, in the order of reading.
    pub documents: Vec<Node>,
    /// The env files that exist.
    pub env_files: Vec<EnvText>,
    /// What is wrong but does not prevent loading.
    pub warnings: Vec<Diagnostic>,
    /// The files that places refer to.
    pub sources: SourceMap,
}

impl Written {
    /// A project of nothing, for looking at files that belong to none.
    pub fn empty() -> Self {
        let mut sources = SourceMap::default();
        let source = sources.add(Source {
            name: String::new(),
            text: "".into(),
            parent: None,
        });
        let tree = Node::new(Value::Map(Map::new()), Span::in_text(source, "", 0..0));
        let project = Project {
            name: String::new(),
            services: BTreeMap::new(),
            networks: BTreeMap::new(),
            volumes: BTreeMap::new(),
            secrets: BTreeMap::new(),
            configs: BTreeMap::new(),
            models: BTreeMap::new(),
            extensions: Extensions::default(),
            working_dir: PathBuf::new(),
            compose_files: Vec::new(),
            env_files: Vec::new(),
            environment: BTreeMap::new(),
            profiles: Vec::new(),
            disabled_services: BTreeMap::new(),
            tree,
        };
        Self {
            project,
            profiles: Vec::new(),
            documents: Vec::new(),
            env_files: Vec::new(),
            warnings: Vec::new(),
            sources,
        }
    }
}

/// An env file that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvText {
    /// The file.
    pub source: SourceId,
    /// `format: raw`: nothing is substituted in it.
    pub raw: bool,
    /// Names of the variables around the file, to which its values may refer.
    pub known: BTreeSet<String>,
}

/// What a load keeps of the files it reads.
#[derive(Debug, Default)]
pub(crate) struct Record {
    /// Documents before substitution.
    pub(crate) documents: Vec<Node>,
    /// Env files.
    pub(crate) env_files: Vec<EnvText>,
    /// Values of required variables that are not set, by name.
    stand_ins: BTreeMap<String, String>,
}

impl Record {
    /// Keeps a document. Gives values for variables that must have one and have none: looking at
    /// files needs no variables. They are numbers, which fit most places, each another.
    pub(crate) fn document(
        &mut self,
        document: &Node,
        environment: &BTreeMap<String, String>,
    ) -> BTreeMap<String, String> {
        self.documents.push(document.clone());
        let mut required = BTreeSet::new();
        required_variables(document, &mut required);
        for name in required {
            let number = FIRST_STAND_IN + self.stand_ins.len();
            if environment.get(&name).is_none_or(String::is_empty) {
                let stand_in = self.stand_ins.entry(name);
                stand_in.or_insert_with(|| number.to_string());
            }
        }
        self.stand_ins.clone()
    }
}

fn required_variables(node: &Node, names: &mut BTreeSet<String>) {
    match &node.value {
        Value::Str(text) if text.contains('$') => {
            let uses = template::variables(text).into_iter();
            names.extend(uses.filter(|used| used.required).map(|used| used.name));
        }
        Value::Map(map) => {
            for entry in map.values() {
                required_variables(&entry.node, names);
            }
        }
        Value::Seq(items) => {
            for item in items {
                required_variables(item, names);
            }
        }
        _ => {}
    }
}

/// Loads a project for looking at its files. Profiles, services and the switches for unused
/// resources, env files and consistency of `options` do not count, and a required variable that is
/// not set is none the worse.
///
/// # Errors
/// Every problem that was found, at least one of them an error.
pub fn load_written(options: &LoadOptions) -> Result<Written, LoadError> {
    let all = LoadOptions {
        profiles: vec!["*".to_owned()],
        services: Vec::new(),
        check_consistency: false,
        resolve_environment: false,
        all_resources: true,
        ..options.clone()
    };
    let mut loader = Loader::new(&all);
    loader.record = Some(Record::default());
    let project = load::load_project(&mut loader);
    if let Some(project) = &project {
        // Services that exclude each other may share a container name, so names are not checked.
        consistency::check(project, &mut loader.problems);
        record_service_files(&mut loader, project);
    }
    let record = loader.record.take().unwrap_or_default();
    let (diagnostics, sources) = load::finish(loader);
    match project {
        Some(project) if !diagnostics.iter().any(Diagnostic::is_error) => Ok(Written {
            profiles: selected_profiles(options, &project),
            project,
            documents: record.documents,
            env_files: record.env_files,
            warnings: diagnostics,
            sources,
        }),
        _ => Err(LoadError {
            diagnostics,
            sources,
        }),
    }
}

fn selected_profiles(options: &LoadOptions, project: &Project) -> Vec<String> {
    if !options.profiles.is_empty() {
        return options.profiles.clone();
    }
    let list = project.environment.get("COMPOSE_PROFILES");
    list.map_or("", String::as_str)
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Reads the env files of services, each once for a service; a missing one is passed over.
fn record_service_files(loader: &mut Loader<'_>, project: &Project) {
    for (name, service) in &project.services {
        let mut known: BTreeSet<String> = project.environment.keys().cloned().collect();
        known.extend(service.environment.keys().cloned());
        let place = project.span_of(&["services", name, "env_file"]);
        for file in &service.env_file {
            let path = Path::new(&file.path);
            if !path.is_file() {
                continue;
            }
            let Some((source, _)) = loader.read(path, Some((Relation::EnvFile, place))) else {
                continue;
            };
            let env_file = EnvText {
                source,
                raw: file.format.as_deref() == Some("raw"),
                known: known.clone(),
            };
            loader.record_env_file(env_file);
        }
    }
}
