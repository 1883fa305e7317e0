//! Substitution of variables in every value, and the types that the text at some places has.

use std::ops::Range;

use indexmap::IndexMap;

use super::budget::{self, Budget};
use super::diagnostic::{Diagnostic, code};
use super::node::{Node, Value};
use super::path::{Path, Pattern};
use super::source::{SourceMap, Span};
use super::template::{self, TemplateError, TemplateErrorKind};

/// The type that text at a place stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cast {
    Integer,
    Float,
    Boolean,
}

const CASTS: &[(Pattern, Cast)] = &[
    (&["services", "*", "cpu_count"], Cast::Integer),
    (&["services", "*", "cpu_percent"], Cast::Float),
    (&["services", "*", "cpu_period"], Cast::Integer),
    (&["services", "*", "cpu_quota"], Cast::Integer),
    (&["services", "*", "cpu_rt_period"], Cast::Integer),
    (&["services", "*", "cpu_rt_runtime"], Cast::Integer),
    (&["services", "*", "cpus"], Cast::Float),
    (&["services", "*", "cpu_shares"], Cast::Integer),
    (&["services", "*", "init"], Cast::Boolean),
    (&["services", "*", "deploy", "replicas"], Cast::Integer),
    (
        &["services", "*", "deploy", "update_config", "parallelism"],
        Cast::Integer,
    ),
    (
        &[
            "services",
            "*",
            "deploy",
            "update_config",
            "max_failure_ratio",
        ],
        Cast::Float,
    ),
    (
        &["services", "*", "deploy", "rollback_config", "parallelism"],
        Cast::Integer,
    ),
    (
        &[
            "services",
            "*",
            "deploy",
            "rollback_config",
            "max_failure_ratio",
        ],
        Cast::Float,
    ),
    (
        &["services", "*", "deploy", "restart_policy", "max_attempts"],
        Cast::Integer,
    ),
    (
        &[
            "services",
            "*",
            "deploy",
            "placement",
            "max_replicas_per_node",
        ],
        Cast::Integer,
    ),
    (&["services", "*", "healthcheck", "retries"], Cast::Integer),
    (&["services", "*", "healthcheck", "disable"], Cast::Boolean),
    (&["services", "*", "oom_kill_disable"], Cast::Boolean),
    (&["services", "*", "oom_score_adj"], Cast::Integer),
    (&["services", "*", "pids_limit"], Cast::Integer),
    (&["services", "*", "ports", "[]", "target"], Cast::Integer),
    (&["services", "*", "privileged"], Cast::Boolean),
    (&["services", "*", "read_only"], Cast::Boolean),
    (&["services", "*", "scale"], Cast::Integer),
    (&["services", "*", "stdin_open"], Cast::Boolean),
    (&["services", "*", "tty"], Cast::Boolean),
    (&["services", "*", "ulimits", "*"], Cast::Integer),
    (&["services", "*", "ulimits", "*", "hard"], Cast::Integer),
    (&["services", "*", "ulimits", "*", "soft"], Cast::Integer),
    (
        &["services", "*", "volumes", "[]", "read_only"],
        Cast::Boolean,
    ),
    (
        &["services", "*", "volumes", "[]", "volume", "nocopy"],
        Cast::Boolean,
    ),
    (&["networks", "*", "external"], Cast::Boolean),
    (&["networks", "*", "internal"], Cast::Boolean),
    (&["networks", "*", "attachable"], Cast::Boolean),
    (&["networks", "*", "enable_ipv4"], Cast::Boolean),
    (&["networks", "*", "enable_ipv6"], Cast::Boolean),
    (&["volumes", "*", "external"], Cast::Boolean),
    (&["secrets", "*", "external"], Cast::Boolean),
    (&["configs", "*", "external"], Cast::Boolean),
];

/// Variables that were used but are not set, with the places of their use.
#[derive(Debug, Default)]
pub(crate) struct Unset(IndexMap<String, Vec<Span>>);

impl Unset {
    fn add(&mut self, name: &str, span: Span) {
        self.0.entry(name.to_owned()).or_default().push(span);
    }

    /// One warning a variable.
    pub(crate) fn into_warnings(self) -> Vec<Diagnostic> {
        self.0
            .into_iter()
            .filter_map(|(name, spans)| {
                let mut spans = spans.into_iter();
                let first = spans.next()?;
                let warning = Diagnostic::warning(format!(
                    "The \"{name}\" variable is not set. Defaulting to a blank string."
                ))
                .code(code::UNSET_VARIABLE)
                .at(first)
                .help(format!(
                    "set {name} in the shell or in .env, or write ${{{name}:-default}}"
                ));
                Some(spans.fold(warning, |warning, span| {
                    warning.related(span, "used here too")
                }))
            })
            .collect()
    }
}

/// The problem of a template that cannot be substituted, without its place.
pub(crate) fn template_problem(error: &TemplateError) -> Diagnostic {
    let code = match error.kind {
        TemplateErrorKind::Required { .. } => code::REQUIRED_VARIABLE,
        TemplateErrorKind::Invalid(_) => code::INVALID_TEMPLATE,
        TemplateErrorKind::TooDeep | TemplateErrorKind::TooLong => code::LIMIT,
    };
    Diagnostic::error(error.to_string())
        .code(code)
        .help(help_for(&error.kind))
}

fn help_for(kind: &TemplateErrorKind) -> String {
    match kind {
        TemplateErrorKind::Required { name, .. } => {
            format!("set {name} in the shell or in .env")
        }
        TemplateErrorKind::Invalid(text) if text.starts_with("${") && !text.ends_with('}') => {
            "close it with `}`, or write $$ for a dollar sign that is no variable".to_owned()
        }
        TemplateErrorKind::Invalid(_) => {
            "write ${NAME}, or $$ for a dollar sign that is no variable".to_owned()
        }
        TemplateErrorKind::TooLong => "use shorter variables, or fewer".to_owned(),
        TemplateErrorKind::TooDeep => "use fewer defaults inside defaults".to_owned(),
    }
}

