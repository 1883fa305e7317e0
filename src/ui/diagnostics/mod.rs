//! Problems of compose files, for people and for programs (see `docs/diagnostics.md`).

pub mod excerpt;
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
    /// Who reads the file, where that is known.
    reader: Option<String>,
    /// The place that names the file.
    span: Span,
}

/// How the file of a place came to be read, nearest first.
fn origin(span: Option<Span>, sources: &SourceMap) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut file = span.map(|span| span.source);
    while let Some((id, (relation, span))) = file.and_then(|id| Some((id, sources.get(id).parent?)))
    {
        let reader = sources.reader(id).map(str::to_owned);
        steps.push(Step {
            relation,
            reader,
            span,
        });
        file = Some(span.source);
    }
    steps
}

impl Step {
    /// What the step does, before the place that does it: `included from compose.yaml:3:5`.
    fn verb(&self) -> String {
        match (self.relation, &self.reader) {
            (Relation::Include, _) => "included from".to_owned(),
            (Relation::Extends, Some(reader)) => format!("extended by {reader} at"),
            (Relation::Extends, None) => "extended from".to_owned(),
            (Relation::EnvFile, _) => "read as an env file of".to_owned(),
            (Relation::LabelFile, _) => "read as a label file of".to_owned(),
            (Relation::Dockerfile, _) => "the Dockerfile of".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
