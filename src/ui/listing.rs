//! Rows of data in the format that was asked for: a table, JSON, or a template of the person's
//! own.

use super::table::Layout;
use super::template::{Row, Template, TemplateError};

/// `--format`.
#[derive(Debug, Clone)]
pub enum Format {
    /// Columns with a header.
    Table(Template),
    /// The template for each row.
    Each(Template),
}

impl Format {
    /// Reads `--format`; `columns` is the template of the table where none is given.
    ///
    /// # Errors
    /// When the template is malformed or uses what is not known.
    pub fn new(format: &str, columns: &str) -> Result<Self, TemplateError> {
        match format {
            "" | "table" => Template::new(columns).map(Self::Table),
            "json" => Template::new("{{json .}}").map(Self::Each),
            _ => match format.strip_prefix("table") {
                Some(columns) => Template::new(columns.trim_matches(' ')).map(Self::Table),
                None => Template::new(format).map(Self::Each),
            },
        }
    }

    /// The text for all rows; `header` has the titles of the fields.
    ///
    /// # Errors
    /// When the template asks for fields that the rows do not have.
    pub fn render(&self, header: &Row, rows: &[Row]) -> Result<String, TemplateError> {
        let mut text = String::new();
        match self {
            Self::Table(template) => {
                text.push_str(&template.render_header(header)?);
                text.push('\n');
                for row in rows {
                    text.push_str(&template.render(row)?);
                    text.push('\n');
                }
                Ok(Layout::FORMAT.align(&text))
            }
            Self::Each(template) => {
                for row in rows {
                    text.push_str(&template.render(row)?);
                    text.push('\n');
                }
                Ok(text)
            }
        }
    }
}
