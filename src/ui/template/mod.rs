//! The part of Go's templates that `--format` needs: fields, `json`, text functions, pipes,
//! `if`, `range`, `with`. What it does not know is refused by name.

mod eval;
mod functions;
mod lex;
mod parse;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// A format that was understood.
#[derive(Debug, Clone)]
pub struct Template {
    nodes: Vec<parse::Node>,
}

/// What one line of output is made from.
#[derive(Debug, Clone, Default)]
pub struct Row {
    /// Values by the name of their field.
    pub fields: Map<String, Value>,
    /// Labels, for `{{.Label "name"}}`.
    pub labels: BTreeMap<String, String>,
}

impl Row {
    /// The line above a table: the title of each field, by its name.
    pub fn of_titles(titles: &[(&str, &str)]) -> Self {
        Self {
            fields: titles
                .iter()
                .map(|(field, title)| ((*field).to_owned(), (*title).into()))
                .collect(),
            ..Self::default()
        }
    }
}

/// Why a format cannot be used: lower-case, without a full stop.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TemplateError(String);

impl Template {
    /// Reads a format; `\t` and `\n` may be written as two characters.
    ///
    /// # Errors
    /// When the format is malformed or uses what is not known.
    pub fn new(text: &str) -> Result<Self, TemplateError> {
        let text = text.replace("\\t", "\t").replace("\\n", "\n");
        let nodes = parse::parse(lex::lex(&text)?)?;
        Ok(Self { nodes })
    }

    /// The text for one row.
    ///
    /// # Errors
    /// When the format asks for a field that rows do not have, or misuses a function.
    pub fn render(&self, row: &Row) -> Result<String, TemplateError> {
        eval::render(&self.nodes, row, false)
    }

    /// The text for the header of a table: functions that change values do nothing, and what
    /// has no header is `<no value>`.
    ///
    /// # Errors
    /// When the format misuses a function.
    pub fn render_header(&self, row: &Row) -> Result<String, TemplateError> {
        eval::render(&self.nodes, row, true)
    }
}

/// JSON as Go writes it: compact, and with `<`, `>`, `&` escaped where `escape_html` is set.
pub fn go_json(value: &Value, escape_html: bool) -> String {
    let text = value.to_string();
    let text = text
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029");
    if !escape_html {
        return text;
    }
    text.replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
}

#[cfg(test)]
mod tests;
