//! Reading compose files into one merged tree in long form.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use super::budget::{self, Budget};
use super::canonical;
use super::decode;
use super::diagnostic::tidy::Gaps;
use super::diagnostic::{Code, Diagnostic, code};
use super::environment;
use super::extends::{self, BaseFile};
use super::first_format;
use super::include;
use super::interpolate::{Interpolation, Unset};
use super::merge::{self, Directives};
use super::node::{Map, Node, Value};
use super::options::LoadOptions;
use super::paths;
use super::provenance::Record as LayerRecord;
use super::read::{self, ReadError};
use super::source::{Relation, Source, SourceId, SourceMap, Span};
use super::validate;
use super::written::{EnvText, Record};
use super::yaml;

/// How many compose files one project may be made of, each counted as often as it is used.
const MAX_FILES: usize = 4096;

/// Most bytes that all files of a project may have together, each counted once.
const MAX_BYTES: usize = 64 << 20;
/// What must not be wrong in any document, even if a later one replaces the value.
const TYPE_PROBLEMS: [Code; 5] = [
    code::WRONG_TYPE,
    code::UNKNOWN_ATTRIBUTE,
    code::DUPLICATE_ITEM,
    code::INVALID_NAME,
    code::MISSING_ATTRIBUTE,
];

/// State of one load.
pub(crate) struct Loader<'a> {
    /// What was asked for.
    pub(crate) options: &'a LoadOptions,
    /// Files read so far.
    pub(crate) sources: SourceMap,
    /// Problems found so far.
    pub(crate) problems: Vec<Diagnostic>,
    /// What could not be looked at.
    pub(crate) gaps: Gaps,
    /// What `!reset` and `!override` took out of the sections: paths such as `services.web`.
    pub(crate) cuts: HashMap<String, Span>,
    /// Variables that were used but are not set.
    pub(crate) unset: Unset,
    /// Files named by `extends`, by scope, path and the prefix of their relative paths.
    pub(crate) bases: HashMap<(usize, PathBuf), Option<Rc<BaseFile>>>,
    /// Number of scopes so far.
    pub(crate) scopes: usize,
    /// The files as they were written, where they are asked for.
    pub(crate) record: Option<Record>,
    /// What each layer says, where a caller wants to ask where values come from.
    pub(crate) layers: Option<Box<LayerRecord>>,
    /// What aliases, `extends`, port ranges and variables may still add.
    pub(crate) budget: Budget,
    /// The texts of the files read so far, by path: one may be used many times.
    texts: HashMap<PathBuf, Arc<str>>,
    /// Number of compose files parsed so far.
    parsed: usize,
}

/// The folder and variables that hold for a project or an included part of it.
pub(crate) struct Scope {
    /// Number of the scope within the load.
    pub(crate) id: usize,
    /// The absolute folder that relative paths start from.
    pub(crate) folder: PathBuf,
    /// What relative paths are prefixed with: the folder, relative to that of the importer.
    pub(crate) prefix: String,
    /// Variables for interpolation.
    pub(crate) environment: BTreeMap<String, String>,
    /// Whether paths are resolved.
    pub(crate) resolve_paths: bool,
    /// The files that are being loaded, outermost first, each with the place that named it.
    pub(crate) chain: Vec<(PathBuf, Option<Span>)>,
}

/// A file that was read and parsed.
pub(crate) struct ParsedFile {
    /// Its absolute path; `-` for standard input.
    pub(crate) path: PathBuf,
    /// Its documents.
    pub(crate) documents: Vec<Node>,
    /// Whether all of it could be read.
    pub(crate) complete: bool,
    /// Its first character.
    pub(crate) start: Span,
}

impl<'a> Loader<'a> {
    /// A loader that has read nothing.
    pub(crate) fn new(options: &'a LoadOptions) -> Self {
        Self {
            options,
            sources: SourceMap::default(),
            problems: Vec::new(),
            gaps: Gaps::default(),
            cuts: HashMap::new(),
            unset: Unset::default(),
            bases: HashMap::new(),
            scopes: 0,
            record: None,
            layers: None,
            budget: Budget::new(),
            texts: HashMap::new(),
            parsed: 0,
        }
    }

