//! One cause, one message: what only follows from another problem is dropped, and what is found
//! several times at the same place is said once.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use super::{Code, Diagnostic, code};
use crate::compose::source::{SourceId, SourceMap, Span};

/// How many paths of values that share one place are named.
const MOST_PATHS: usize = 3;

/// What loading could not look at.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Gaps {
    /// A compose file of the project could not be read.
    pub(crate) files: bool,
    /// A service that another one extends could not be found.
    pub(crate) bases: bool,
    /// An env file for interpolation could not be read.
    pub(crate) variables: bool,
}

/// Drops what follows from something else, sorts by file and place, and joins what is the same.
///
/// `cuts` are the paths of what `!reset` and `!override` took out, each with its place.
pub(crate) fn tidy(
    problems: Vec<Diagnostic>,
    gaps: Gaps,
    cuts: &HashMap<String, Span>,
    sources: &SourceMap,
) -> Vec<Diagnostic> {
    let failed = problems.iter().any(Diagnostic::is_error);
    let (mut problems, consequences) = divide(problems, gaps);
    if failed && !problems.iter().any(Diagnostic::is_error) {
        // An error without a cause must not get lost.
        problems.extend(consequences);
    }
    for problem in &mut problems {
        name_cut(problem, cuts);
    }
    problems.sort_by_key(|problem| problem.span.map(|span| (span.source, span.start)));
    join(problems, sources)
}

/// Kinds that say that something is not there.
const ABSENCES: &[Code] = &[
    code::MISSING_ATTRIBUTE,
    code::MISSING_IMAGE,
    code::MISSING_CONTENT,
    code::UNDEFINED_SERVICE,
    code::UNDEFINED_NETWORK,
    code::UNDEFINED_VOLUME,
    code::UNDEFINED_SECRET,
    code::UNDEFINED_CONFIG,
    code::UNDEFINED_MODEL,
];

/// Kinds that compare two values.
const COMPARISONS: &[Code] = &[
    code::CONFLICTING_ATTRIBUTES,
    code::DUPLICATE_MOUNT,
    code::DUPLICATE_CONTAINER_NAME,
    code::DUPLICATE_ITEM,
];

/// Parts problems that stand for themselves from those that follow from others.
fn divide(problems: Vec<Diagnostic>, gaps: Gaps) -> (Vec<Diagnostic>, Vec<Diagnostic>) {
    let causes = Causes::of(&problems);
    problems
        .into_iter()
        .partition(|problem| !causes.explain(problem, gaps))
}

/// The errors that others may follow from.
struct Causes {
    /// Paths of values with an error of their own.
    exact: HashSet<String>,
    /// Paths of values with an error in them.
    paths: HashSet<String>,
    /// Paths of the attributes that misspelt ones were probably meant to be.
    meant: HashSet<String>,
    /// Places with an error.
    places: HashSet<Span>,
    /// Places where the YAML itself is wrong: no value could be made of the text.
    yaml: HashSet<Span>,
    /// Places of short forms that cannot be read.
    unread: HashSet<Span>,
    /// A mount has no place in the container.
    no_target: bool,
    /// Files that could be read in part only.
    broken: HashSet<SourceId>,
}

/// Kinds of texts that stand for a mapping.
const SHORT_FORMS: &[Code] = &[
    code::INVALID_PORT,
    code::INVALID_VOLUME,
    code::INVALID_VALUE,
];

/// Kinds that leave no value behind.
const NO_VALUE: &[Code] = &[code::INVALID_TAG, code::INVALID_KEY, code::UNKNOWN_ANCHOR];

impl Causes {
    fn of(problems: &[Diagnostic]) -> Self {
        let mut causes = Self {
            exact: HashSet::new(),
            paths: HashSet::new(),
            meant: HashSet::new(),
            places: HashSet::new(),
            yaml: HashSet::new(),
            unread: HashSet::new(),
            no_target: false,
            broken: HashSet::new(),
        };
        for problem in problems {
            causes.no_target |= problem.code == code::MISSING_ATTRIBUTE
                && problem
                    .path
                    .as_deref()
                    .is_some_and(|path| path.ends_with(".target"));
            if problem.is_error()
                && !ABSENCES.contains(&problem.code)
                && !COMPARISONS.contains(&problem.code)
            {
                causes.add(problem);
            }
        }
        causes
    }

