//! YAML text → [`Node`]s, in go-yaml's dialect (see `docs/decisions/yaml.md`).

mod build;
mod places;
mod scalar;
mod syntax;
mod timestamp;

use super::diagnostic::Diagnostic;
use super::node::Node;
use super::source::SourceId;

/// Largest document that is read, in bytes.
const MAX_BYTES: usize = 16 << 20;

/// Reads all documents of a file.
///
/// Returns one node for each document that is not empty. Anchors do not reach from one
/// document into the next. `source` goes into every span.
///
/// # Errors
///
/// Every problem that was found: one for bad syntax (nothing can be read after it), any number of
/// duplicate or non-string keys and scalars that do not fit their tag.
pub fn parse(source: SourceId, text: &str) -> Result<Vec<Node>, Vec<Diagnostic>> {
    let body = text.strip_prefix('\u{feff}').unwrap_or(text);
    let skipped = (text.len() - body.len()) as u32;
    if body.len() > MAX_BYTES {
        let message = format!(
            "file is too large: {} bytes, the limit is {MAX_BYTES}",
            body.len()
        );
        return Err(vec![Diagnostic::error(message)]);
    }
    build::documents(body, places::Places::new(source, skipped))
}

#[cfg(test)]
mod tests;