    /// Keeps an env file, where they are asked for.
    pub(crate) fn record_env_file(&mut self, file: EnvText) {
        if let Some(record) = &mut self.record {
            record.env_files.push(file);
        }
    }

    /// Whether an error was found.
    pub(crate) fn failed(&self) -> bool {
        self.problems.iter().any(Diagnostic::is_error)
    }

    /// The number of the next scope.
    pub(crate) fn next_scope(&mut self) -> usize {
        self.scopes += 1;
        self.scopes
    }

    /// Reports a problem at a place that may not exist.
    pub(crate) fn report(&mut self, problem: Diagnostic, place: Option<Span>) {
        let problem = match place {
            Some(span) if problem.span.is_none() => problem.at(span),
            _ => problem,
        };
        self.problems.push(problem);
    }

    /// The name that a file has in messages: relative to the working folder where it is inside.
    pub(crate) fn shown(&self, path: &Path) -> String {
        match path.strip_prefix(&self.options.working_dir) {
            Ok(inside) if inside.as_os_str().is_empty() => ".".to_owned(),
            Ok(inside) => inside.display().to_string(),
            _ => path.display().to_string(),
        }
    }

    /// Takes what an expansion adds from the budget; reports that it is used up, the first time.
    pub(crate) fn spend(&mut self, cost: usize, what: &str, place: Span) -> Option<()> {
        let taken = self.budget.take(cost);
        if taken.is_none() && !self.problems.iter().any(budget::is_limit) {
            self.problems.push(budget::exceeded(what).at(place));
        }
        taken
    }

    /// Reads a text file; reports and returns nothing when it cannot be read. One that was read
    /// before is not read again, but is a source of its own: what led to it differs.
    pub(crate) fn read(
        &mut self,
        path: &Path,
        parent: Option<(Relation, Span)>,
    ) -> Option<(SourceId, Arc<str>)> {
        let name = self.shown(path);
        let place = parent.map(|(_, span)| span);
        let text = match self.texts.get(path) {
            Some(text) => Arc::clone(text),
            None => self.read_anew(path, &name, parent)?,
        };
        if self.texts.values().map(|text| text.len()).sum::<usize>() > MAX_BYTES {
            let problem = Diagnostic::error(format!(
                "the files of the project are larger than {} MiB together",
                MAX_BYTES >> 20
            ))
            .code(code::LIMIT)
            .help("look for a file that was not meant");
            self.report(problem, place);
            return None;
        }
        Some((self.add_source(name, &text, parent), text))
    }

    fn read_anew(
        &mut self,
        path: &Path,
        name: &str,
        parent: Option<(Relation, Span)>,
    ) -> Option<Arc<str>> {
        let place = parent.map(|(_, span)| span);
        match read::text(path) {
            Ok(text) => {
                let text: Arc<str> = text.into();
                self.texts.insert(path.to_owned(), Arc::clone(&text));
                Some(text)
            }
            Err(ReadError::NotText { text, at }) => {
                self.not_text(name, text, at, parent);
                None
            }
            Err(error) => {
                self.report(unreadable(name, path, &error), place);
                None
            }
        }
    }

    /// Reports the first byte of a file that is no UTF-8, at `start`; in `text` a replacement
    /// character stands there.
    fn not_text(
        &mut self,
        name: &str,
        text: String,
        start: usize,
        parent: Option<(Relation, Span)>,
    ) {
        let text: Arc<str> = text.into();
        let width = char::REPLACEMENT_CHARACTER.len_utf8();
        let source = self.add_source(name.to_owned(), &text, parent);
        self.problems.push(
            Diagnostic::error(format!("{name} is not UTF-8 text"))
                .code(code::NOT_UTF8)
                .at(Span::in_text(source, &text, start..start + width))
                .help("save the file as UTF-8"),
        );
    }

