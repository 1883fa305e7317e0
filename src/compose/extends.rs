//! `extends`: a service that starts from another one, of the same file or of another.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::budget;
use super::diagnostic::similar::{did_you_mean, similar};
use super::diagnostic::{Diagnostic, code};
use super::first_format;
use super::loader::{Loader, Scope};
use super::located::Located;
use super::merge::{self, Directives};
use super::node::{Map, Node, Value};
use super::paths;
use super::source::{Relation, Span};

/// How many services one may build on.
const MAX_DEPTH: usize = 200;

/// A file named by `extends.file`, in long form.
pub(crate) struct BaseFile {
    path: PathBuf,
    services: Map,
    directives: Directives,
}

/// One step from a service to the one it extends.
struct Link {
    path: PathBuf,
    service: String,
    span: Span,
}

/// What `extends` says.
struct Reference {
    service: String,
    service_span: Span,
    file: Option<(String, Span)>,
}

/// Where a service is looked up.
#[derive(Clone, Copy)]
struct Place<'a> {
    path: &'a Path,
    services: &'a Map,
    directives: &'a Directives,
}

/// Replaces every service of the document that extends another by the merged one.
pub(crate) fn apply(
    loader: &mut Loader<'_>,
    scope: &Scope,
    document: &mut Node,
    directives: &Directives,
    path: &Path,
) {
    let Some(services) = document
        .as_map_mut()
        .and_then(|map| map.get_mut("services"))
        .and_then(|entry| entry.node.as_map_mut())
    else {
        return;
    };
    let names: Vec<String> = services
        .iter()
        .filter(|(_, entry)| entry.node.get("extends").is_some())
        .map(|(name, _)| name.clone())
        .collect();
    if names.is_empty() {
        return;
    }
    let original = services.clone();
    let place = Place {
        path,
        services: &original,
        directives,
    };
    let mut extension = Extension {
        loader,
        scope,
        resolved: HashMap::new(),
    };
    for name in names {
        let merged = extension.resolve(&name, place, &mut Vec::new());
        if let (Some(entry), Some(node)) = (services.get_mut(&name), merged) {
            entry.node = node;
        }
    }
}

struct Extension<'a, 'b> {
    loader: &'a mut Loader<'b>,
    scope: &'a Scope,
    /// Services merged so far: many may extend the same one.
    resolved: HashMap<(PathBuf, String), Node>,
}

impl Extension<'_, '_> {
    /// The service with everything it extends merged in. Nothing after a problem.
    fn resolve(&mut self, name: &str, place: Place<'_>, chain: &mut Vec<Link>) -> Option<Node> {
        let entry = place.services.get(name)?;
        let mut service = entry.node.clone();
        let Some(extends) = service.get("extends").cloned() else {
            return Some(service);
        };
        let key = (place.path.to_owned(), name.to_owned());
        if let Some(known) = self.resolved.get(&key) {
            return Some(known.clone());
        }
        // Taken out even after a problem, which is then reported only once.
        if let Some(map) = service.as_map_mut() {
            map.shift_remove("extends");
        }
        let Some(reference) = self.reference(name, &extends) else {
            self.loader.gaps.bases = true;
            return Some(service);
        };
        if chain.is_empty() {
            chain.push(Link {
                path: place.path.to_owned(),
                service: name.to_owned(),
                span: entry.key,
            });
        }
        let Some(mut base) = self.base(name, &reference, place, chain) else {
            self.loader.gaps.bases = true;
            return Some(service);
        };
        if base.is_null() {
            return Some(service);
        }
        if let Some(directives) = place.directives.at(&["services", name]) {
            directives.apply(&mut base);
        }
        self.loader.spend(
            2 * budget::cost(&base),
            "services that extend others",
            entry.key,
        )?;
        merge::merge_service(&mut base, service, &mut self.loader.problems);
        self.resolved.insert(key, base.clone());
        Some(base)
    }

