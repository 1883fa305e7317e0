//! Problems of compose files, for people and for programs (see `docs/diagnostics.md`).

mod human;
mod json;
mod sarif;

pub use human::{headline, render};
pub use json::lines as json;
pub use sarif::Report as Sarif;

use crate::compose::SourceMap;
use crate::compose::Span;
use crate::compose::source::Relation;

/// How problems are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// Text with the lines of the file.
    #[default]
    Human,
    /// One JSON object a line.
    Json,
    /// One SARIF 2.1.0 document.
    Sarif,
}

impl Format {
    /// The format of a name: `human`, `json` or `sarif`.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "" | "human" => Some(Self::Human),
            "json" => Some(Self::Json),
            "sarif" => Some(Self::Sarif),
            _ => None,
        }
    }
}

/// One step of the way from the files of the project to the file of a place.
struct Step {
    /// What made the loader read the file.
    relation: Relation,
    /// The place that names the file.
    span: Span,
}

/// How the file of a place came to be read, nearest first.
fn origin(span: Option<Span>, sources: &SourceMap) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut parent = span.and_then(|span| sources.get(span.source).parent);
    while let Some((relation, span)) = parent {
        steps.push(Step { relation, span });
        parent = sources.get(span.source).parent;
    }
    steps
}

/// What a relation does, before the place that does it: `included from compose.yaml:3:5`.
fn verb(relation: Relation) -> &'static str {
    match relation {
        Relation::Include => "included from",
        Relation::Extends => "extended from",
        Relation::EnvFile => "read as an env file of",
        Relation::LabelFile => "read as a label file of",
    }
}

#[cfg(test)]
mod tests;