    /// Registers a text.
    pub(crate) fn add_source(
        &mut self,
        name: String,
        text: &Arc<str>,
        parent: Option<(Relation, Span)>,
    ) -> SourceId {
        self.sources.add(Source {
            name,
            text: Arc::clone(text),
            parent,
        })
    }

    /// Reads and parses a compose file.
    pub(crate) fn parse_file(
        &mut self,
        path: &Path,
        parent: Option<(Relation, Span)>,
    ) -> Option<ParsedFile> {
        let again = self.texts.contains_key(path);
        let (source, text) = self.read(path, parent)?;
        let file = self.parse_text(path.to_owned(), source, &text)?;
        if again {
            let cost = file.documents.iter().map(budget::cost).sum();
            self.spend(cost, "files that are used many times", file.start)?;
        }
        Some(file)
    }

    /// Parses the text of a compose file.
    pub(crate) fn parse_text(
        &mut self,
        path: PathBuf,
        source: SourceId,
        text: &str,
    ) -> Option<ParsedFile> {
        let start = start_of(source);
        self.parsed += 1;
        if self.parsed > MAX_FILES {
            self.problems.push(
                Diagnostic::error(format!("the project has more than {MAX_FILES} files"))
                    .code(code::LIMIT)
                    .at(start)
                    .help("look for files that include each other many times"),
            );
            return None;
        }
        let read = yaml::read_within(source, text, &mut self.budget);
        self.problems.extend(read.problems);
        Some(ParsedFile {
            complete: read.complete,
            path,
            documents: read.documents,
            start,
        })
    }

    /// Merges the files of a scope into one tree in long form, with defaults and absolute paths.
    pub(crate) fn load_tree(&mut self, scope: &mut Scope, files: Vec<ParsedFile>) -> Option<Node> {
        let start = files.first()?.start;
        if let Some(layers) = &mut self.layers {
            layers.open(scope);
        }
        let mut tree = Node::new(Value::Map(Map::new()), start);
        let count: usize = files.iter().map(|file| file.documents.len()).sum();
        let mut merged = 0;
        for file in files {
            for document in file.documents {
                self.merge_document(scope, &mut tree, document, &file.path);
                merged += 1;
                if merged < count && self.options.interpolate {
                    self.check_types(tree.clone());
                }
            }
        }
        canonical::set_defaults(&mut tree);
        validate::validate(&tree, &mut self.problems);
        if scope.resolve_paths {
            self.resolve_paths(&mut tree, &scope.prefix);
        }
        environment::resolve_in_tree(&mut tree, &scope.environment);
        if let Some(layers) = &mut self.layers {
            layers.close();
        }
        Some(tree)
    }

    /// Makes the relative paths of a tree start with `prefix`.
    pub(crate) fn resolve_paths(&mut self, tree: &mut Node, prefix: &str) {
        let base = paths::Base {
            folder: prefix,
            home: self.options.shell.get("HOME").map(String::as_str),
        };
        paths::resolve(tree, &base, &mut self.problems);
    }

    fn merge_document(
        &mut self,
        scope: &mut Scope,
        tree: &mut Node,
        mut document: Node,
        path: &Path,
    ) {
        if document.as_map().is_none() {
            let problem = Diagnostic::error(format!(
                "a compose file must be a mapping, this one is {}",
                document.a_type()
            ))
            .code(code::WRONG_TYPE)
            .at(document.span)
            .help("start with a key such as `services:`");
            self.problems.push(problem);
            return;
        }
        if let Some(problem) = first_format::problem(&document, &self.shown(path)) {
            self.problems.push(problem);
            return;
        }
        if let Some(layers) = &mut self.layers {
            layers.document(&document);
        }
        let directives = Directives::take(&mut document);
        self.cuts.extend(directives.cuts());
        self.interpolate(&mut document, &scope.environment);
        include::apply(self, scope, &mut document, &directives, path);
        directives.apply(tree);
        extends::apply(self, scope, &mut document, &directives, path);
        self.drop_version(&mut document, path);
        merge::merge(tree, document, &mut self.problems);
        self.check_text("name", tree.get("name"));
        self.finish(tree);
    }