    fn base(
        &mut self,
        name: &str,
        reference: &Reference,
        place: Place<'_>,
        chain: &mut Vec<Link>,
    ) -> Option<Node> {
        let file = match &reference.file {
            Some((file, span)) => Some(self.base_file(name, file, *span)?),
            None => None,
        };
        let place = match &file {
            Some(file) => Place {
                path: &file.path,
                services: &file.services,
                directives: &file.directives,
            },
            None => place,
        };
        if !place.services.contains_key(&reference.service) {
            self.missing(name, reference, place);
            return None;
        }
        let known = chain
            .iter()
            .position(|link| link.service == reference.service && link.path == place.path);
        if let Some(first) = known {
            self.cycle(&chain[first..], reference);
            return None;
        }
        if chain.len() >= MAX_DEPTH {
            self.loader.problems.push(
                Diagnostic::error(format!(
                    "services extend each other over more than {MAX_DEPTH} steps"
                ))
                .code(code::LIMIT)
                .at(reference.service_span)
                .help("let them extend a common one"),
            );
            return None;
        }
        chain.push(Link {
            path: place.path.to_owned(),
            service: reference.service.clone(),
            span: reference.service_span,
        });
        let base = self.resolve(&reference.service, place, chain);
        chain.pop();
        base
    }

    fn reference(&mut self, name: &str, extends: &Node) -> Option<Reference> {
        self.warn_of_unknown_keys(extends);
        let text = |node: Option<&Node>| node.and_then(Node::as_str).map(str::to_owned);
        let (service, file) = match &extends.value {
            Value::Str(_) => (Some(extends), None),
            Value::Map(_) => (extends.get("service"), extends.get("file")),
            _ => (None, None),
        };
        let (Some(node), Some(service)) = (service, text(service)) else {
            self.loader.problems.push(
                Diagnostic::error(format!("`extends` of service \"{name}\" names no service"))
                    .code(code::INVALID_EXTENDS)
                    .at(extends.span)
                    .help("write `extends: {service: NAME}`, with `file: PATH` for another file"),
            );
            return None;
        };
        if let Some(file) = file.filter(|file| file.as_str().is_none()) {
            self.loader.problems.push(
                Diagnostic::error(format!(
                    "`extends.file` of service \"{name}\" must be a text, not {}",
                    file.a_type()
                ))
                .code(code::WRONG_TYPE)
                .at(file.span),
            );
            return None;
        }
        Some(Reference {
            service,
            service_span: node.span,
            file: text(file).zip(file.map(|node| node.span)),
        })
    }

    /// docker compose ignores attributes of `extends` that do not exist.
    fn warn_of_unknown_keys(&mut self, extends: &Node) {
        const KEYS: [&str; 2] = ["service", "file"];
        for (key, entry) in extends.as_map().into_iter().flatten() {
            if KEYS.contains(&key.as_str()) || key.starts_with("x-") {
                continue;
            }
            let mut warning = Diagnostic::warning(format!(
                "unknown attribute \"{key}\" in `extends`, which is ignored"
            ))
            .code(code::UNKNOWN_ATTRIBUTE)
            .at(entry.key);
            warning.help = similar(key, KEYS).map(|name| format!("did you mean \"{name}\"?"));
            self.loader.problems.push(warning);
        }
    }

    fn base_file(&mut self, name: &str, file: &str, span: Span) -> Option<Rc<BaseFile>> {
        let folder = self.scope.folder.to_string_lossy().into_owned();
        let path = match self.loader.located(file, Some(span)) {
            Located::Brought(path) => path,
            Located::Missing => return None,
            Located::Local if Path::new(file).is_absolute() => PathBuf::from(paths::clean(file)),
            Located::Local => PathBuf::from(paths::join(&folder, file)),
        };
        let key = (self.scope.id, path.clone());
        if let Some(known) = self.loader.bases.get(&key) {
            return known.clone();
        }
        let parent_folder = path.parent().unwrap_or(Path::new("/"));
        let prefix = paths::relative(&folder, &parent_folder.to_string_lossy());
        let loaded = self.load_base(name, &path, &prefix, span).map(Rc::new);
        self.loader.bases.insert(key, loaded.clone());
        loaded
    }