    fn add(&mut self, problem: &Diagnostic) {
        self.places.extend(problem.span);
        if NO_VALUE.contains(&problem.code) {
            self.yaml.extend(problem.span);
        }
        if problem.code == code::YAML_SYNTAX {
            self.broken.extend(problem.span.map(|span| span.source));
        }
        let Some(path) = &problem.path else {
            if SHORT_FORMS.contains(&problem.code) {
                self.unread.extend(problem.span);
            }
            return;
        };
        if problem.code == code::UNKNOWN_ATTRIBUTE
            && let Some(meant) = problem.help.as_deref().and_then(quoted)
        {
            let parent = path.rsplit_once('.').map_or("", |(parent, _)| parent);
            self.meant.insert(join_path(parent, meant));
        }
        // An error inside a value is one of the value too.
        self.exact.insert(path.clone());
        let mut part = path.as_str();
        self.paths.insert(part.to_owned());
        while let Some(end) = part.rfind(['.', '[']) {
            part = &part[..end];
            self.paths.insert(part.to_owned());
        }
    }

    /// Whether a problem follows from one of the causes, or from what could not be looked at.
    fn explain(&self, problem: &Diagnostic, gaps: Gaps) -> bool {
        if let Some(span) = problem.span
            && self.explain_place(problem, span)
        {
            return true;
        }
        let variable = [code::UNSET_VARIABLE, code::REQUIRED_VARIABLE].contains(&problem.code);
        if variable {
            return gaps.variables;
        }
        if ABSENCES.contains(&problem.code) {
            let inherited = [code::MISSING_ATTRIBUTE, code::MISSING_IMAGE];
            return gaps.files
                || gaps.bases && inherited.contains(&problem.code)
                || self.explain_absence(problem);
        }
        COMPARISONS.contains(&problem.code) && self.explain_comparison(problem)
    }

    /// Whether there is no value at the place that anything could be said about.
    fn explain_place(&self, problem: &Diagnostic, span: Span) -> bool {
        let no_value = self.yaml.contains(&span) && !NO_VALUE.contains(&problem.code);
        // What stands in front of a syntax error may be anything.
        let no_file = problem.code == code::WRONG_TYPE
            && problem.path.is_none()
            && self.broken.contains(&span.source);
        let wrong_type = problem.code == code::WRONG_TYPE;
        // `{{ x }}` is a mapping whose key is one.
        let braces = Span {
            start: span.start + 1,
            column: span.column + 1,
            ..span
        };
        let template = wrong_type && self.yaml.iter().any(|key| key.same_start(braces));
        let unread = wrong_type && self.unread.contains(&span);
        no_value || no_file || template || unread
    }

    fn explain_absence(&self, problem: &Diagnostic) -> bool {
        if problem.span.is_some_and(|span| self.places.contains(&span)) {
            return true;
        }
        let Some(path) = problem.path.as_deref() else {
            return false;
        };
        let at = |key: &str| {
            let place = join_path(path, key);
            self.paths.contains(&place) || self.meant.contains(&place)
        };
        match problem.code {
            code::MISSING_IMAGE => ["image", "build", "provider"].into_iter().any(at),
            code::MISSING_CONTENT => self.paths.contains(path),
            code::MISSING_ATTRIBUTE => self.paths.contains(path) || self.meant.contains(path),
            _ => {
                let item = path.strip_suffix(".source").unwrap_or("");
                let of_section =
                    |section: &str| self.meant.contains(section) || self.exact.contains(section);
                self.paths.contains(item) || section(problem.code).is_some_and(of_section)
            }
        }
    }

    fn explain_comparison(&self, problem: &Diagnostic) -> bool {
        if self.no_target && problem.message.ends_with(" at ") {
            return true;
        }
        let related = problem.related.iter().map(|(span, _)| span);
        problem
            .span
            .iter()
            .chain(related)
            .any(|span| self.places.contains(span))
    }
}

/// Shows what took a name out that is missed.
fn name_cut(problem: &mut Diagnostic, cuts: &HashMap<String, Span>) {
    let Some(section) = section(problem.code) else {
        return;
    };
    let name = problem.message.rsplit('"').nth(1).unwrap_or_default();
    let place = cuts
        .get(&format!("{section}.{name}"))
        .or_else(|| cuts.get(section));
    if let Some(place) = place {
        let text = format!("\"{name}\" may have been taken out here");
        problem.related.push((*place, text));
    }
}

/// The top-level section that a kind of problem misses a name in.
fn section(code: Code) -> Option<&'static str> {
    match code {
        code::UNDEFINED_SERVICE => Some("services"),
        code::UNDEFINED_NETWORK => Some("networks"),
        code::UNDEFINED_VOLUME => Some("volumes"),
        code::UNDEFINED_SECRET => Some("secrets"),
        code::UNDEFINED_CONFIG => Some("configs"),
        code::UNDEFINED_MODEL => Some("models"),
        _ => None,
    }
}

/// The text between the first pair of quotes.
fn quoted(text: &str) -> Option<&str> {
    text.split('"').nth(1)
}

fn join_path(parent: &str, key: &str) -> String {
    if parent.is_empty() {
        key.to_owned()
    } else {
        format!("{parent}.{key}")
    }
}