    /// Reports what has a wrong type before later documents, which may hide it, are merged.
    fn check_types(&mut self, mut tree: Node) {
        canonical::set_defaults(&mut tree);
        let mut context = decode::Context::new();
        decode::project(&tree, &mut context);
        let found = context.diagnostics.into_iter();
        self.problems
            .extend(found.filter(|problem| TYPE_PROBLEMS.contains(&problem.code)));
    }

    /// Substitutes variables, unless that was switched off.
    pub(crate) fn interpolate(
        &mut self,
        document: &mut Node,
        environment: &BTreeMap<String, String>,
    ) {
        let stand_ins = self
            .record
            .as_mut()
            .map(|record| record.document(document, environment))
            .unwrap_or_default();
        if !self.options.interpolate {
            return;
        }
        Interpolation {
            sources: &self.sources,
            lookup: &|name| stand_ins.get(name).or(environment.get(name)).cloned(),
            unset: &mut self.unset,
            problems: &mut self.problems,
            budget: &mut self.budget,
        }
        .tree(document);
    }

    /// Brings a merged tree into long form without redefined elements.
    pub(crate) fn finish(&mut self, tree: &mut Node) {
        merge::enforce_unique(tree);
        let mut context = canonical::Context {
            lenient: !self.options.interpolate,
            problems: &mut self.problems,
            budget: &mut self.budget,
        };
        canonical::canonicalize(tree, &mut context);
        // A port range of the base may hold a port of the override.
        merge::enforce_unique(tree);
    }

    /// Reports a top-level attribute that is there and no text.
    fn check_text(&mut self, key: &str, node: Option<&Node>) {
        if let Some(node) = node.filter(|node| node.as_str().is_none()) {
            self.problems.push(
                Diagnostic::error(format!("`{key}` must be a text, not {}", node.a_type()))
                    .code(code::WRONG_TYPE)
                    .path(key.to_owned())
                    .at(node.span)
                    .help("put it in quotes"),
            );
        }
    }

    fn drop_version(&mut self, document: &mut Node, path: &Path) {
        let Some(entry) = document
            .as_map_mut()
            .and_then(|map| map.shift_remove("version"))
        else {
            return;
        };
        self.check_text("version", Some(&entry.node));
        let name = self.shown(path);
        self.problems.push(
            Diagnostic::warning(format!(
                "{name}: the attribute `version` is obsolete and ignored"
            ))
            .code(code::OBSOLETE_ATTRIBUTE)
            .at(entry.key)
            .help("remove it"),
        );
    }
}

fn unreadable(name: &str, path: &Path, error: &ReadError) -> Diagnostic {
    match error {
        ReadError::NotText { .. } => {
            Diagnostic::error(format!("{name} is not UTF-8 text")).code(code::NOT_UTF8)
        }
        ReadError::TooLarge => Diagnostic::error(format!(
            "{name} is too large: at most {} MiB are read",
            read::MAX_BYTES >> 20
        ))
        .code(code::LIMIT)
        .help("split it, or name another file"),
        ReadError::Idle => Diagnostic::error(format!("{name} is a pipe that nobody writes to"))
            .code(code::UNREADABLE_FILE)
            .help("start what writes to it, or name a file"),
        ReadError::Io(_) if path.is_dir() => Diagnostic::error(format!("{name} is a folder"))
            .code(code::UNREADABLE_FILE)
            .help("name the file inside it"),
        ReadError::Io(error) if error.kind() == ErrorKind::NotFound => {
            Diagnostic::error(format!("{name} does not exist"))
                .code(code::FILE_NOT_FOUND)
                .help(format!("looked for {}", path.display()))
        }
        ReadError::Io(error) => {
            Diagnostic::error(format!("{name} cannot be read: {error}")).code(code::UNREADABLE_FILE)
        }
    }
}

/// The place of the first character of a source.
pub(crate) fn start_of(source: SourceId) -> Span {
    Span {
        source,
        start: 0,
        end: 0,
        line: 1,
        column: 1,
    }
}