/// Everything that substitution reads and writes.
pub(crate) struct Interpolation<'a> {
    /// The files that places refer to.
    pub(crate) sources: &'a SourceMap,
    /// The value of a variable.
    pub(crate) lookup: &'a dyn Fn(&str) -> Option<String>,
    /// Variables found unset.
    pub(crate) unset: &'a mut Unset,
    /// Where problems go.
    pub(crate) problems: &'a mut Vec<Diagnostic>,
    /// What the values of variables may still add.
    pub(crate) budget: &'a mut Budget,
}

impl Interpolation<'_> {
    /// Substitutes in every value of the tree; keys stay.
    pub(crate) fn tree(&mut self, node: &mut Node) {
        self.walk(node, Path::ROOT);
    }

    /// Substitutes in one text. Nothing after a problem, which is reported.
    pub(crate) fn text(&mut self, text: &str, span: Span) -> Option<String> {
        if !text.contains('$') {
            return Some(text.to_owned());
        }
        let mut missing: Vec<String> = Vec::new();
        let result = template::substitute(text, self.lookup, &mut |name| {
            missing.push(name.to_owned());
        });
        for name in missing {
            let used = template::variables(text)
                .into_iter()
                .find(|used| used.name == name);
            let place = used.map_or(span, |used| self.narrow(span, text, &used.range));
            self.unset.add(&name, place);
        }
        match result {
            Ok(text) if self.budget.take(text.len()).is_none() => {
                if !self.problems.iter().any(budget::is_limit) {
                    self.problems.push(budget::exceeded("variables").at(span));
                }
                None
            }
            Ok(text) => Some(text),
            Err(error) => {
                let end = error.range.end;
                self.report(&error, text, 0, span);
                self.rest(text, end, span);
                None
            }
        }
    }

    fn report(&mut self, error: &TemplateError, text: &str, offset: usize, span: Span) {
        let range = error.range.start + offset..error.range.end + offset;
        let place = self.narrow(span, text, &range);
        self.problems.push(template_problem(error).at(place));
    }

    /// Reports what else is wrong behind the first problem of a text.
    fn rest(&mut self, text: &str, mut from: usize, span: Span) {
        while let Some(rest) = text.get(from..) {
            let Err(error) = template::substitute(rest, self.lookup, &mut |_| {}) else {
                return;
            };
            self.report(&error, text, from, span);
            from += error.range.end.max(1);
        }
    }

    /// The place of a part of a text: where it stands in the file, if it does.
    fn narrow(&self, span: Span, text: &str, range: &Range<usize>) -> Span {
        let source = &self.sources.get(span.source).text;
        let written = source.get(span.start as usize..span.end as usize);
        written
            .and_then(|written| {
                let part = text.get(range.clone())?;
                let number = text.get(..range.start)?.matches(part).count();
                let (start, _) = written.match_indices(part).nth(number)?;
                let start = span.start as usize + start;
                Some(Span::in_text(
                    span.source,
                    source,
                    start..start + part.len(),
                ))
            })
            .unwrap_or(span)
    }

    /// Returns whether the node has a value; one whose text cannot be substituted is removed,
    /// so that nothing else is said of it.
    fn walk(&mut self, node: &mut Node, path: Path<'_>) -> bool {
        let span = node.span;
        match &mut node.value {
            Value::Map(map) => {
                map.retain(|key, entry| self.walk(&mut entry.node, path.key(key)));
            }
            Value::Seq(items) => {
                let mut index = 0..;
                items.retain_mut(|item| {
                    let place = path.item_at(index.next().unwrap_or_default());
                    self.walk(item, place)
                });
            }
            Value::Str(text) => {
                let before = self.problems.len();
                let value = self.text(text, span);
                for problem in &mut self.problems[before..] {
                    problem.path = Some(path.to_string());
                }
                let value = value.and_then(|text| match path.find(CASTS) {
                    Some(cast) => self.cast(text, cast, path, span),
                    None => Some(Value::Str(text)),
                });
                let Some(value) = value else {
                    return false;
                };
                node.value = value;
            }
            _ => {}
        }
        true
    }

    fn cast(&mut self, text: String, cast: Cast, path: Path<'_>, span: Span) -> Option<Value> {
        let (value, wanted) = match cast {
            Cast::Integer => (text.parse().ok().map(Value::Int), "an integer"),
            Cast::Float => (text.parse().ok().map(Value::Float), "a number"),
            Cast::Boolean => (self.boolean(&text, span), "true or false"),
        };
        if value.is_none() {
            self.problems.push(
                Diagnostic::error(format!("{path} must be {wanted}, not \"{text}\""))
                    .code(code::WRONG_TYPE)
                    .path(path.to_string())
                    .at(span),
            );
        }
        value
    }

    fn boolean(&mut self, text: &str, span: Span) -> Option<Value> {
        let lower = text.to_lowercase();
        let flag = match lower.as_str() {
            "true" | "y" | "yes" | "on" => true,
            "false" | "n" | "no" | "off" => false,
            _ => return None,
        };
        if lower != "true" && lower != "false" {
            self.problems.push(
                Diagnostic::warning(format!("\"{text}\" is no boolean in YAML 1.2"))
                    .code(code::UNCLEAR_BOOLEAN)
                    .at(span)
                    .help(format!("write `{flag}`")),
            );
        }
        Some(Value::Bool(flag))
    }
}
