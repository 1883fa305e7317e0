//! YAML text → spanned [`Node`]s, in the dialect of go-yaml, which compose files are written in.
//!
//! The tokens come from `libyaml-safer`; what scalars mean, aliases, merge keys and all limits
//! are decided here (see `docs/decisions/yaml.md`).

mod composer;
mod limits;
mod merge_key;
mod number;
mod scalar;
mod syntax;
mod timestamp;

#[cfg(test)]
mod tests;

use super::diagnostic::Diagnostic;
use super::node::Node;
use super::source::{SourceId, Span};

/// Reads every document of `text`. Anchors do not reach from one into the next.
///
/// Aliases are expanded, `<<` is merged and `!reset` and `!override` become
/// [`Directive`](super::node::Directive)s. Empty documents are left out. `source` goes into
/// every span.
///
/// # Errors
/// All problems that could be found, each with its place: the first syntax error (nothing can be
/// read after it) and every duplicate key, non-string key, unknown alias and impossible tag
/// before it.
pub fn parse(source: SourceId, text: &str) -> Result<Vec<Node>, Vec<Diagnostic>> {
    if text.len() > limits::MAX_BYTES {
        let place = Span {
            source,
            start: 0,
            end: 0,
            line: 1,
            column: 1,
        };
        return Err(vec![limits::too_large(text.len()).at(place)]);
    }
    composer::Composer::new(source, text).documents()
}
