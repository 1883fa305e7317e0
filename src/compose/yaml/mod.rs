//! YAML text → spanned [`Node`]s, in the dialect of go-yaml, which compose files are written in.
//!
//! The tokens come from `libyaml-safer`; what scalars mean, aliases, merge keys and all limits
//! are decided here (see `docs/decisions/yaml.md`).

mod composer;
mod guard;
mod hint;
mod limits;
mod merge_key;
mod number;
mod scalar;
mod syntax;
mod timestamp;

#[cfg(test)]
mod tests;

use self::composer::Composer;
use super::budget::Budget;
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
    let read = read(source, text);
    if read.problems.iter().any(Diagnostic::is_error) {
        Err(read.problems)
    } else {
        Ok(read.documents)
    }
}

/// Whether a text without quotes is read as that text, and not as a number or the like.
pub(crate) fn is_text(text: &str) -> bool {
    scalar::is_text(text)
}

/// What could be read of a text.
#[derive(Debug)]
pub struct Reading {
    /// The documents in front of the first syntax error.
    pub documents: Vec<Node>,
    /// What is wrong, as [`parse`] tells it.
    pub problems: Vec<Diagnostic>,
    /// Whether all of the text was read, right or wrong.
    pub complete: bool,
}

/// Reads as much of `text` as can be read, so that problems of later stages can be found too.
pub fn read(source: SourceId, text: &str) -> Reading {
    read_within(source, text, &mut Budget::new())
}

/// As [`read`], with the budget that aliases take from.
pub(crate) fn read_within(source: SourceId, text: &str, budget: &mut Budget) -> Reading {
    if text.len() > limits::MAX_BYTES {
        let place = Span {
            source,
            start: 0,
            end: 0,
            line: 1,
            column: 1,
        };
        return Reading {
            documents: Vec::new(),
            problems: vec![limits::too_large(text.len()).at(place)],
            complete: false,
        };
    }
    // The scanner panics where a block scalar or an escape ends with the text. Behind a line of
    // blanks, which may be part of a block or not, only the panic tells.
    let last_line = text.rsplit('\n').next().unwrap_or_default();
    let padded = !last_line.trim_matches(' ').is_empty();
    let mut composer = Composer::new(source, text, budget, padded);
    let reading = composer.read();
    if composer.gave_up() && !padded && !last_line.is_empty() {
        return Composer::new(source, text, budget, true).read();
    }
    reading
}