/// A value may be reached on several ways: by an alias, by `extends`, by a file that is read more
/// than once. Its problems are the same each time.
fn join(problems: Vec<Diagnostic>, sources: &SourceMap) -> Vec<Diagnostic> {
    let mut known: HashMap<(String, String), usize> = HashMap::new();
    let mut kept: Vec<Diagnostic> = Vec::with_capacity(problems.len());
    let mut others: Vec<Vec<String>> = Vec::with_capacity(problems.len());
    for problem in problems {
        let place = problem.span.map(|span| {
            let name = &sources.get(span.source).name;
            format!("{name}:{}-{}", span.start, span.end)
        });
        let key = (place.unwrap_or_default(), essence(&problem));
        if let Some(&index) = known.get(&key) {
            if problem.path != kept[index].path {
                others[index].extend(problem.path);
            }
            continue;
        }
        known.insert(key, kept.len());
        kept.push(problem);
        others.push(Vec::new());
    }
    for (problem, paths) in kept.iter_mut().zip(others) {
        name_others(problem, paths);
    }
    kept
}

/// The message without the path that led to the value.
fn essence(problem: &Diagnostic) -> String {
    let message = problem.message.as_str();
    let path = problem.path.as_deref().unwrap_or_default();
    let rest = match problem.code {
        code::UNKNOWN_ATTRIBUTE => message.split("\" in ").next(),
        code::MISSING_ATTRIBUTE => message.rsplit(" has no ").next(),
        code::MISSING_CONTENT => Some(""),
        _ if section(problem.code).is_some() => message.split(" refers to ").nth(1),
        _ if path.is_empty() => None,
        _ => message.strip_prefix(path),
    };
    format!("{} {}", problem.code, rest.unwrap_or(message))
}

fn name_others(problem: &mut Diagnostic, mut paths: Vec<String>) {
    paths.sort_unstable();
    paths.dedup();
    if paths.is_empty() || problem.label.is_some() {
        return;
    }
    let more = paths.len().saturating_sub(MOST_PATHS);
    paths.truncate(MOST_PATHS);
    let mut label = format!("also {}", paths.join(", "));
    if more > 0 {
        let _ = write!(label, " and {more} more");
    }
    problem.label = Some(label);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::source::Source;

    fn sources() -> (SourceMap, SourceId) {
        let mut sources = SourceMap::default();
        let id = sources.add(Source {
            name: "compose.yaml".to_owned(),
            text: "a: b\nc: d\n".into(),
            parent: None,
        });
        (sources, id)
    }

    fn codes(problems: Vec<Diagnostic>, gaps: Gaps) -> Vec<&'static str> {
        let (sources, _) = sources();
        tidy(problems, gaps, &HashMap::new(), &sources)
            .iter()
            .map(|problem| problem.code.id)
            .collect()
    }

    fn error(code: Code, path: &str) -> Diagnostic {
        Diagnostic::error(format!("{path} is wrong"))
            .code(code)
            .path(path)
    }

    #[test]
    fn what_follows_from_a_misspelt_attribute_is_not_said() {
        let misspelt = || {
            error(code::UNKNOWN_ATTRIBUTE, "services.web.imagee").help("did you mean \"image\"?")
        };
        let no_image = |name| error(code::MISSING_IMAGE, name);
        let found = codes(
            vec![
                no_image("services.web"),
                no_image("services.db"),
                misspelt(),
            ],
            Gaps::default(),
        );
        assert_eq!(found, ["missing-image", "unknown-attribute"]);
    }

    #[test]
    fn an_error_without_a_cause_is_kept() {
        let gaps = Gaps {
            files: true,
            ..Gaps::default()
        };
        let undefined = || error(code::UNDEFINED_NETWORK, "services.web");
        assert_eq!(codes(vec![undefined()], gaps), ["undefined-network"]);
        let missing = error(code::FILE_NOT_FOUND, "include");
        assert_eq!(codes(vec![undefined(), missing], gaps), ["file-not-found"]);
    }

    #[test]
    fn one_place_that_several_services_share_is_said_once() {
        let (sources, id) = sources();
        let place = Span::in_text(id, "a: b\nc: d\n", 3..4);
        let problems = ["a", "b", "c", "d", "e"].map(|name| {
            let path = format!("services.{name}.mem_limit");
            error(code::INVALID_SIZE, &path).at(place)
        });
        let kept = tidy(
            problems.to_vec(),
            Gaps::default(),
            &HashMap::new(),
            &sources,
        );
        assert_eq!(kept.len(), 1);
        assert_eq!(
            kept[0].label.as_deref(),
            Some(
                "also services.b.mem_limit, services.c.mem_limit, services.d.mem_limit and 1 more"
            )
        );
    }
}
