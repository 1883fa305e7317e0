//! What the fuzz targets share: reading texts, loading projects, and the checks on both.

/// The room that is fuzzed.
#[expect(unused_imports, reason = "the rest of the program uses what is not fuzzed")]
#[path = "../../src/compose/mod.rs"]
pub mod compose;

/// Another one.
#[path = "../../src/dockerfile/mod.rs"]
pub mod dockerfile;

use std::collections::BTreeMap;
use std::path::Path;

use crate::compose::node::{Node, Value};
use crate::compose::source::{Source, SourceId, SourceMap};
use crate::compose::{LoadError, LoadOptions, Loaded, Severity, emit, load, yaml};

/// The id of a source that holds `text`.
pub fn source(text: &str) -> SourceId {
    SourceMap::default().add(Source {
        name: "fuzz".into(),
        text: text.into(),
        parent: None,
    })
}

/// The documents of a YAML text, if it can be read.
pub fn documents(text: &str) -> Option<Vec<Node>> {
    match yaml::parse(source(text), text) {
        Ok(documents) => Some(documents),
        Err(problems) => {
            assert!(!problems.is_empty(), "refused without a reason");
            let given_up = problems
                .iter()
                .any(|problem| problem.message.starts_with("the file cannot be read behind"));
            assert!(!given_up, "the scanner panicked");
            None
        }
    }
}

/// How a project in `folder` is loaded: a few variables, nothing of the real environment.
pub fn options(folder: &Path) -> LoadOptions {
    let shell = [("SET", "value"), ("EMPTY", ""), ("PORT", "8080"), ("HOME", "/nohome")];
    let shell: BTreeMap<String, String> = shell
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let mut options = LoadOptions::new(folder.to_owned(), shell);
    options.project_name = Some("fuzz".to_owned());
    options.profiles = vec!["*".to_owned()];
    options
}

/// A compose file given as text in a folder that does not exist.
pub fn load_text(text: &str) -> Result<Loaded, LoadError> {
    let mut options = options(Path::new("/nowhere"));
    options.files = vec!["-".to_owned()];
    options.stdin = Some(text.to_owned());
    checked(load(&options))
}

/// A refusal needs an error, and what loads has none.
pub fn checked(loaded: Result<Loaded, LoadError>) -> Result<Loaded, LoadError> {
    match &loaded {
        Ok(loaded) => assert!(
            loaded.warnings.iter().all(|it| it.severity == Severity::Warning),
            "loaded in spite of an error"
        ),
        Err(error) => assert!(
            error.diagnostics.iter().any(|it| it.severity == Severity::Error),
            "refused without an error"
        ),
    }
    loaded
}

/// What `config` prints.
pub fn config(loaded: &Loaded) -> String {
    emit::escape_dollars(&emit::yaml(&loaded.project))
}

/// `config` of what `config` printed prints it again, but for dollars in keys: as docker compose
/// does, `config` doubles those too, and interpolation leaves keys alone.
pub fn assert_fixed_point(loaded: &Loaded) {
    let first = config(loaded);
    // A list (`- =1`) or the last line of an env file may give an empty name, which no mapping can
    // spell; so it is with docker compose.
    if documents(&first).is_some_and(|documents| documents.iter().any(has_empty_name)) {
        return;
    }
    match load_text(&first) {
        // Doubled, a key may have become too long for one line: the layout differs, no more.
        Ok(again) if has_key_that_dollars_make_long(&first) => assert_eq!(
            single_dollars(&emit::json(&loaded.project)),
            single_dollars(&emit::json(&again.project)),
            "config of config differs"
        ),
        Ok(again) => assert_eq!(
            single_dollars(&first),
            single_dollars(&config(&again)),
            "config of config differs"
        ),
        Err(error) => {
            let messages: Vec<&str> =
                error.diagnostics.iter().map(|it| it.message.as_str()).collect();
            panic!("config printed what cannot be loaded: {messages:?}\n{first}");
        }
    }
}

fn has_empty_name(node: &Node) -> bool {
    match &node.value {
        Value::Seq(items) => items.iter().any(has_empty_name),
        Value::Map(map) => {
            map.iter().any(|(key, entry)| key.is_empty() || has_empty_name(&entry.node))
        }
        _ => false,
    }
}

/// Whether a key of what `config` printed is longer than one on a line may be, and was not before
/// its dollars were doubled.
fn has_key_that_dollars_make_long(printed: &str) -> bool {
    const SIMPLE_KEY: usize = 128;
    fn in_node(node: &Node) -> bool {
        match &node.value {
            Value::Seq(items) => items.iter().any(in_node),
            Value::Map(map) => map.iter().any(|(key, entry)| {
                let before = key.len() - key.matches('$').count() / 2;
                before <= SIMPLE_KEY && SIMPLE_KEY < key.len() || in_node(&entry.node)
            }),
            _ => false,
        }
    }
    documents(printed).is_some_and(|documents| documents.iter().any(in_node))
}

fn single_dollars(text: &str) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    chars.dedup_by(|next, previous| *next == '$' && *previous == '$');
    chars.into_iter().collect()
}

/// A service with one attribute, whose value is a list with one text.
pub fn service_with(attribute: &str, text: &str) -> String {
    let quoted = text.replace('$', "$$").replace('\\', "\\\\").replace('"', "\\\"");
    format!("services:\n  a:\n    image: i\n    {attribute}: [\"{quoted}\"]\n")
}