    fn load_base(&mut self, name: &str, path: &Path, prefix: &str, span: Span) -> Option<BaseFile> {
        let parsed = self
            .loader
            .parse_file(path, Some((Relation::Extends, span)))?;
        let reader = format!("service \"{name}\"");
        self.loader.sources.set_reader(parsed.start.source, reader);
        if !parsed.complete {
            return None;
        }
        let mut tree = Node::new(Value::Map(Map::new()), parsed.start);
        let mut last = Directives::default();
        for mut document in parsed.documents {
            if document.as_map().is_none() {
                continue;
            }
            let name = self.loader.shown(path);
            if let Some(problem) = first_format::problem(&document, &name) {
                self.loader.problems.push(problem);
                return None;
            }
            if let Some(layers) = &mut self.loader.layers {
                layers.base(self.scope.id, path, &document);
            }
            last = Directives::take(&mut document);
            self.loader
                .interpolate(&mut document, &self.scope.environment);
            last.apply(&mut tree);
            merge::merge(&mut tree, document, &mut self.loader.problems);
            self.loader.finish(&mut tree);
        }
        self.loader.resolve_paths(&mut tree, prefix);
        let services = tree
            .as_map_mut()
            .and_then(|map| map.shift_remove("services"))
            .map(|entry| entry.node.value);
        let Some(Value::Map(services)) = services else {
            let name = self.loader.shown(path);
            self.loader.problems.push(
                Diagnostic::error(format!("{name} has no services to extend"))
                    .code(code::INVALID_EXTENDS)
                    .at(span)
                    .help("name a compose file with a `services` section"),
            );
            return None;
        };
        Some(BaseFile {
            path: path.to_owned(),
            services,
            directives: last,
        })
    }

    fn missing(&mut self, name: &str, reference: &Reference, place: Place<'_>) {
        let wanted = &reference.service;
        let file = self.loader.shown(place.path);
        let known: Vec<&str> = place.services.keys().map(String::as_str).collect();
        let help = did_you_mean(wanted, known.iter().copied(), || {
            format!("{file} has the services {}", known.join(", "))
        });
        self.loader.problems.push(
            Diagnostic::error(format!(
                "service \"{name}\" extends \"{wanted}\", which {file} does not have"
            ))
            .code(code::UNDEFINED_SERVICE)
            .at(reference.service_span)
            .help(help),
        );
    }

    fn cycle(&mut self, links: &[Link], reference: &Reference) {
        let mut names: Vec<&str> = links.iter().map(|link| link.service.as_str()).collect();
        names.push(&reference.service);
        let problem = Diagnostic::error(format!(
            "services extend each other in a circle: {}",
            names.join(" -> ")
        ))
        .code(code::EXTENDS_CYCLE)
        .at(reference.service_span)
        .help("remove one of these `extends`");
        let problem = links.iter().skip(1).fold(problem, |problem, link| {
            problem.related(link.span, format!("\"{}\" is extended here", link.service))
        });
        if !self
            .loader
            .problems
            .iter()
            .any(|known| same_circle(known, &names))
        {
            self.loader.problems.push(problem);
        }
    }
}

/// Whether a circle with these members was reported already, from another of its members.
fn same_circle(known: &Diagnostic, names: &[&str]) -> bool {
    let Some((_, list)) = known.message.split_once("in a circle: ") else {
        return false;
    };
    let mut members: Vec<&str> = list.split(" -> ").skip(1).collect();
    let mut names: Vec<&str> = names.iter().copied().skip(1).collect();
    members.sort_unstable();
    names.sort_unstable();
    members == names
}
